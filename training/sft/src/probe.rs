//! A quick look at a model while it trains: what it would write next, given the true text so far.

use candle_core::D;
use episodes::{Label, Part, Split};
use serde::Serialize;
use sim::questions::angle::off_deg;

use crate::Result;
use crate::loss::cross_entropy;
use crate::trainer::Trainer;

/// Clips whose rows are padded to one length and looked at together; masks grow with the square of it.
const CLIPS_AT_ONCE: usize = 8;

/// Teacher-forced scores over some clips.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct ProbeReport {
    /// Weighted cross-entropy of tokens per question: what early stop goes by.
    pub loss: f64,
    /// Median of |predicted − true| / true over measured numbers.
    pub median_relative_error: f64,
    /// Numbers judged.
    pub numbers: usize,
    /// Median of |predicted − true| over the coordinates of what answers rest on, metres.
    pub median_place_error_m: f64,
    /// Share of right counts and right tokens in the words of choices.
    pub value_accuracy: f64,
    /// Share of right tokens within `<answer>`.
    pub answer_accuracy: f64,
    /// Median of |predicted − true| over the headings and turns of drills, degrees.
    pub median_heading_error_deg: f64,
    /// Share of right tokens in the words and letters of drills.
    pub drill_accuracy: f64,
    /// Share of present objects said to be absent.
    pub false_not_seen: f64,
    /// Share of absent objects said to be absent.
    pub true_not_seen: f64,
}

/// Judges `count` clips of `split` from index `first` on. `absent_word`: the token that begins "do not see".
///
/// # Errors
/// When a sample can't be made.
pub fn probe(trainer: &Trainer, split: Split, first: u64, count: u64, absent_word: u32) -> Result<ProbeReport> {
    let (mut labelled, mut loss, mut questions) = (Vec::new(), 0.0, 0);
    for start in (first..first + count).step_by(CLIPS_AT_ONCE) {
        let (logits, batch) = trainer.probe(split, start, (first + count - start).min(CLIPS_AT_ONCE as u64))?;
        loss += f64::from(cross_entropy(&logits, &batch.targets, 1.0)?.to_scalar::<f32>()?);
        questions += batch.questions;
        labelled.extend(batch.labels.into_iter().zip(logits.argmax(D::Minus1)?.to_vec1::<u32>()?));
    }
    let (mut errors, mut place_errors, mut heading_errors) = (Vec::new(), Vec::new(), Vec::new());
    let (mut values, mut answers) = (Tally::default(), Tally::default());
    let (mut present, mut absent, mut drills) = (Tally::default(), Tally::default(), Tally::default());
    for (label, found) in labelled {
        match (label.part, label.label) {
            (Part::Value, Label::Number(unit, truth)) => {
                let tokens = trainer.number_tokens(unit);
                let place = tokens.and_then(|tokens| tokens.ids.iter().position(|id| *id == found));
                let value = tokens.zip(place).map_or(0.0, |(tokens, at)| tokens.values[at]);
                errors.push((value - truth).abs() / truth);
            }
            (_, Label::Coordinate(truth)) => {
                let said = trainer.coordinate_tokens().iter().find(|(id, _)| *id == found);
                place_errors.push(said.map_or(f64::INFINITY, |(_, metres)| (metres - truth.metres).abs()));
            }
            (Part::Drill, Label::Heading(truth)) => {
                let said = trainer.heading_tokens().iter().find(|(id, _)| *id == found);
                heading_errors.push(said.map_or(180.0, |(_, degrees)| off_deg(*degrees, truth).abs()));
            }
            (Part::Value, Label::Token(id)) => values.add(id == found),
            (Part::Answer, Label::Token(id)) => answers.add(id == found),
            (Part::Drill, Label::Token(id)) => drills.add(id == found),
            (Part::Presence, Label::Token(id)) if id == absent_word => absent.add(found == absent_word),
            (Part::Presence, _) => present.add(found == absent_word),
            _ => {}
        }
    }
    Ok(ProbeReport {
        loss: loss / questions.max(1) as f64,
        numbers: errors.len(),
        median_relative_error: median(errors),
        median_place_error_m: median(place_errors),
        value_accuracy: values.share(),
        answer_accuracy: answers.share(),
        median_heading_error_deg: median(heading_errors),
        drill_accuracy: drills.share(),
        false_not_seen: present.share(),
        true_not_seen: absent.share(),
    })
}

/// NaN of nothing.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

#[derive(Default)]
struct Tally {
    hits: usize,
    total: usize,
}

impl Tally {
    fn add(&mut self, hit: bool) {
        self.hits += usize::from(hit);
        self.total += 1;
    }

    fn share(&self) -> f64 {
        self.hits as f64 / self.total.max(1) as f64
    }
}
