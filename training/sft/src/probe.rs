//! A quick look at a model while it trains: what it would write next, given the true text so far.

use candle_core::D;
use episodes::{Label, Part, Split};
use serde::Serialize;

use crate::Result;
use crate::loss::cross_entropy;
use crate::trainer::Trainer;

/// Teacher-forced scores over some clips.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct ProbeReport {
    /// Weighted cross-entropy of tokens per question: what early stop goes by.
    pub loss: f64,
    /// Median of |predicted − true| / true over distances.
    pub median_relative_error: f64,
    /// Distances judged.
    pub distances: usize,
    /// Share of right counts.
    pub count_accuracy: f64,
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
    let (logits, batch) = trainer.probe(split, first, count)?;
    let loss = cross_entropy(&logits, &batch.targets, batch.questions as f32)?.to_scalar::<f32>()?;
    let best: Vec<u32> = logits.argmax(D::Minus1)?.to_vec1()?;
    let mut errors = Vec::new();
    let (mut counts, mut present, mut absent) = (Tally::default(), Tally::default(), Tally::default());
    for (label, found) in batch.labels.iter().zip(best) {
        match (label.part, label.label) {
            (Part::Number, Label::Distance(metres)) => {
                let tokens = trainer.distance_tokens();
                let value = tokens.ids.iter().position(|id| *id == found).map_or(0.0, |i| tokens.values[i]);
                errors.push((value - metres).abs() / metres);
            }
            (Part::Number, Label::Token(id)) => counts.add(id == found),
            (Part::Presence, Label::Token(id)) if id == absent_word => absent.add(found == absent_word),
            (Part::Presence, _) => present.add(found == absent_word),
            _ => {}
        }
    }
    errors.sort_by(f64::total_cmp);
    Ok(ProbeReport {
        loss: f64::from(loss),
        median_relative_error: errors.get(errors.len() / 2).copied().unwrap_or(f64::NAN),
        distances: errors.len(),
        count_accuracy: counts.share(),
        false_not_seen: present.share(),
        true_not_seen: absent.share(),
    })
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
