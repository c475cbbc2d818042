//! A question in words with its true answer, whoever made it up: clips, walks and logged episodes alike.

use grounding::ParsedQuestion;
use msgs::{ProblemType, Unit};
use sim::questions::ask::Answer;
use sim::questions::choice;
use sim::questions::exam::ExamQuestion;

use crate::completion::NOT_SEEN;
use crate::episode::{Label, Question};
use crate::number_grid::number_text;
use crate::options::chosen;
use crate::{Error, Result};

/// A question and its truth.
#[derive(Clone, Debug, PartialEq)]
pub struct Exercise {
    /// The question as the robot reads it, without its options.
    pub question: ParsedQuestion,
    /// The texts of the options, `A` first; empty for an open question.
    pub options: Vec<String>,
    /// The true answer: a number in the unit of the kind, words (one of the options where there are any), or that it was
    /// not seen.
    pub truth: Answer,
    /// How answers are scored, where the question's record says so.
    pub scored_as: Option<ProblemType>,
}

impl Exercise {
    /// An open question in words.
    ///
    /// # Errors
    /// [`Error::Question`] where the robot would refuse it.
    pub fn new(text: &str, truth: Answer) -> Result<Self> {
        let question = grounding::parse_question(text)?;
        Ok(Self { question, options: Vec::new(), truth, scored_as: None })
    }

    /// A question of an exam, with its options.
    ///
    /// # Errors
    /// As [`Exercise::new`].
    pub fn of_exam(question: &ExamQuestion) -> Result<Self> {
        let options = question.options.clone();
        Ok(Self { options, ..Self::new(&question.text, question.answer.clone())? })
    }

    /// A question of an episode by its label; `None` without one.
    ///
    /// # Errors
    /// As [`Exercise::new`], and [`Error::Label`] where a multiple-choice label is no letter of its options.
    pub fn of_episode(question: &Question) -> Result<Option<Self>> {
        let Some(Label { text: label, .. }) = &question.label else { return Ok(None) };
        let refuse = |expected: &str, found: String| Error::Label {
            question: question.id.clone(),
            expected: expected.to_owned(),
            found,
        };
        let options = question.option_texts();
        let options = options.map_err(|found| refuse("options behind the letters A, B, … in order", found))?;
        let read = grounding::parse_question(&question.text)
            .map_err(|error| refuse("words that the robot takes for a question", error.to_string()))?;
        let truth = match (label.trim(), options.is_empty()) {
            (NOT_SEEN, _) => Answer::NotSeen,
            (letter, false) => {
                let chosen = chosen(letter, &options).and_then(|chosen| {
                    let place = ('A'..=chosen).count() - 1;
                    options.get(place).cloned()
                });
                let expected = format!("a letter of {} options", options.len());
                Answer::Words(chosen.ok_or_else(|| refuse(&expected, label.clone()))?)
            }
            (text, true) => match text.parse() {
                Ok(number) if read.kind.unit() != Unit::None => Answer::Number(number),
                _ => Answer::Words(text.to_owned()),
            },
        };
        Ok(Some(Self { question: read, options, truth, scored_as: Some(question.problem_type) }))
    }

    /// The question as the robot reads it, options included: see [`grounding::with_options`]. Its text stands in the prompt,
    /// and its kind chooses the prompt's instruction.
    pub fn asked(&self) -> ParsedQuestion {
        grounding::with_options(&self.question, &self.options)
    }

    /// The letter of the true option, where the truth is one.
    pub fn letter(&self) -> Option<char> {
        choice::letter(&self.options, &self.truth)
    }

    /// What stands in `<answer>`.
    pub fn answer(&self) -> String {
        match &self.truth {
            Answer::NotSeen => NOT_SEEN.to_owned(),
            Answer::Number(value) => number_text(self.question.kind.unit(), *value),
            Answer::Words(words) => self.letter().map_or_else(|| words.clone(), String::from),
        }
    }

    /// The true answer exactly, for scoring: numbers are not rounded.
    pub fn solution(&self) -> String {
        match &self.truth {
            Answer::Number(value) => value.to_string(),
            Answer::Words(_) | Answer::NotSeen => self.answer(),
        }
    }

    /// How answers are scored: as its record says, else by options and unit.
    pub fn problem_type(&self) -> ProblemType {
        if let Some(stated) = self.scored_as {
            return stated;
        }
        match (self.options.is_empty(), self.question.kind.unit()) {
            (false, _) => ProblemType::MultipleChoice,
            (true, Unit::None) => ProblemType::FreeForm,
            (true, _) => ProblemType::Numerical,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::episode::LabelSource;

    fn question(text: &str, options: &[&str], label: &str) -> Question {
        let label = Some(Label::new(label, LabelSource::Dataset));
        let options = options.iter().map(|&option| option.to_owned()).collect();
        Question { id: "q".into(), text: text.into(), options, label, ..Question::default() }
    }

    #[test]
    fn labels_become_truths() {
        let of = |question: &Question| Exercise::of_episode(question).unwrap().unwrap();
        let far = of(&question("How far is the door?", &[], "2.437"));
        assert_eq!(
            (far.truth.clone(), far.answer(), far.solution()),
            (Answer::Number(2.437), "2.4".into(), "2.437".into())
        );
        let read_off = Question { problem_type: ProblemType::Ocr, ..question("What does the sign say?", &[], "EXIT") };
        assert_eq!(of(&read_off).problem_type(), ProblemType::Ocr);
        let side = of(&question("Where is the door?", &["A. left", "B. right"], "B"));
        assert_eq!((side.truth.clone(), side.answer()), (Answer::Words("right".into()), "B".into()));
        assert!(side.asked().text.ends_with("\nA. left\nB. right"), "{:?}", side.asked());
        let spaced = of(&question("Where is the door?", &["A. far  left", "B. right"], "B"));
        assert_eq!(spaced.asked().options, ["far left", "right"]);
        assert_eq!(of(&question("Where is the door?", &[], "not seen")).truth, Answer::NotSeen);
        let unlabelled = Question { label: None, ..question("Where is the door?", &[], "") };
        assert_eq!(Exercise::of_episode(&unlabelled).unwrap(), None);
        let wrong = question("Where is the door?", &["A. left"], "C");
        let error = Exercise::of_episode(&wrong).unwrap_err().to_string();
        assert!(error.contains("a letter of 1 options") && error.contains("\"C\""), "{error}");
    }
}
