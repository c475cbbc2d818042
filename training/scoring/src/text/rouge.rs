//! ROUGE F-measures (Lin 2004, <https://aclanthology.org/W04-1013>), tokenised as Google's `rouge_score` does: lower case,
//! runs of ASCII letters and digits, words of more than three letters stemmed ([`super::porter`]). So a text of other scripts
//! has no words, and scores 0.

use std::collections::HashMap;
use std::hash::Hash;

use super::{MAX_WORDS, porter};

/// F-measures in 0..=1.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Rouge {
    /// Of single words.
    pub one: f64,
    /// Of pairs of neighbouring words.
    pub two: f64,
    /// Of the longest common subsequence.
    pub longest: f64,
}

impl Rouge {
    /// The mean of the three.
    #[must_use]
    pub fn mean(&self) -> f64 {
        (self.one + self.two + self.longest) / 3.0
    }
}

/// ROUGE-1, ROUGE-2 and ROUGE-L of `prediction` against `target`.
#[must_use]
pub fn rouge(prediction: &str, target: &str) -> Rouge {
    let (prediction, target) = (words(prediction), words(target));
    let pairs = |words: &[String]| words.windows(2).map(<[String]>::to_vec).collect::<Vec<_>>();
    Rouge {
        one: overlap(&prediction, &target),
        two: overlap(&pairs(&prediction), &pairs(&target)),
        longest: f_measure(longest_common(&prediction, &target), prediction.len(), target.len()),
    }
}

fn words(text: &str) -> Vec<String> {
    let lower = text.to_lowercase();
    let words = lower.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let stem = |word: &str| if word.len() > 3 { porter::stem(word) } else { word.to_owned() };
    words.take(MAX_WORDS).map(stem).collect()
}

/// F-measure of how many items the two have in common, each as often as in the one that has it less often.
fn overlap<T: Eq + Hash>(prediction: &[T], target: &[T]) -> f64 {
    let mut counts: HashMap<&T, usize> = HashMap::new();
    target.iter().for_each(|item| *counts.entry(item).or_default() += 1);
    let mut common = 0;
    for item in prediction {
        if let Some(left) = counts.get_mut(item).filter(|left| **left > 0) {
            *left -= 1;
            common += 1;
        }
    }
    f_measure(common, prediction.len(), target.len())
}

fn f_measure(common: usize, prediction: usize, target: usize) -> f64 {
    if common == 0 { 0.0 } else { 2.0 * common as f64 / (prediction + target) as f64 }
}

/// Length of the longest common subsequence.
fn longest_common(a: &[String], b: &[String]) -> usize {
    let mut row = vec![0; b.len() + 1];
    for word in a {
        let (mut diagonal, mut left) = (0, 0);
        for (other, above) in b.iter().zip(row.iter_mut().skip(1)) {
            let best = if word == other { diagonal + 1 } else { left.max(*above) };
            (diagonal, left) = (*above, best);
            *above = best;
        }
    }
    row.last().copied().unwrap_or_default()
}
