//! What can be recovered of a text that is no literal: categories, and the numbers that follow each.

use std::collections::BTreeSet;

use super::{MapPoints, point};
use crate::reading::{Decimal, decimals};

/// A category's name in the text, by characters.
struct Place<'a> {
    start: usize,
    end: usize,
    name: &'a str,
}

/// The points behind each of `names` (lower case) up to the next one, two numbers at a time. Names stand between anything
/// but ASCII letters, in any letter case; of names that overlap the longer one counts.
pub(super) fn read(text: &str, names: &BTreeSet<String>) -> MapPoints {
    let chars: Vec<char> = text.chars().collect();
    let lower: Vec<char> = chars.iter().map(|c| lower(*c)).collect();
    let mut map = MapPoints::new();
    let places = places(&lower, names);
    let ends = places.iter().skip(1).map(|next| next.start).chain([chars.len()]);
    for (place, end) in places.iter().zip(ends) {
        let region: String = chars.get(place.end..end).unwrap_or_default().iter().collect();
        let numbers: Vec<f64> = decimals(&region).into_iter().map(Decimal::signed).collect();
        let points = numbers.chunks_exact(2).filter_map(|pair| point(pair[0], pair[1]));
        map.entry(place.name.to_owned()).or_default().extend(points);
    }
    map
}

/// Where names stand, in order and without overlaps.
fn places<'a>(text: &[char], names: &'a BTreeSet<String>) -> Vec<Place<'a>> {
    let mut all: Vec<Place<'_>> = names.iter().flat_map(|name| places_of(text, name)).collect();
    all.sort_by_key(|place| (place.start, std::cmp::Reverse(place.end)));
    let mut kept: Vec<Place<'_>> = Vec::new();
    for place in all {
        match kept.last_mut() {
            Some(last) if place.start < last.end => {
                if place.end > last.end {
                    *last = place;
                }
            }
            _ => kept.push(place),
        }
    }
    kept
}

fn places_of<'a>(text: &[char], name: &'a str) -> Vec<Place<'a>> {
    let wanted: Vec<char> = name.chars().map(lower).collect();
    let is_letter = |at: Option<usize>| at.and_then(|at| text.get(at)).is_some_and(char::is_ascii_alphabetic);
    let (mut found, mut start) = (Vec::new(), 0);
    while start + wanted.len() <= text.len() {
        let end = start + wanted.len();
        let is_here = text[start..].starts_with(&wanted) && !is_letter(start.checked_sub(1)) && !is_letter(Some(end));
        if is_here {
            found.push(Place { start, end, name });
        }
        start = if is_here { end } else { start + 1 };
    }
    found
}

/// A character for a character, so that places stay the same.
fn lower(c: char) -> char {
    let mut lower = c.to_lowercase();
    match (lower.next(), lower.next()) {
        (Some(only), None) => only,
        _ => c,
    }
}
