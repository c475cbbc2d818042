//! One line of questions.

use std::path::Path;

use msgs::QuestionKind;
use serde_json::Value;

use crate::Result;
use crate::completion::NOT_SEEN;
use crate::episode::{Label, LabelSource, ProblemType, Question};
use crate::json_lines::Record;
use crate::number_label::number;
use crate::options::{self, MOST_OPTIONS};

/// What the line is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DataType {
    Video,
    Image,
}

/// A line, read.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct SpacerRecord {
    pub question: Question,
    pub path: String,
    pub data_type: DataType,
    pub data_source: String,
}

impl SpacerRecord {
    pub fn read(record: &Record) -> Result<Self> {
        let options = record.texts("options")?;
        let problem_type = problem_type(record)?;
        if problem_type == ProblemType::MultipleChoice && options.is_empty() {
            return Err(record.refuse("options", "options of a multiple choice"));
        }
        if options.len() > MOST_OPTIONS {
            return Err(record.refuse("options", &format!("at most {MOST_OPTIONS}, one for each letter")));
        }
        let solution = solution(record)?;
        let solution = match problem_type {
            ProblemType::MultipleChoice if solution != NOT_SEEN => letter(record, &options, &solution)?.to_string(),
            ProblemType::Numerical | ProblemType::Regression if solution != NOT_SEEN => {
                let number = number(&solution).ok_or_else(|| record.refuse("solution", "one number"))?;
                if solution.parse::<f64>().is_ok() { solution } else { number.to_string() }
            }
            _ => solution,
        };
        let source = match record.get("label_source") {
            Some(source) => serde_json::from_value(source.clone())
                .map_err(|_| record.refuse("label_source", "nothing, or who vouches for the solution"))?,
            None => LabelSource::Dataset,
        };
        // VSI-Bench's own names are ours; a type of another set says nothing.
        let kind = record.get("question_type").and_then(Value::as_str).and_then(QuestionKind::from_name);
        let question = Question {
            id: id(record)?,
            kind: kind.map(QuestionKind::name).unwrap_or_default().to_owned(),
            text: record.text("problem")?.to_owned(),
            options,
            problem_type,
            label: Some(Label::new(solution, source)),
            ..Question::default()
        };
        let data_type = match record.text("data_type")? {
            "video" => DataType::Video,
            "image" => DataType::Image,
            _ => return Err(record.refuse("data_type", "\"video\" or \"image\"")),
        };
        let path = record.text("path")?.to_owned();
        if stem(&path).is_empty() {
            return Err(record.refuse("path", "a file"));
        }
        Ok(Self { question, path, data_type, data_source: record.text("data_source")?.to_owned() })
    }
}

/// The id of a video: the stem of its file.
pub(super) fn stem(path: &str) -> String {
    Path::new(path).file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

fn id(record: &Record) -> Result<String> {
    match record.get("problem_id") {
        Some(Value::String(id)) => Ok(id.clone()),
        Some(Value::Number(id)) => Ok(id.to_string()),
        _ => Err(record.refuse("problem_id", "an id, a whole number or a text")),
    }
}

fn problem_type(record: &Record) -> Result<ProblemType> {
    const EXPECTED: &str = "\"multiple choice\", \"numerical\", \"regression\", \"OCR\" or \"free-form\"";
    let value = record.get("problem_type").cloned().unwrap_or_default();
    serde_json::from_value(value).map_err(|_| record.refuse("problem_type", EXPECTED))
}

/// What stands between the tags of `solution`, or all of it where it has none.
fn solution(record: &Record) -> Result<String> {
    let refuse = || record.refuse("solution", "<answer>…</answer>, or the answer alone");
    let text = match record.get("solution") {
        Some(Value::Number(number)) => return Ok(number.to_string()),
        Some(Value::String(text)) => text,
        _ => return Err(refuse()),
    };
    let inner = match text.split_once("<answer>") {
        Some((_, rest)) => rest.split_once("</answer>").map(|(answer, _)| answer),
        None => Some(text.as_str()).filter(|text| !text.contains('<')),
    };
    let inner = inner.map(str::trim).filter(|answer| !answer.is_empty());
    inner.map(str::to_owned).ok_or_else(refuse)
}

/// The letter of the option that a solution chooses.
fn letter(record: &Record, options: &[String], solution: &str) -> Result<char> {
    let texts = options::texts(options)
        .map_err(|_| record.refuse("options", "options behind the letters A, B, … in order, or behind none"))?;
    options::chosen(solution, &texts)
        .ok_or_else(|| record.refuse("solution", &format!("a letter of {} options, or one of them", options.len())))
}
