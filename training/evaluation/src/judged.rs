//! One judged question in a form that outlives the exam: what reports, pages and gates are made of.

use std::path::Path;

use episodes::completion::NOT_SEEN;
use grounding::Outcome;
use msgs::{ImaginedMap, Interval, QuestionKind};
use scoring::{MapScoreSettings, map_score};
use serde::{Deserialize, Serialize};

use crate::baselines::Constant;
use crate::exam::{Exam, Sheet, Truth};
use crate::judge::Answered;
use crate::{Error, Result};

/// Longest piece of an answer in words that is kept, characters.
const SHOWN_CHARS: usize = 120;

/// What an answer turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// A number.
    Number,
    /// A letter.
    Option,
    /// Text.
    Text,
    /// "Not seen".
    NotSeen,
    /// Nothing that can be read.
    Unreadable,
    /// None: the model was not taught such questions.
    Unsupported,
}

/// One judged question. A line of an answers file; what a later version adds to it is passed over.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Judged {
    /// Name of the exam.
    pub exam: String,
    /// Where the frames are from.
    pub scene: String,
    /// Place in the exam.
    pub number: usize,
    /// What it counts for, such as `ego_distance`.
    pub group: String,
    /// The kind that the robot read it as.
    pub kind: QuestionKind,
    /// The question as it was put.
    pub question: String,
    /// The options of a multiple-choice question, `A` first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<String>,
    /// The true answer in words.
    pub truth: String,
    /// The true number, where it is one.
    pub true_value: Option<f64>,
    /// Whether "not seen" is right.
    pub is_absent: bool,
    /// The answer in words.
    pub answer: String,
    /// The number answered, where it is one.
    pub value: Option<f64>,
    /// What the answer is.
    pub form: Form,
    /// 0 to 1: mean relative accuracy of numbers, 1 or 0 of letters and of "not seen".
    pub score: f64,
    /// The same of the best constant answer to questions of the group.
    pub constant_score: f64,
    /// That constant in words.
    pub constant: String,
    /// The same of the model on black frames.
    pub blind_score: f64,
    /// What its answer is then.
    pub blind_form: Form,
    /// Agreement of the imagined map with the true one, 0 to 1; none where either is missing.
    pub map_score: Option<f64>,
    /// Probability that the model gave to "not seen"; none where its completion does not begin as trained.
    pub not_seen_probability: Option<f64>,
    /// The interval stated around the value.
    pub interval: Option<Interval>,
}

impl Judged {
    /// The true and the answered number, where both are numbers.
    pub fn numbers(&self) -> Option<(f64, f64)> {
        self.true_value.zip(self.value)
    }

    /// Whether the stated interval holds the truth; none without interval or without a number as truth.
    pub fn interval_holds(&self) -> Option<bool> {
        let (interval, truth) = self.interval.zip(self.true_value)?;
        Some((interval.lower..=interval.upper).contains(&truth))
    }
}

/// Judges the answers to an exam, with those of the same model on black frames.
pub fn judged(exam: &Exam, answers: &[Answered], on_black: &[Answered]) -> Vec<Judged> {
    let constants = Constant::by_group(answers.iter().map(|answer| &answer.item));
    let of_sheet = exam.sheets.iter().flat_map(|sheet| sheet.items.iter().map(move |_| sheet));
    let one = |(number, ((answer, black), sheet)): (usize, ((&Answered, &Answered), &Sheet))| {
        let Answered { item, outcome, .. } = answer;
        let constant = constants.get(item.group.as_str()).unwrap_or(&Constant::NotSeen);
        Judged {
            exam: exam.name.clone(),
            scene: sheet.scene.clone(),
            number,
            group: item.group.clone(),
            kind: answer.kind,
            question: item.text.clone(),
            options: item.options.clone(),
            truth: item.truth.in_words(),
            true_value: item.truth.number(),
            is_absent: item.truth == Truth::NotSeen,
            answer: in_words(answer),
            value: number_of(outcome),
            form: form(answer),
            score: answer.score(),
            constant_score: constant.score(item),
            constant: constant.in_words(),
            blind_score: black.score(),
            blind_form: form(black),
            map_score: agreement(answer, sheet.map.as_ref()),
            not_seen_probability: answer.not_seen_log_odds.map(|odds| 1.0 / (1.0 + (-odds).exp())),
            interval: answer.interval,
        }
    };
    answers.iter().zip(on_black).zip(of_sheet).enumerate().map(one).collect()
}

