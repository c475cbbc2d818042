//! The grammar of an answer by what is asked for, compiled once and kept.

use grounding::prompt::unit_words;
use msgs::Unit;
use vlm::{AnswerFormat, AnswerShape, Constraint, Engine};

use crate::AnswerError;

/// The words that stand for an answer when the model did not see what is asked about.
const NOT_SEEN: &str = "not seen";

/// Compiled grammars.
#[derive(Debug, Default)]
pub(crate) struct Constraints(Vec<(AnswerFormat, Constraint)>);

impl Constraints {
    /// With the grammars of a length and of words, which most questions ask for.
    pub fn compile(engine: &Engine, states_answers: bool) -> Result<Self, AnswerError> {
        let mut constraints = Self::default();
        for unit in [Unit::Metre, Unit::None] {
            constraints.of(engine, &answer_format(unit, &[], states_answers))?;
        }
        Ok(constraints)
    }

    /// The grammar of completions of this format. Sharing a compiled one costs nothing; one of options in words is another
    /// with every question and is not kept.
    pub fn of(&mut self, engine: &Engine, format: &AnswerFormat) -> Result<Constraint, AnswerError> {
        if let Some((_, constraint)) = self.0.iter().find(|(held, _)| held == format) {
            return Ok(constraint.clone());
        }
        let constraint = engine.constraint(&format.grammar())?;
        if !matches!(format.answer, AnswerShape::StatedOption { .. }) {
            self.0.push((format.clone(), constraint.clone()));
        }
        Ok(constraint)
    }
}

/// What the completion of a question must be whose answer has this unit or is one of `options`, of a model that states its
/// answers before it draws the map or not.
#[must_use]
pub fn answer_format(unit: Unit, options: &[String], states_answers: bool) -> AnswerFormat {
    let answer = match ('A'..='Z').zip(options).last() {
        Some(_) if states_answers => AnswerShape::StatedOption { options: options.to_vec() },
        Some((last, _)) => AnswerShape::Option { last },
        None if unit == Unit::None => AnswerShape::Words,
        None if states_answers => AnswerShape::StatedNumber { unit: unit_words(unit).to_owned() },
        None => AnswerShape::Number,
    };
    AnswerFormat { answer, abstention: Some(NOT_SEEN.to_owned()), map_required: false }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_question_says_what_the_answer_must_be() {
        let shape = |text: &str, options: &[&str], states_answers| {
            let options: Vec<String> = options.iter().map(|&option| option.to_owned()).collect();
            let asked = grounding::with_options(&grounding::parse_question(text).expect("a question"), &options);
            answer_format(asked.kind.unit(), &asked.options, states_answers).answer
        };
        let of = |text: &str| shape(text, &[], false);
        assert_eq!(of("how far is the door?"), AnswerShape::Number);
        assert_eq!(of("how many chairs are there?"), AnswerShape::Number);
        assert_eq!(of("how big is the room?"), AnswerShape::Number);
        assert_eq!(of("where is the door?"), AnswerShape::Words);
        assert_eq!(of("what is on the table?"), AnswerShape::Words);
        let options = ["the bed", "the  door", ". . ."];
        assert_eq!(shape("which is nearer?", &options, false), AnswerShape::Option { last: 'C' });
        let options = ["the bed", "the door", ". . ."];
        let stated = AnswerShape::StatedOption { options: options.map(str::to_owned).to_vec() };
        assert_eq!(shape("which is nearer?", &options, true), stated);
        let number = |unit: &str| AnswerShape::StatedNumber { unit: unit.to_owned() };
        assert_eq!(shape("how far is the door?", &[], true), number("m"));
        assert_eq!(shape("how many chairs are there?", &[], true), number(""));
        assert_eq!(shape("where is the door?", &[], true), AnswerShape::Words);
    }
}
