//! What of a bag could not be read.

use std::fmt;
use std::path::PathBuf;

/// Most that is remembered one by one.
const MOST_REMEMBERED: usize = 100;

/// Where a file could not be read further, or not at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// The file.
    pub path: PathBuf,
    /// Messages of it that were read before.
    pub messages: u64,
    /// What was found there.
    pub reason: String,
}

impl fmt::Display for Damage {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, messages, reason } = self;
        match messages {
            0 => write!(out, "{}: not read: {reason}", path.display()),
            _ => write!(out, "{}: read up to message {messages}, then: {reason}", path.display()),
        }
    }
}

/// The first of what could not be read.
#[derive(Clone, Debug, Default)]
pub(crate) struct DamageList(Vec<Damage>);

impl DamageList {
    pub fn push(&mut self, damage: Damage) {
        if self.0.len() < MOST_REMEMBERED {
            self.0.push(damage);
        }
    }

    pub fn as_slice(&self) -> &[Damage] {
        &self.0
    }
}
