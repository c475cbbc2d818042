//! A lenient reader of the dictionary between `<map>` and `</map>` (`spec/sg-rlvr.md`, "Map score").

use std::iter::Peekable;
use std::str::Chars;

use msgs::{Cell, GRID_SIZE, ImaginedMap, MapObject};

/// Longer texts are cut here; the largest sensible map takes about 2 kB.
pub const MAX_TEXT_BYTES: usize = 65_536;

const MAX_CATEGORY_CHARS: usize = 64;
const SCALE_KEYS: [&str; 1] = ["cell_size_m"];

/// Reads a Python or JSON dictionary `{category: [[x, y], ...]}` and our keys `cell_size_m` and `robot`.
///
/// Takes `(x, y)` and `[x, y]`, numbers as strings, stray and missing brackets, single pairs and floats (truncated);
/// categories are trimmed and lower-cased; cells outside the grid are left out. It reads names and the numbers that
/// follow them by position, so text that is no literal gives what can be recovered. `None` where there is nothing.
pub fn parse(text: &str) -> Option<ImaginedMap> {
    let mut end = text.len().min(MAX_TEXT_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let mut map = ImaginedMap::default();
    let mut section = Section::default();
    let mut found = text[..end].contains('{');
    let mut chars = text[..end].chars().peekable();
    while let Some(&c) = chars.peek() {
        if c.is_ascii_digit() || c == '-' || c == '.' {
            if let Some(number) = read_number(&mut chars) {
                section.numbers.push(number);
            }
        } else if c.is_alphabetic() || c == '_' {
            let name = read_name(&mut chars);
            found |= section.close(&mut map);
            section = Section { name, numbers: Vec::new() };
        } else {
            chars.next();
        }
    }
    found |= section.close(&mut map);
    found.then_some(map)
}

/// A name and the numbers that follow it.
#[derive(Default)]
struct Section {
    name: String,
    numbers: Vec<f64>,
}

impl Section {
    /// Moves what was read into the map; true if it was anything.
    fn close(&self, map: &mut ImaginedMap) -> bool {
        if self.name.is_empty() || self.numbers.is_empty() {
            return false;
        }
        if SCALE_KEYS.contains(&self.name.as_str()) {
            map.cell_size_m = self.numbers.first().map(|&size| size as f32).filter(|&s| s.is_finite() && s > 0.0);
            return map.cell_size_m.is_some();
        }
        let cells = self.numbers.chunks_exact(2).filter_map(|pair| cell(pair[0], pair[1]));
        if self.name == "robot" {
            map.robot = cells.into_iter().next();
            return map.robot.is_some();
        }
        let before = map.objects.len();
        map.objects.extend(cells.map(|cell| MapObject { category: self.name.clone(), cell }));
        map.objects.len() > before
    }
}

fn cell(x: f64, y: f64) -> Option<Cell> {
    let (x, y) = (x.trunc(), y.trunc());
    let inside = |value: f64| (0.0..GRID_SIZE as f64).contains(&value);
    (inside(x) && inside(y)).then_some(Cell { x: x as u8, y: y as u8 })
}

fn read_number(chars: &mut Peekable<Chars<'_>>) -> Option<f64> {
    let mut digits = String::new();
    while let Some(&c) = chars.peek() {
        let sign = c == '-' && digits.is_empty();
        let point = c == '.' && !digits.contains('.');
        if !(c.is_ascii_digit() || sign || point) {
            break;
        }
        digits.push(c);
        chars.next();
    }
    if digits.is_empty() {
        // A second sign or point: step over it.
        chars.next();
    }
    digits.parse().ok()
}

/// A name: letters, digits, and single spaces, hyphens or underscores inside it.
fn read_name(chars: &mut Peekable<Chars<'_>>) -> String {
    let mut name = String::new();
    while let Some(&c) = chars.peek() {
        if !(c.is_alphanumeric() || matches!(c, ' ' | '_' | '-')) {
            break;
        }
        if name.chars().count() < MAX_CATEGORY_CHARS {
            name.extend(c.to_lowercase());
        }
        chars.next();
    }
    name.truncate(name.trim_end().len());
    name
}
