//! The grammar of an answer by what is asked for, compiled once and kept.

use grounding::{ParsedQuestion, option_texts};
use msgs::Unit;
use vlm::{AnswerFormat, AnswerShape, Constraint, Engine};

use crate::AnswerError;

/// The words that stand for an answer when the model did not see what is asked about.
const NOT_SEEN: &str = "not seen";

/// Compiled grammars.
#[derive(Debug, Default)]
pub(crate) struct Constraints(Vec<(AnswerShape, Constraint)>);

impl Constraints {
    /// With the grammars of a number and of words, which most questions ask for.
    pub fn compile(engine: &Engine) -> Result<Self, AnswerError> {
        let mut constraints = Self::default();
        for shape in [AnswerShape::Number, AnswerShape::Words] {
            constraints.of(engine, shape)?;
        }
        Ok(constraints)
    }

    /// The grammar of answers of this shape. Sharing a compiled one costs nothing; one of options in words is another with
    /// every question and is not kept.
    pub fn of(&mut self, engine: &Engine, shape: AnswerShape) -> Result<Constraint, AnswerError> {
        if let Some((_, constraint)) = self.0.iter().find(|(held, _)| *held == shape) {
            return Ok(constraint.clone());
        }
        let abstention = Some(NOT_SEEN.to_owned());
        let format = AnswerFormat { answer: shape.clone(), abstention, map_required: false };
        let constraint = engine.constraint(&format.grammar())?;
        if !matches!(shape, AnswerShape::StatedOption { .. }) {
            self.0.push((shape, constraint.clone()));
        }
        Ok(constraint)
    }
}

/// What the answer to a question with so many options must be, of a model that states options in words or not.
pub(crate) fn shape(question: &ParsedQuestion, options: usize, states_options: bool) -> AnswerShape {
    if states_options && options > 0 {
        let options = option_texts(question, options).into_iter().map(str::to_owned).collect();
        return AnswerShape::StatedOption { options };
    }
    match (question.kind, ('A'..='Z').nth(options.wrapping_sub(1))) {
        (_, Some(last)) => AnswerShape::Option { last },
        (kind, None) if kind.unit() != Unit::None => AnswerShape::Number,
        (_, None) => AnswerShape::Words,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_question_says_what_the_answer_must_be() {
        let of = |text: &str, options| shape(&grounding::parse_question(text).expect("a question"), options, false);
        assert_eq!(of("how far is the door?", 0), AnswerShape::Number);
        assert_eq!(of("how many chairs are there?", 0), AnswerShape::Number);
        assert_eq!(of("how big is the room?", 0), AnswerShape::Number);
        assert_eq!(of("where is the door?", 0), AnswerShape::Words);
        assert_eq!(of("what is on the table?", 0), AnswerShape::Words);
        assert_eq!(of("which one is nearer?", 3), AnswerShape::Option { last: 'C' });
        let options = ["the bed", "the  door"].map(str::to_owned);
        let asked =
            grounding::with_options(&grounding::parse_question("which is nearer?").expect("a question"), &options);
        let stated = AnswerShape::StatedOption { options: vec!["the bed".into(), "the door".into()] };
        assert_eq!(shape(&asked, 2, true), stated);
        assert_eq!(shape(&asked, 0, true), AnswerShape::Words);
    }
}
