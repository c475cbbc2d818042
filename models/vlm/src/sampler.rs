//! From logits to the next token. Pure functions over one row of logits, and a
//! [`Sampler`] that adds the seeded generator.
//!
//! Order as in transformers: temperature, then top-k, then top-p. Ties go to the
//! lower token id, so that a choice never depends on the sort. Probabilities are
//! f64: 151k f32 terms would lose the tail.

use std::borrow::Cow;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use crate::error::{Error, Result};
use crate::softmax::{largest, log_prob};

/// How the next token is chosen.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Sampling {
    /// The most probable token.
    #[default]
    Greedy,
    /// Nucleus sampling.
    TopP {
        /// Divides the logits; > 0.
        temperature: f32,
        /// Smallest set of tokens with at least this probability is kept; in (0, 1], 1 keeps all.
        top_p: f32,
        /// Only the `top_k` most probable are kept; 0 keeps all.
        top_k: usize,
        /// Same seed, same logits: same tokens.
        seed: u64,
    },
}

impl Sampling {
    /// Checks the ranges.
    ///
    /// # Errors
    /// [`Error::Setting`] with the allowed range.
    pub fn validate(&self) -> Result<()> {
        let Self::TopP { temperature, top_p, .. } = *self else { return Ok(()) };
        if !(temperature > 0.0 && temperature.is_finite()) {
            return Err(Error::Setting {
                name: "temperature",
                expected: "a finite number > 0",
                found: temperature.to_string(),
            });
        }
        if !(top_p > 0.0 && top_p <= 1.0) {
            return Err(Error::Setting { name: "top_p", expected: "a number in (0, 1]", found: top_p.to_string() });
        }
        Ok(())
    }

    /// The sampling of sample `index` of one question: the same with the seed `index` further, so that sample 0 is the
    /// one decoded without samples.
    #[must_use]
    pub fn of_sample(&self, index: usize) -> Self {
        let mut sampling = self.clone();
        if let Self::TopP { seed, .. } = &mut sampling {
            *seed = seed.wrapping_add(index as u64);
        }
        sampling
    }
}

/// A chosen token with the model's own log-probability of it (before temperature, top-k and top-p).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Choice {
    /// Token id.
    pub id: u32,
    /// Natural logarithm of its softmax probability.
    pub logprob: f32,
}

/// [`Sampling`] with its generator; one per completion.
#[derive(Debug, Clone)]
pub struct Sampler {
    sampling: Sampling,
    rng: ChaCha8Rng,
}

impl Sampler {
    /// A sampler at the start of its seed's sequence.
    ///
    /// # Errors
    /// [`Error::Setting`] for a range.
    pub fn new(sampling: &Sampling) -> Result<Self> {
        sampling.validate()?;
        let seed = if let Sampling::TopP { seed, .. } = *sampling { seed } else { 0 };
        Ok(Self { sampling: sampling.clone(), rng: ChaCha8Rng::seed_from_u64(seed) })
    }

    /// Chooses from `logits` \[vocab\] after adding `bias`, (token, value) each; −∞ bans a token.
    ///
    /// # Errors
    /// [`Error::NonFinite`] when a logit is NaN or +∞, or none is finite. (−∞ is a masked token.)
    pub fn choose(&mut self, logits: &[f32], bias: &[(u32, f32)]) -> Result<Choice> {
        let id = match self.undisturbed(logits, bias)? {
            Some(id) => id,
            None => self.pick(&biased(logits, bias))?,
        };
        Ok(Choice { id, logprob: log_prob(logits, id) as f32 })
    }

    /// The greedy choice where `bias` lowers others only, which spares a copy of the logits.
    fn undisturbed(&self, logits: &[f32], bias: &[(u32, f32)]) -> Result<Option<u32>> {
        let lowers = bias.iter().all(|(_, value)| *value <= 0.0);
        if self.sampling != Sampling::Greedy || !lowers {
            return Ok(None);
        }
        let best = argmax(logits)?;
        Ok(Some(best).filter(|best| bias.iter().all(|(id, _)| id != best)))
    }

