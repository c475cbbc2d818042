//! Asks a model every question of an exam.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use episodes::completion::{ABSENT_WORD, PRESENCE_PREFIX};
use frame_ring::Window;
use grounding::{Outcome, ParsedQuestion, parse_completion, told};
use msgs::{ImaginedMap, Interval, QuestionKind};
use perception::{Answerer, Completion, Request, View, read_query};

use crate::exam::{Item, Sheet};
use crate::{Error, Result};

/// How long an answer may be, and may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Longest completion, tokens.
    pub max_new_tokens: usize,
    /// Longest time for one answer.
    pub patience: Duration,
}

impl Default for Limits {
    /// 512 tokens, as the robot's default, in two minutes.
    fn default() -> Self {
        Self { max_new_tokens: 512, patience: Duration::from_secs(120) }
    }
}

/// Time between an exam and its repetition on black frames: 100 days.
const BLACK_NANOS: i64 = 100 * 86_400 * 1_000_000_000;

/// One answered question.
#[derive(Clone, Debug)]
pub struct Answered {
    /// The question.
    pub item: Item,
    /// The kind that the robot read it as.
    pub kind: QuestionKind,
    /// What the robot told: [`Outcome::Unreadable`] where it was asked for what it was not taught.
    pub outcome: Outcome,
    /// Whether the model was not taught such questions, so that it was not asked.
    pub is_unsupported: bool,
    /// The text that it read it from.
    pub answer_text: String,
    /// The map that the model imagined.
    pub map: Option<ImaginedMap>,
    /// The calibrated interval around a number.
    pub interval: Option<Interval>,
    /// The whole completion.
    pub completion: String,
    /// Log-odds that the model gave to "not seen"; `None` where the completion does not begin as trained.
    pub not_seen_log_odds: Option<f64>,
}

impl Answered {
    /// Accuracy in 0..=1; what is not answered has none.
    pub fn score(&self) -> f64 {
        if self.is_unsupported { 0.0 } else { self.item.truth.score(&self.outcome, &self.answer_text) }
    }
}

/// What the model is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sight {
    /// The frames.
    Frames,
    /// Black frames of the same size: whatever is right then was guessed from words.
    Black,
}

/// Answers every question of `sheets`; `on_answer` is called after each.
///
/// # Errors
/// When the robot would refuse a question, or a step of the model fails.
pub fn judge(
    answerer: &mut dyn Answerer,
    sheets: &[Sheet],
    (sight, limits): (Sight, Limits),
    on_answer: &mut dyn FnMut(),
) -> Result<Vec<Answered>> {
    let mut answers = Vec::new();
    for sheet in sheets {
        let black = (sight == Sight::Black).then(|| black(&sheet.window));
        for item in &sheet.items {
            answers.push(ask(answerer, (sheet, black.as_ref().unwrap_or(&sheet.window)), item, limits)?);
            on_answer();
        }
    }
    Ok(answers)
}

fn ask(
    answerer: &mut dyn Answerer,
    (sheet, window): (&Sheet, &Window),
    item: &Item,
    limits: Limits,
) -> Result<Answered> {
    let refused = |source| Error::Query { question: item.text.clone(), source };
    let question = read_query(&item.query()).map_err(refused)?;
    if let Some(text) = answerer.unsupported(&question) {
        return Ok(Answered { is_unsupported: true, answer_text: text, ..nothing(item, &question) });
    }
    let request = Request {
        view: View { window, embeds: &[], frame_rate_hz: sheet.frame_rate_hz, facts: sheet.facts },
        question: &question,
        deadline: Instant::now() + limits.patience,
        cancel: Arc::new(AtomicBool::new(false)),
        max_new_tokens: limits.max_new_tokens,
    };
    let completion = answerer.answer(&request, &mut |_| {})?;
    let not_seen_log_odds = not_seen_log_odds(&completion);
    let completion = completion.text;
    let parsed = parse_completion(&completion, question.kind);
    let outcome = told(&parsed, &question);
    let interval = match outcome {
        Outcome::Number(value) => answerer.interval(question.kind, value),
        _ => None,
    };
    Ok(Answered {
        outcome,
        answer_text: parsed.answer_text,
        map: parsed.map_text.and_then(|text| imagined_map::parse(&text)),
        interval,
        completion,
        not_seen_log_odds,
        ..nothing(item, &question)
    })
}

/// No answer.
fn nothing(item: &Item, question: &ParsedQuestion) -> Answered {
    Answered {
        item: item.clone(),
        kind: question.kind,
        outcome: Outcome::Unreadable,
        is_unsupported: false,
        answer_text: String::new(),
        map: None,
        interval: None,
        completion: String::new(),
        not_seen_log_odds: None,
    }
}

/// Read off the one token that decides it: behind `<think>I` stands " see" or [`ABSENT_WORD`].
fn not_seen_log_odds(completion: &Completion) -> Option<f64> {
    let start = PRESENCE_PREFIX.len();
    let text = completion.text.strip_prefix(PRESENCE_PREFIX)?;
    let before = completion.token_ends.iter().position(|(end, _)| *end == start)?;
    let (end, logprob) = completion.token_ends.get(before + 1)?;
    let odds = f64::from(*logprob) - (-f64::from(*logprob).exp()).ln_1p();
    Some(if text.get(..end - start)? == ABSENT_WORD { odds } else { -odds })
}

/// The same stamps shifted, so that no cache takes the window for the one with pictures.
fn black(window: &Window) -> Window {
    let mut window = window.clone();
    for frame in &mut window.frames {
        frame.rgb.fill(0);
        frame.stamp_nanos += BLACK_NANOS;
        frame.received_at_nanos += BLACK_NANOS;
    }
    window
}
