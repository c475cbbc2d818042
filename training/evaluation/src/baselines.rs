//! What an answerer without eyes would reach.

use std::collections::{BTreeMap, BTreeSet};

use episodes::completion::NOT_SEEN;
use grounding::Outcome;
use scoring::mean_relative_accuracy;

use crate::exam::{Item, Truth};

/// Steps of the constants that are tried.
const STEPS: u32 = 200;

/// The constant with the highest mean MRA over `truths`, with that MRA, of 200 even steps up to ten, or to the power of
/// ten that no truth exceeds. It is fitted on the exam itself, so that no blind guess does much better.
pub fn best_constant(truths: &[f64]) -> Option<(f64, f64)> {
    let score = |constant: f64| {
        truths.iter().map(|truth| mean_relative_accuracy(constant, *truth)).sum::<f64>() / truths.len().max(1) as f64
    };
    let largest = truths.iter().copied().fold(0.0, f64::max);
    let scale = 10f64.powi((largest / 10.0).log10().ceil().clamp(0.0, 12.0) as i32);
    let candidates = (1..=STEPS).map(|i| f64::from(i) * 0.05 * scale).map(|constant| (constant, score(constant)));
    candidates.max_by(|a, b| a.1.total_cmp(&b.1)).filter(|_| !truths.is_empty())
}

/// One answer to all questions of a group.
#[derive(Clone, Debug, PartialEq)]
pub enum Constant {
    /// A number.
    Number(f64),
    /// The same letter.
    Letter(char),
    /// The same words: the option that says them, else the words themselves.
    Words(String),
    /// That it is not to be seen.
    NotSeen,
}

impl Constant {
    /// Its accuracy on a question.
    pub fn score(&self, item: &Item) -> f64 {
        let letter = |letter: char| item.truth.score(&Outcome::Option(letter), &letter.to_string());
        match self {
            Self::Number(value) => item.truth.score(&Outcome::Number(*value), &value.to_string()),
            Self::Letter(chosen) => letter(*chosen),
            Self::Words(words) => item.letter_of(words).map_or_else(|| item.truth.score(&Outcome::Text, words), letter),
            Self::NotSeen => item.truth.score(&Outcome::NotSeen, NOT_SEEN),
        }
    }

    /// The best one for `items`, fitted on them.
    pub fn best(items: &[&Item]) -> Self {
        let numbers: Vec<f64> = items.iter().filter_map(|item| item.truth.number()).collect();
        let number = best_constant(&numbers).map(|(value, _)| Self::Number(value));
        let letters: BTreeSet<char> = items.iter().filter_map(|item| letter(item)).collect();
        let words: BTreeSet<String> = items.iter().filter_map(|item| words(item)).collect();
        let candidates = number.into_iter().chain(letters.into_iter().map(Self::Letter));
        let candidates = candidates.chain(words.into_iter().map(Self::Words));
        let total = |constant: &Self| items.iter().map(|item| constant.score(item)).sum::<f64>();
        let better =
            |best: (Self, f64), (constant, sum): (Self, f64)| if sum > best.1 { (constant, sum) } else { best };
        let start = (Self::NotSeen, total(&Self::NotSeen));
        candidates.map(|constant| (constant.clone(), total(&constant))).fold(start, better).0
    }

    /// The best one for each group.
    pub fn by_group<'a>(items: impl Iterator<Item = &'a Item>) -> BTreeMap<&'a str, Self> {
        let mut groups: BTreeMap<&str, Vec<&Item>> = BTreeMap::new();
        items.for_each(|item| groups.entry(&item.group).or_default().push(item));
        groups.into_iter().map(|(group, items)| (group, Self::best(&items))).collect()
    }

    /// As reports show it.
    pub fn in_words(&self) -> String {
        match self {
            Self::Number(value) => format!("{value:.2}"),
            Self::Letter(letter) => letter.to_string(),
            Self::Words(words) => format!("“{words}”"),
            Self::NotSeen => NOT_SEEN.to_owned(),
        }
    }
}

fn letter(item: &Item) -> Option<char> {
    match item.truth {
        Truth::Option(letter) => Some(letter),
        _ => None,
    }
}

fn words(item: &Item) -> Option<String> {
    match &item.truth {
        Truth::Option(letter) => item.option(*letter).map(str::to_owned),
        Truth::Solution(_, text) => Some(text.clone()),
        Truth::Number(_) | Truth::NotSeen => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_truth_is_guessed_exactly() {
        let (constant, score) = best_constant(&[2.0, 2.0]).expect("truths");
        // Every constant within 5 % scores 1.
        assert!((constant - 2.0).abs() < 0.11 && (score - 1.0).abs() < 1e-9);
        let (constant, score) = best_constant(&[180.0, 180.0]).expect("truths");
        assert!((constant - 180.0).abs() < 9.5 && (score - 1.0).abs() < 1e-9, "{constant}");
        assert_eq!(best_constant(&[]), None);
    }

    #[test]
    fn words_win_over_letters_where_options_are_shuffled() {
        let item = |options: [&str; 2], letter| Item {
            group: "g".to_owned(),
            text: "which?".to_owned(),
            options: options.map(str::to_owned).to_vec(),
            truth: Truth::Option(letter),
        };
        let items = [item(["left", "right"], 'A'), item(["right", "left"], 'B'), item(["right", "left"], 'A')];
        let best = Constant::best(&items.iter().collect::<Vec<_>>());
        // "A" is right twice too; a letter is no worse than words then.
        assert_eq!(best, Constant::Letter('A'));
        let best = Constant::best(&[&items[0], &items[1], &item(["front", "left"], 'B')]);
        assert_eq!(best, Constant::Words("left".to_owned()));
        assert_eq!(best.score(&items[2]), 0.0);
    }
}
