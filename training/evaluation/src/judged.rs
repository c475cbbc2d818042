//! One judged question in a form that outlives the exam: what reports, pages and gates are made of.

use std::path::Path;

use grounding::{Outcome, parse_completion};
use msgs::ImaginedMap;
use scoring::{MapScoreSettings, map_score, numeric_accuracy};
use serde::{Deserialize, Serialize};
use sim::questions::Truth;

use crate::baselines::best_constant;
use crate::exam::Group;
use crate::judge::Answered;
use crate::{Error, Result};

/// One judged question. A line of an answers file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Judged {
    /// Place in the exam.
    pub number: usize,
    /// What it counts for, such as `ego_distance`.
    pub group: String,
    /// The question as it was put.
    pub question: String,
    /// The true answer in words.
    pub truth: String,
    /// The answer in words.
    pub answer: String,
    /// 0 to 1: mean relative accuracy of numbers, 1 or 0 for the rest.
    pub score: f64,
    /// The same of the best constant answer to questions of the group.
    pub constant_score: f64,
    /// The same of the model on black frames.
    pub blind_score: f64,
    /// Agreement of the imagined map with the true one, 0 to 1; none where no map was drawn.
    pub map_score: Option<f64>,
    /// Probability that the model gave to "not seen"; none where its completion does not begin as trained.
    pub not_seen_probability: Option<f64>,
    /// Whether "not seen" is right.
    pub is_absent: bool,
    /// Whether the stated interval holds the truth; none without interval.
    pub interval_holds: Option<bool>,
}

/// Judges the answers to an exam, with those of the same model on black frames and the true map of each.
pub fn judged(answers: &[Answered], on_black: &[Answered], maps: &[&ImaginedMap]) -> Vec<Judged> {
    let constants = Group::ALL.map(|group| constant(group, answers));
    let with_black = answers.iter().zip(on_black).zip(maps);
    with_black.enumerate().map(|(number, ((answer, black), map))| one(number, answer, black, map, &constants)).collect()
}

fn one(
    number: usize,
    answer: &Answered,
    black: &Answered,
    map: &ImaginedMap,
    constants: &[Outcome; Group::ALL.len()],
) -> Judged {
    let truth = truth(answer);
    let drawn = parse_completion(&answer.completion, answer.item.question.kind).map_text;
    let drawn = drawn.and_then(|text| imagined_map::parse(&text));
    Judged {
        number,
        group: answer.item.group.name().to_owned(),
        question: answer.item.text.clone(),
        truth: truth.map_or_else(|| "not seen".to_owned(), |number| format!("{number:.2}")),
        answer: in_words(&answer.outcome),
        score: numeric_accuracy(&answer.outcome, truth),
        constant_score: numeric_accuracy(&constants[answer.item.group as usize], truth),
        blind_score: numeric_accuracy(&black.outcome, truth),
        map_score: drawn.map(|drawn| map_score(&drawn, map, MapScoreSettings::default())),
        not_seen_probability: answer.not_seen_log_odds.map(|odds| 1.0 / (1.0 + (-odds).exp())),
        is_absent: truth.is_none(),
        interval_holds: answer
            .interval
            .zip(truth)
            .map(|(interval, truth)| (interval.lower..=interval.upper).contains(&truth)),
    }
}

/// The best answer to all questions of `group` alike.
fn constant(group: Group, answers: &[Answered]) -> Outcome {
    let asked = answers.iter().filter(|answer| answer.item.group == group);
    let truths: Vec<f64> = asked.filter_map(truth).collect();
    best_constant(&truths).map_or(Outcome::NotSeen, |(constant, _)| Outcome::Number(constant))
}

fn truth(answer: &Answered) -> Option<f64> {
    match answer.item.question.truth {
        Truth::Number(value) => Some(value),
        Truth::NotSeen => None,
    }
}

fn in_words(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Number(value) => format!("{value:.2}"),
        Outcome::NotSeen => "not seen".to_owned(),
        Outcome::Option(letter) => letter.to_string(),
        Outcome::Text => "text".to_owned(),
        Outcome::Unreadable => "unreadable".to_owned(),
    }
}

/// Writes an answers file, JSON lines.
///
/// # Errors
/// [`Error::File`].
pub fn write_answers(path: &Path, answers: &[Judged]) -> Result<()> {
    let lines: Vec<String> = answers.iter().filter_map(|answer| serde_json::to_string(answer).ok()).collect();
    std::fs::write(path, lines.join("\n") + "\n").map_err(|error| Error::file(path, "a writable file", error))
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
    text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()).map(line).collect()
}
