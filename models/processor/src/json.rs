//! Reading typed values out of configuration JSON, with errors that name file, key, expected and found.

use crate::error::{ProcessorError, Result};
use model_dir::Files;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// Most bytes of a configuration file.
const MOST_BYTES: u64 = 4 << 20;

/// Reads and parses the JSON file `name`.
pub(crate) fn read(files: &Files, name: &str) -> Result<Value> {
    let bytes = files.read(name, MOST_BYTES)?;
    serde_json::from_slice(&bytes).map_err(|source| ProcessorError::Json { path: files.path(name), source })
}

/// A JSON object together with where it stands.
#[derive(Clone)]
pub(crate) struct Fields<'a> {
    file: &'a str,
    prefix: String,
    map: &'a Map<String, Value>,
}

impl<'a> Fields<'a> {
    /// The root object of `file`.
    pub(crate) fn root(file: &'a str, value: &'a Value) -> Result<Self> {
        let map = value.as_object().ok_or_else(|| ProcessorError::Config {
            file: file.to_owned(),
            key: "(root)".to_owned(),
            expected: "an object".to_owned(),
            found: brief(value),
        })?;
        Ok(Self { file, prefix: String::new(), map })
    }

    /// The object under `key`; `None` where it is absent or null.
    pub(crate) fn object(&self, key: &str) -> Result<Option<Self>> {
        match self.map.get(key) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Object(map)) => {
                Ok(Some(Self { file: self.file, prefix: format!("{}{key}.", self.prefix), map }))
            }
            Some(other) => Err(self.mismatch(key, "an object", brief(other))),
        }
    }

    /// The value under `key`; an error where it is absent.
    pub(crate) fn get<T: DeserializeOwned>(&self, key: &str, expected: &str) -> Result<T> {
        self.opt(key, expected)?.ok_or_else(|| self.mismatch(key, expected, "nothing"))
    }

    /// The value under `key`; `None` where it is absent or null.
    pub(crate) fn opt<T: DeserializeOwned>(&self, key: &str, expected: &str) -> Result<Option<T>> {
        match self.map.get(key) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => T::deserialize(value).map(Some).map_err(|_| self.mismatch(key, expected, brief(value))),
        }
    }

    /// A positive integer under `key`.
    pub(crate) fn size(&self, key: &str) -> Result<usize> {
        self.opt_size(key)?.ok_or_else(|| self.mismatch(key, "a positive integer", "nothing"))
    }

    /// A positive integer under `key`, if there.
    pub(crate) fn opt_size(&self, key: &str) -> Result<Option<usize>> {
        match self.opt::<usize>(key, "a positive integer")? {
            Some(0) => Err(self.mismatch(key, "a positive integer", "0")),
            value => Ok(value),
        }
    }

    /// Refuses sizes over what any network of the architecture has: they are multiplied, and memory is taken by them.
    pub(crate) fn expect_at_most(&self, sizes: &[(&str, usize, usize)]) -> Result<()> {
        match sizes.iter().find(|(_, found, most)| found > most) {
            Some((key, found, most)) => Err(self.mismatch(key, format!("at most {most}"), found)),
            None => Ok(()),
        }
    }

    /// A token id under `key`.
    pub(crate) fn id(&self, key: &str) -> Result<u32> {
        self.get(key, "a token id")
    }

    /// One token id or a list of them under `key`; empty where absent.
    pub(crate) fn ids(&self, key: &str) -> Result<Vec<u32>> {
        match self.map.get(key) {
            Some(Value::Array(_)) => self.get(key, "a token id or a list of them"),
            _ => Ok(self.opt(key, "a token id or a list of them")?.into_iter().collect()),
        }
    }

    /// An error about `key`.
    pub(crate) fn mismatch(&self, key: &str, expected: impl ToString, found: impl ToString) -> ProcessorError {
        ProcessorError::Config {
            file: self.file.to_owned(),
            key: format!("{}{key}", self.prefix),
            expected: expected.to_string(),
            found: found.to_string(),
        }
    }
}

fn brief(value: &Value) -> String {
    let text = value.to_string();
    if text.chars().count() <= 80 { text } else { text.chars().take(80).chain("…".chars()).collect() }
}
