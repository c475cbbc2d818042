//! Word error rate, the usual measure of text recognition.

use super::MAX_WORDS;
use crate::reading::is_space;

/// Insertions, deletions and substitutions of words that turn `reference` into `hypothesis`, over the words of
/// `reference`; over 1 where the hypothesis is much longer. An empty reference counts as one word. Words are what stands
/// between white space, letter case and punctuation included.
#[must_use]
pub fn word_error_rate(hypothesis: &str, reference: &str) -> f64 {
    let hypothesis: Vec<&str> = words(hypothesis).take(MAX_WORDS).collect();
    let reference: Vec<&str> = words(reference).take(MAX_WORDS).collect();
    edit_distance(&hypothesis, &reference) as f64 / reference.len().max(1) as f64
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(is_space).filter(|word| !word.is_empty())
}

/// Levenshtein's distance, a row at a time.
fn edit_distance(a: &[&str], b: &[&str]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, word) in a.iter().enumerate() {
        let (mut diagonal, mut left) = (i, i + 1);
        for (other, above) in b.iter().zip(row.iter_mut().skip(1)) {
            let best = (diagonal + usize::from(word != other)).min(left + 1).min(*above + 1);
            (diagonal, left) = (*above, best);
            *above = best;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or_default()
}
