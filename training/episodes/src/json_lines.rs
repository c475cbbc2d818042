//! JSON-lines files, read line by line with errors that name file, line and field. A file that is one JSON array is read
//! as its items.

use std::io::{BufRead, Read, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::Value;

use crate::{Error, Result, text_file};

/// Longest piece of a file that an error repeats, characters.
const FOUND_CHARS: usize = 80;
/// Longest line, bytes; what is behind it counts as a line of its own, which is none.
const LONGEST_LINE: u64 = 64 << 20;

/// One line, with what an error about it says.
#[derive(Clone, Debug)]
pub struct Record {
    path: PathBuf,
    line: usize,
    value: Value,
}

impl Record {
    /// A field; `None` where it is absent or null.
    pub fn get(&self, field: &str) -> Option<&Value> {
        self.value.get(field).filter(|value| !value.is_null())
    }

    /// A text.
    ///
    /// # Errors
    /// When it is absent or no text.
    pub fn text(&self, field: &str) -> Result<&str> {
        self.get(field).and_then(Value::as_str).ok_or_else(|| self.refuse(field, "a text"))
    }

    /// A list of texts; empty where it is absent.
    ///
    /// # Errors
    /// When it is anything else.
    pub fn texts(&self, field: &str) -> Result<Vec<String>> {
        let Some(value) = self.get(field) else { return Ok(Vec::new()) };
        let text = |item: &Value| item.as_str().map(str::to_owned);
        let texts = value.as_array().and_then(|items| items.iter().map(text).collect());
        texts.ok_or_else(|| self.refuse(field, "a list of texts"))
    }

    /// The whole line as a type.
    ///
    /// # Errors
    /// When it is of another form.
    pub fn parse<T: serde::de::DeserializeOwned>(&self) -> Result<T> {
        serde_json::from_value(self.value.clone())
            .map_err(|error| self.error("record", std::any::type_name::<T>(), error.to_string()))
    }

    /// The error that a field is not as `expected`.
    pub fn refuse(&self, field: &str, expected: &str) -> Error {
        let found = self.value.get(field).map_or("nothing".to_owned(), Value::to_string);
        self.error(field, expected, found)
    }

    fn error(&self, field: &str, expected: &str, found: String) -> Error {
        let found = found.chars().take(FOUND_CHARS).collect();
        let (field, expected) = (field.to_owned(), expected.to_owned());
        Error::Record { path: self.path.clone(), line: self.line, field, expected, found }
    }
}

/// The records of a file, one after the other.
pub type Records = Box<dyn Iterator<Item = Result<Record>> + Send>;

/// The lines of a file, or the items of the array that it is; empty lines are left out.
///
/// # Errors
/// When the file can't be opened, or is an array that can't be read. A line that is no JSON object is an error in its
/// place.
pub fn read(path: &Path) -> Result<Records> {
    let mut text = text_file::open(path)?;
    let path = path.to_owned();
    let begins = text.fill_buf().map_err(Error::io(&path))?.iter().copied().find(|byte| !byte.is_ascii_whitespace());
    if begins == Some(b'[') {
        return items(path, text);
    }
    Ok(Box::new(lines(text).enumerate().filter_map(move |(index, line)| match line {
        Ok(line) if line.trim_ascii().is_empty() => None,
        Ok(line) => Some(record(&path, index + 1, &String::from_utf8_lossy(&line))),
        Err(source) => Some(Err(Error::Io { path: path.clone(), source })),
    })))
}

/// Lines as bytes, so that one that is no UTF-8 costs no other; the end of the file where it can't be read on.
fn lines(mut text: Box<dyn BufRead + Send>) -> impl Iterator<Item = std::io::Result<Vec<u8>>> + Send {
    let mut has_ended = false;
    std::iter::from_fn(move || {
        let mut line = Vec::new();
        match text.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut line) {
            _ if has_ended => None,
            Ok(0) => None,
            Ok(_) => Some(Ok(line)),
            Err(error) => {
                has_ended = true;
                Some(Err(error))
            }
        }
    })
}

/// The items of an array, counted as lines.
fn items(path: PathBuf, text: Box<dyn BufRead + Send>) -> Result<Records> {
    let refuse = |error: serde_json::Error| Error::Record {
        path: path.clone(),
        line: error.line(),
        field: "record".to_owned(),
        expected: "JSON objects, one on each line or in one array".to_owned(),
        found: error.to_string(),
    };
    let items: Vec<Value> = serde_json::from_reader(text).map_err(refuse)?;
    let item = move |(index, value): (usize, Value)| match value {
        Value::Object(_) => Ok(Record { path: path.clone(), line: index + 1, value }),
        other => Err(no_object(&path, index + 1, &other.to_string())),
    };
    Ok(Box::new(items.into_iter().enumerate().map(item)))
}

fn record(path: &Path, line: usize, text: &str) -> Result<Record> {
    match serde_json::from_str(text) {
        Ok(value @ Value::Object(_)) => Ok(Record { path: path.to_owned(), line, value }),
        Ok(other) => Err(no_object(path, line, &other.to_string())),
        Err(error) => Err(no_object(path, line, &format!("{error} in {text}"))),
    }
}

fn no_object(path: &Path, line: usize, found: &str) -> Error {
    Error::Record {
        path: path.to_owned(),
        line,
        field: "record".to_owned(),
        expected: "a JSON object".to_owned(),
        found: found.chars().take(FOUND_CHARS).collect(),
    }
}

/// A JSON-lines file being written.
pub struct Writer {
    path: PathBuf,
    file: std::io::BufWriter<std::fs::File>,
}

impl Writer {
    /// Makes the file; one that is there already is an error.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn create(path: &Path) -> Result<Self> {
        let file = std::fs::File::create_new(path).map_err(Error::io(path))?;
        Ok(Self { path: path.to_owned(), file: std::io::BufWriter::new(file) })
    }

    /// Adds a line.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn write(&mut self, line: &impl Serialize) -> Result<()> {
        let written = serde_json::to_writer(&mut self.file, line).map_err(std::io::Error::from);
        written.and_then(|()| self.file.write_all(b"\n")).map_err(Error::io(&self.path))
    }

    /// Hands all lines to the operating system.
    ///
    /// # Errors
    /// What it says.
    pub fn finish(mut self) -> Result<()> {
        self.file.flush().map_err(Error::io(&self.path))
    }
}
