//! Reading a stated map as SG-RLVR's released code does: by its keys where it is a Python literal, else by position.

mod literal;
mod positions;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::matching::Point;
use crate::reading::{Decimal, decimals, digit, float, is_space, is_word, trim};
use literal::Literal;

/// Points by lower-case category: column and row in cells, whole numbers, off the grid, too, and infinite ones.
pub type MapPoints = BTreeMap<String, Vec<[f64; 2]>>;

/// Longer texts are cut here; the largest sensible map takes about 2 kB.
const MAX_TEXT_BYTES: usize = 65_536;

/// The points of `categories` in a text.
pub(crate) fn read(text: &str, categories: &BTreeSet<String>) -> MapPoints {
    let mut end = text.len().min(MAX_TEXT_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let text = trim(&text[..end]);
    let names = categories.iter().map(|name| trim(name).to_lowercase()).filter(|name| !name.is_empty()).collect();
    let mut map = match literal::read(unwrapped(text)) {
        Some(Literal::Dictionary(entries)) => by_keys(&entries, &names),
        _ => positions::read(text, &names),
    };
    map.retain(|_, points| !points.is_empty());
    map
}

/// A literal in `str{…}`, which some models write.
fn unwrapped(text: &str) -> &str {
    let inside = text.strip_prefix("str{").and_then(|rest| rest.strip_suffix('}')).map(trim);
    inside.filter(|inside| inside.starts_with('{')).unwrap_or(text)
}

fn by_keys(entries: &[(Literal, Literal)], names: &BTreeSet<String>) -> MapPoints {
    let texts = entries.iter().filter_map(|(key, value)| match key {
        Literal::Text(text) => Some((text.as_str(), value)),
        _ => None,
    });
    // A dictionary keeps the place of the first and the value of the last of equal keys.
    let mut last: HashMap<&str, &Literal> = texts.clone().collect();
    let mut map = MapPoints::new();
    for (key, _) in texts {
        let (name, value) = (name(key), last.remove(key));
        if let Some(value) = value.filter(|_| names.contains(&name)) {
            map.entry(name).or_default().extend(points(value));
        }
    }
    map
}

/// A key without stray marks around its one run of words: `<chair}:` is `chair`. Other keys stay as they are, in lower case.
fn name(key: &str) -> String {
    let lower = key.to_lowercase();
    let lower = trim(&lower);
    let is_mark = |c: char| !is_word(c) && !is_space(c);
    let words = lower.trim_matches(is_mark);
    let is_one_run = !words.is_empty() && !words.contains(is_mark);
    if is_one_run { trim(words).to_owned() } else { lower.to_owned() }
}

fn points(value: &Literal) -> Vec<Point> {
    match value {
        Literal::List(items) => match flat(items) {
            Some(point) => vec![point],
            None => items.iter().filter_map(pair).collect(),
        },
        other => pair(other).into_iter().collect(),
    }
}

/// A list that is itself one pair of numbers, `[2, 2]`.
fn flat(items: &[Literal]) -> Option<Point> {
    if matches!(items, [Literal::Number(_) | Literal::Text(_), Literal::Number(_) | Literal::Text(_)]) {
        return numbers(items);
    }
    None
}

fn pair(item: &Literal) -> Option<Point> {
    match item {
        Literal::Text(text) => {
            let found: Vec<f64> = decimals(text).into_iter().take(2).map(Decimal::signed).collect();
            point(*found.first()?, *found.get(1)?)
        }
        Literal::List(items) | Literal::Tuple(items) => match items.as_slice() {
            [Literal::List(inner) | Literal::Tuple(inner)] => numbers(inner),
            items => numbers(items),
        },
        _ => None,
    }
}

fn numbers(items: &[Literal]) -> Option<Point> {
    match items {
        [x, y] => point(number(x)?, number(y)?),
        _ => None,
    }
}

/// A number, or a text that is one, with or without brackets around it.
fn number(item: &Literal) -> Option<f64> {
    match item {
        Literal::Number(value) => Some(*value),
        Literal::Text(text) => {
            let text = trim(text);
            let inside = text.trim_start_matches(['<', '[', '(']).trim_end_matches(['>', ']', ')']);
            if is_decimal(inside) { float(inside) } else { float(text) }
        }
        _ => None,
    }
}

/// Digits with or without sign and fraction.
fn is_decimal(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    [whole, fraction].iter().all(|part| !part.is_empty() && part.chars().all(|c| digit(c).is_some()))
}

fn point(x: f64, y: f64) -> Option<Point> {
    (!x.is_nan() && !y.is_nan()).then(|| [x.trunc(), y.trunc()])
}