fn agreement(answer: &Answered, truth: Option<&ImaginedMap>) -> Option<f64> {
    Some(map_score(answer.map.as_ref()?, truth?, MapScoreSettings::default()))
}

fn number_of(outcome: &Outcome) -> Option<f64> {
    match outcome {
        Outcome::Number(value) => Some(*value),
        _ => None,
    }
}

fn form(answer: &Answered) -> Form {
    match &answer.outcome {
        _ if answer.is_unsupported => Form::Unsupported,
        Outcome::Number(_) => Form::Number,
        Outcome::Option(_) => Form::Option,
        Outcome::Text => Form::Text,
        Outcome::NotSeen => Form::NotSeen,
        Outcome::Unreadable => Form::Unreadable,
    }
}

fn in_words(answer: &Answered) -> String {
    match &answer.outcome {
        Outcome::Number(value) => format!("{value:.2}"),
        Outcome::NotSeen => NOT_SEEN.to_owned(),
        Outcome::Option(letter) => letter.to_string(),
        Outcome::Text | Outcome::Unreadable => answer.answer_text.chars().take(SHOWN_CHARS).collect(),
    }
}

/// Writes an answers file, JSON lines.
///
/// # Errors
/// [`Error::File`].
pub fn write_answers(path: &Path, answers: &[Judged]) -> Result<()> {
    let failed = |error: &dyn std::fmt::Display| Error::file(path, "a writable file", error);
    let mut text = String::new();
    for answer in answers {
        text.push_str(&serde_json::to_string(answer).map_err(|error| failed(&error))?);
        text.push('\n');
    }
    std::fs::write(path, text).map_err(|error| failed(&error))
}

/// Reads an answers file.
///
/// # Errors
/// [`Error::File`] with the line that is none.
pub fn read_answers(path: &Path) -> Result<Vec<Judged>> {
    let text = std::fs::read_to_string(path).map_err(|error| Error::file(path, "a readable file", error))?;
    let line = |(index, line): (usize, &str)| {
        let expected = "a judged question on each line, as `spacer-train evaluate --answers-file` writes them";
        serde_json::from_str(line).map_err(|error| Error::file(path, expected, format!("line {}: {error}", index + 1)))
    };
    let answers: Vec<Judged> = text
        .trim_start_matches('\u{feff}')
        .lines()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty())
        .map(line)
        .collect::<Result<_>>()?;
    if answers.is_empty() {
        return Err(Error::file(path, "answers, as `spacer-train evaluate --answers-file` writes them", "none"));
    }
    Ok(answers)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A wrong answer to a question about an object that is there.
    pub(crate) fn answer(number: usize, group: &str) -> Judged {
        Judged {
            exam: "walks heldout".to_owned(),
            scene: "walk 1".to_owned(),
            number,
            group: group.to_owned(),
            kind: QuestionKind::EgoDistance,
            question: "how far is the sofa?".to_owned(),
            options: Vec::new(),
            truth: "1.00".to_owned(),
            true_value: Some(1.0),
            is_absent: false,
            answer: "3.00".to_owned(),
            value: Some(3.0),
            form: Form::Number,
            score: 0.0,
            constant_score: 0.0,
            constant: "2.00".to_owned(),
            blind_score: 0.0,
            blind_form: Form::NotSeen,
            map_score: None,
            not_seen_probability: None,
            interval: None,
        }
    }

    #[test]
    fn an_answers_file_comes_back_and_a_broken_line_is_named() {
        let scratch = tempfile::tempdir().unwrap();
        let path = scratch.path().join("answers.jsonl");
        let interval = Some(Interval { lower: 2.0, upper: 4.0, coverage: 0.9 });
        let answers = vec![answer(0, "ego_distance"), Judged { interval, ..answer(1, "ego_distance") }];
        write_answers(&path, &answers).unwrap();
        assert_eq!(read_answers(&path).unwrap(), answers);
        assert_eq!(answers[1].interval_holds(), Some(false));
        // As an editor of another system, or a later version, leaves it.
        let text =
            std::fs::read_to_string(&path).unwrap().replace('\n', "\r\n").replace("{\"exam", "{\"new\":1,\"exam");
        std::fs::write(&path, format!("\u{feff}{text}\r\n")).unwrap();
        assert_eq!(read_answers(&path).unwrap(), answers);
        std::fs::write(&path, "\n").unwrap();
        assert!(read_answers(&path).unwrap_err().to_string().contains("found none"));
        std::fs::write(&path, "{\"number\": 1}\n").unwrap();
        assert!(read_answers(&path).unwrap_err().to_string().contains("line 1"));
    }
}
