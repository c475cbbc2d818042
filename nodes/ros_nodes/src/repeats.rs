//! Lines that repeat: each place in the code may fill so many lines a minute, and the same line is written
//! once.

use std::collections::HashMap;
use std::time::{Duration, Instant};

/// How long a line stands for its repetitions.
pub const WINDOW: Duration = Duration::from_secs(60);
/// Different lines of one place within a window.
const LINES: u32 = 30;

/// What one place wrote in its window.
struct Place {
    since: Instant,
    lines: u32,
    last: String,
    held_back: u64,
}

/// What each place of the code wrote of late. Places are as many as the code has.
#[derive(Default)]
pub struct Repeats {
    places: HashMap<u64, Place>,
}

impl Repeats {
    /// The line to write for `text` of `place`, or `None` when it is held back and counted.
    pub fn admit(&mut self, place: u64, text: &str, now: Instant) -> Option<String> {
        let new = || Place { since: now, lines: 0, last: String::new(), held_back: 0 };
        let known = self.places.entry(place).or_insert_with(new);
        let mut counted = 0;
        if now.saturating_duration_since(known.since) >= WINDOW {
            counted = std::mem::replace(known, new()).held_back;
        } else if known.lines >= LINES || known.lines > 0 && known.last == text {
            known.held_back += 1;
            return None;
        }
        known.lines += 1;
        text.clone_into(&mut known.last);
        Some(with_count(text, counted))
    }

    /// The last lines of places whose window has ended while lines were held back, with how many, by place.
    pub fn ended(&mut self, now: Instant) -> Vec<(u64, String)> {
        let mut lines = Vec::new();
        for (place, known) in &mut self.places {
            if known.held_back > 0 && now.saturating_duration_since(known.since) >= WINDOW {
                lines.push((*place, with_count(&known.last, known.held_back)));
                // The line stands for the next window too.
                *known = Place { since: now, lines: 1, last: std::mem::take(&mut known.last), held_back: 0 };
            }
        }
        lines
    }
}

fn with_count(text: &str, held_back: u64) -> String {
    match held_back {
        0 => text.to_owned(),
        more => format!("{text} ({more} more such lines within {} s)", WINDOW.as_secs()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_line_is_written_once_a_minute_with_a_count() {
        let (mut repeats, start) = (Repeats::default(), Instant::now());
        assert_eq!(repeats.admit(1, "no camera", start).as_deref(), Some("no camera"));
        for second in 1..60 {
            assert_eq!(repeats.admit(1, "no camera", start + Duration::from_secs(second)), None);
        }
        assert_eq!(repeats.admit(2, "no camera", start).as_deref(), Some("no camera"), "another place");
        assert!(repeats.ended(start + Duration::from_secs(59)).is_empty());
        let line = repeats.admit(1, "no camera", start + WINDOW);
        assert_eq!(line.as_deref(), Some("no camera (59 more such lines within 60 s)"));
    }

    #[test]
    fn what_was_held_back_is_told_when_nothing_follows() {
        let (mut repeats, start) = (Repeats::default(), Instant::now());
        for index in 0..200 {
            repeats.admit(7, &format!("frame {index}"), start);
        }
        assert_eq!(repeats.ended(start + WINDOW), [(7, "frame 29 (170 more such lines within 60 s)".to_owned())]);
        assert!(repeats.ended(start + 2 * WINDOW).is_empty());
    }
}