    /// Chooses from logits \[vocab\] in which what may not come is −∞.
    pub(crate) fn pick(&mut self, allowed: &[f32]) -> Result<u32> {
        let best = argmax(allowed)?;
        Ok(match self.sampling {
            Sampling::Greedy => best,
            Sampling::TopP { temperature, top_p, top_k, .. } => {
                let candidates = nucleus(allowed, temperature, top_k, top_p);
                draw(&candidates, unit_interval(self.rng.next_u64()))
            }
        })
    }
}

/// `logits` \[vocab\] with `bias`, (token, value) each, added; ids past the vocabulary are passed over.
pub(crate) fn biased<'a>(logits: &'a [f32], bias: &[(u32, f32)]) -> Cow<'a, [f32]> {
    let mut allowed = Cow::from(logits);
    for &(id, value) in bias.iter().filter(|(id, _)| (*id as usize) < logits.len()) {
        allowed.to_mut()[id as usize] += value;
    }
    allowed
}

/// Index of the largest logit, the lowest index on ties.
///
/// # Errors
/// [`Error::NonFinite`] as for [`Sampler::choose`].
pub fn argmax(logits: &[f32]) -> Result<u32> {
    let Some(top) = largest(logits) else {
        let bad = logits.iter().enumerate().find(|(_, value)| value.is_nan() || **value == f32::INFINITY);
        let found = bad.map_or_else(|| "none".to_owned(), |(id, value)| format!("{value} at token {id}"));
        return Err(Error::NonFinite { found });
    };
    let best = logits.iter().position(|value| *value == top).filter(|_| top > f32::NEG_INFINITY);
    best.map(|id| id as u32).ok_or_else(|| Error::NonFinite { found: format!("no finite value in {}", logits.len()) })
}

/// The tokens that top-k and top-p keep, most probable first, with probabilities
/// that are normalised over what top-k kept (transformers' order), not yet over the nucleus.
pub fn nucleus(logits: &[f32], temperature: f32, top_k: usize, top_p: f32) -> Vec<(u32, f64)> {
    let top = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let weight = |value: f32| (f64::from(value - top) / f64::from(temperature)).exp();
    let mut kept: Vec<(u32, f64)> = logits.iter().enumerate().map(|(id, &value)| (id as u32, weight(value))).collect();
    let order = |a: &(u32, f64), b: &(u32, f64)| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0));
    if top_k > 0 && top_k < kept.len() {
        kept.select_nth_unstable_by(top_k - 1, order);
        kept.truncate(top_k);
    }
    kept.sort_unstable_by_key(|&(id, _)| id);
    let total: f64 = kept.iter().map(|&(_, weight)| weight).sum();
    // All tokens below this share weigh less than 1 − top_p together, so none is in the nucleus.
    let floor = (1.0 - f64::from(top_p)) / kept.len() as f64 * total;
    kept.retain(|&(_, weight)| weight >= floor && weight > 0.0);
    kept.sort_unstable_by(order);
    let mut cumulated = 0.0;
    let reaches = kept.iter().position(|&(_, weight)| {
        cumulated += weight / total;
        cumulated >= f64::from(top_p)
    });
    kept.truncate(reaches.map_or(kept.len(), |index| index + 1));
    kept.iter_mut().for_each(|(_, weight)| *weight /= total);
    kept
}

/// The candidate at `unit` ∈ [0, 1) of the candidates' total probability.
pub fn draw(candidates: &[(u32, f64)], unit: f64) -> u32 {
    let total: f64 = candidates.iter().map(|&(_, probability)| probability).sum();
    let mut left = unit * total;
    for &(id, probability) in candidates {
        if left < probability {
            return id;
        }
        left -= probability;
    }
    candidates.last().map_or(0, |&(id, _)| id)
}

/// The 53 high bits as a fraction in [0, 1).
fn unit_interval(bits: u64) -> f64 {
    (bits >> 11) as f64 * (1.0 / (1u64 << 53) as f64)
}

#[cfg(test)]
mod tests {
    use std::f32::consts::LN_2;

    use super::*;

    /// Probabilities .5 .25 .125 .125 in a shuffled order.
    const LOGITS: [f32; 4] = [0.0, 2.0 * LN_2, LN_2, 0.0];

    fn ids(candidates: &[(u32, f64)]) -> Vec<u32> {
        candidates.iter().map(|&(id, _)| id).collect()
    }

