//! A node's log: the same lines on standard error and, through a bounded queue, on `/rosout`.
//!
//! A line has no colours where no terminal is, foreign text in it is escaped and cut, and what repeats is
//! written once a minute with a count. Logging never waits for ROS: lines that nobody fetched are dropped,
//! oldest first.

use std::collections::{HashMap, VecDeque};
use std::fmt::{self, Write as _};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{IsTerminal, Write as _};
use std::sync::{LazyLock, Mutex};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime, SystemTime as Timestamp};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;

use crate::executor::lock;
use crate::log_line::{LINE_CHARS, LineWriter};
use crate::repeats::Repeats;

/// What is logged unless `RUST_LOG` says otherwise. ONNX Runtime's own news are for who looks for them.
const USUAL: &str = "info,ort=warn";
/// Lines that wait for `/rosout`.
const WAITING_LINES: usize = 256;

/// A line as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// When, by the wall clock.
    pub nanos: i64,
    /// How grave.
    pub level: Level,
    /// Message and fields.
    pub text: String,
    /// Source file, and the line in it.
    pub place: (String, u32),
}

/// Lines on their way to `/rosout`, and what was held back. One a process, as tracing's subscriber is.
static LOG: LazyLock<Mutex<Log>> = LazyLock::new(Mutex::default);

#[derive(Default)]
struct Log {
    waiting: VecDeque<LogLine>,
    repeats: Repeats,
    colours: bool,
    /// By the key of [`Repeats`].
    places: HashMap<u64, (Level, (String, u32))>,
}

/// Logging to standard error and `/rosout`, as `RUST_LOG` says, or from `info` on.
pub fn start_logging() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| USUAL.into());
    let colours = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|set| set.is_empty());
    lock(&LOG).colours = colours;
    tracing_subscriber::registry().with(filter).with(NodeLog).init();
}

/// Takes the lines out that wait for `/rosout`, oldest first; writes what was held back for a minute.
pub fn take_lines() -> Vec<LogLine> {
    let log = &mut *lock(&LOG);
    for (key, text) in log.repeats.ended(Instant::now()) {
        if let Some((level, place)) = log.places.get(&key).cloned() {
            log.write(LogLine { nanos: now_nanos(), level, text, place });
        }
    }
    log.waiting.drain(..).collect()
}

impl Log {
    fn write(&mut self, line: LogLine) {
        // A closed standard error is no reason to stop.
        let _ = std::io::stderr().write_all(printed(&line, self.colours).as_bytes());
        if self.waiting.len() == WAITING_LINES {
            self.waiting.pop_front();
        }
        self.waiting.push_back(line);
    }
}

/// Turns events into lines.
struct NodeLog;

impl<S: Subscriber> Layer<S> for NodeLog {
    fn on_event(&self, event: &Event<'_>, _context: Context<'_, S>) {
        let metadata = event.metadata();
        let mut words = Words::new();
        event.record(&mut words);
        let place = words
            .place
            .take()
            .unwrap_or_else(|| (metadata.file().unwrap_or_default().to_owned(), metadata.line().unwrap_or_default()));
        let text = words.finish();
        let level = *metadata.level();
        let log = &mut *lock(&LOG);
        // Whoever asks for more than the usual gets all of it.
        let text = if level <= Level::INFO {
            let key = hash(&(&place, metadata.name()));
            let Some(text) = log.repeats.admit(key, &text, Instant::now()) else { return };
            log.places.insert(key, (level, place.clone()));
            text
        } else {
            text
        };
        log.write(LogLine { nanos: now_nanos(), level, text, place });
    }
}

/// Message and fields of an event on one line.
struct Words {
    message: LineWriter,
    fields: LineWriter,
    /// Where a line of the crate `log` comes from, which tracing passes on as fields.
    place: Option<(String, u32)>,
}

impl Words {
    fn new() -> Self {
        Self { message: LineWriter::new(LINE_CHARS), fields: LineWriter::new(LINE_CHARS), place: None }
    }

    fn finish(self) -> String {
        let (message, fields) = (self.message.finish(), self.fields.finish());
        // Fields come first by a blank each.
        if message.is_empty() { fields.trim_start().to_owned() } else { message + &fields }
    }
}

impl Visit for Words {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "log.file" {
            self.place.get_or_insert_default().0 = value.to_owned();
        } else {
            self.record_debug(field, &value);
        }
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        if field.name() == "log.line" {
            self.place.get_or_insert_default().1 = u32::try_from(value).unwrap_or(u32::MAX);
        } else {
            self.record_debug(field, &value);
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        // These never fail.
        let _ = match field.name() {
            "message" => write!(self.message, "{value:?}"),
            name if name.starts_with("log.") => Ok(()),
            name => write!(self.fields, " {name}={value:?}"),
        };
    }
}

/// The line for standard error: time, level, text.
fn printed(line: &LogLine, colours: bool) -> String {
    let mut time = String::new();
    // Never fails: what is written to is a string.
    let _ = Timestamp.format_time(&mut Writer::new(&mut time));
    let colour = match line.level {
        Level::ERROR => 31,
        Level::WARN => 33,
        Level::INFO => 32,
        _ => 34,
    };
    if colours {
        format!("\x1b[2m{time}\x1b[0m \x1b[{colour}m{:>5}\x1b[0m {}\n", line.level, line.text)
    } else {
        format!("{time} {:>5} {}\n", line.level, line.text)
    }
}

fn now_nanos() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)
}

fn hash(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_plain_bounded_and_reach_the_queue_once() {
        let subscriber = tracing_subscriber::registry().with(NodeLog);
        let _guard = tracing::subscriber::set_default(subscriber);
        for _ in 0..3 {
            tracing::warn!(encoding = "a\nb", "frame refused: {}", "x".repeat(100_000));
        }
        let lines = take_lines();
        assert_eq!(lines.len(), 1, "{lines:?}");
        let LogLine { level, text, place, .. } = &lines[0];
        assert!(text.starts_with("frame refused: xxx") && text.ends_with(r#" encoding="a\nb""#), "{text}");
        assert!(text.len() < 700 && *level == Level::WARN && place.0.ends_with("logging.rs"), "{lines:?}");
        let shown = printed(&lines[0], false);
        assert!(shown.contains("  WARN frame refused") && !shown.contains('\x1b') && shown.matches('\n').count() == 1);
        assert!(printed(&lines[0], true).contains("\x1b[33m WARN"), "colours where a terminal is");

        (0..WAITING_LINES + 9).for_each(|index| tracing::debug!(index, "many"));
        let lines = take_lines();
        assert_eq!((lines.len(), lines[WAITING_LINES - 1].text.as_str()), (WAITING_LINES, "many index=264"));
    }
}