    #[test]
    fn argmax_takes_the_first_of_equals_and_skips_masked() {
        assert_eq!(argmax(&[f32::NEG_INFINITY, 2.0, 5.0, 5.0]).unwrap(), 2);
    }

    #[test]
    fn nan_infinity_and_all_masked_are_refused() {
        assert!(argmax(&[0.0, f32::NAN]).unwrap_err().to_string().contains("NaN at token 1"));
        assert!(argmax(&[f32::INFINITY]).is_err());
        assert!(argmax(&[f32::NEG_INFINITY]).is_err());
        assert!(argmax(&[]).is_err());
    }

    #[test]
    fn a_bias_moves_the_choice_and_not_the_logprob() {
        let mut sampler = Sampler::new(&Sampling::Greedy).unwrap();
        let choice = sampler.choose(&LOGITS, &[(1, f32::NEG_INFINITY), (900, 1.0)]).unwrap();
        assert_eq!(choice.id, 2);
        assert!((choice.logprob - 0.25f32.ln()).abs() < 1e-6);
        assert_eq!(sampler.choose(&LOGITS, &[(3, 2.1 * LN_2)]).unwrap().id, 3);
        assert_eq!(sampler.choose(&LOGITS, &[(3, 1.9 * LN_2)]).unwrap().id, 1);
    }

    #[test]
    fn log_prob_by_hand() {
        assert!((log_prob(&LOGITS, 1) - 0.5f64.ln()).abs() < 1e-6);
        assert!((log_prob(&LOGITS, 3) - 0.125f64.ln()).abs() < 1e-6);
    }

    #[test]
    fn top_p_keeps_the_smallest_set_that_reaches_it() {
        assert_eq!(ids(&nucleus(&LOGITS, 1.0, 0, 0.4)), [1]);
        assert_eq!(ids(&nucleus(&LOGITS, 1.0, 0, 0.6)), [1, 2]);
        assert_eq!(ids(&nucleus(&LOGITS, 1.0, 0, 0.8)), [1, 2, 0]);
        assert_eq!(ids(&nucleus(&LOGITS, 1.0, 0, 1.0)), [1, 2, 0, 3]);
    }

    #[test]
    fn top_k_is_applied_before_top_p_and_renormalises() {
        // Of the two kept, the first has 2/3: enough for .6, where alone it has 1/2.
        let kept = nucleus(&LOGITS, 1.0, 2, 0.6);
        assert_eq!(ids(&kept), [1]);
        assert!((kept[0].1 - 2.0 / 3.0).abs() < 1e-6);
    }

    #[test]
    fn temperature_sharpens() {
        // At ½ the weights are squared: 16 : 4 : 1 : 1 of 22.
        let kept = nucleus(&LOGITS, 0.5, 0, 1.0);
        assert!((kept[0].1 - 16.0 / 22.0).abs() < 1e-6);
    }

    #[test]
    fn draw_walks_the_cumulated_probability() {
        let candidates = [(7, 0.5), (3, 0.25)];
        assert_eq!(draw(&candidates, 0.0), 7);
        assert_eq!(draw(&candidates, 0.66), 7);
        assert_eq!(draw(&candidates, 0.67), 3);
        assert_eq!(draw(&candidates, 0.999_999), 3);
    }

    #[test]
    fn a_seed_repeats_and_frequencies_match() {
        let sampling = |seed| Sampling::TopP { temperature: 1.0, top_p: 1.0, top_k: 0, seed };
        let run = |seed| {
            let mut sampler = Sampler::new(&sampling(seed)).unwrap();
            (0..4000).map(|_| sampler.choose(&LOGITS, &[]).unwrap().id).collect::<Vec<_>>()
        };
        let ids = run(5);
        assert_eq!(ids, run(5));
        assert_ne!(ids, run(6));
        let share = ids.iter().filter(|&&id| id == 1).count() as f64 / 4000.0;
        assert!((share - 0.5).abs() < 0.03, "{share}");
    }

    #[test]
    fn ranges_are_checked() {
        let bad = Sampling::TopP { temperature: 0.0, top_p: 1.0, top_k: 0, seed: 0 };
        assert!(Sampler::new(&bad).unwrap_err().to_string().contains("temperature: expected a finite number > 0"));
        assert!(Sampling::TopP { temperature: 1.0, top_p: 1.5, top_k: 0, seed: 0 }.validate().is_err());
    }
}
