//! How long a server is waited for: one that is busy, or is being started anew, ends no run.

use std::time::Duration;

use backon::{BlockingRetryable, ExponentialBuilder};
use ureq::http::StatusCode;

/// The longest wait for an answer: a group of the longest completions on a slow machine.
pub const ANSWER: Duration = Duration::from_secs(1800);
/// Characters of a server's own words that an error repeats.
const SHOWN_CHARS: usize = 400;

/// What is asked again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeat {
    /// Whatever had no good answer: it does no harm to be answered twice.
    Anything,
    /// What the server said it has not done.
    WhatWasRefused,
}

/// Why a request failed.
#[derive(Debug)]
pub struct Refusal {
    /// What the server answered; `None` where it did not.
    pub status: Option<u16>,
    /// In its words.
    pub reason: String,
    may_pass: bool,
}

impl Refusal {
    /// What a server says instead of a success.
    pub fn said(status: StatusCode, words: &str) -> Self {
        let words: String = words.chars().take(SHOWN_CHARS).collect();
        let may_pass = matches!(status.as_u16(), 429 | 502 | 503 | 504);
        Self { status: Some(status.as_u16()), reason: format!("{status} {words}"), may_pass }
    }

    /// What happened on the way.
    pub fn failed(error: &ureq::Error, repeat: Repeat) -> Self {
        use ureq::Error::{ConnectionFailed, HostNotFound, Io, Protocol};
        let was_cut = matches!(error, ConnectionFailed | HostNotFound | Io(_) | Protocol(_));
        Self { status: None, reason: error.to_string(), may_pass: was_cut && repeat == Repeat::Anything }
    }
}

/// Nine pauses that grow from a second to a minute: four minutes together, as a server needs to load a model.
pub fn pauses() -> ExponentialBuilder {
    let (first, longest) = (Duration::from_secs(1), Duration::from_secs(60));
    ExponentialBuilder::default().with_min_delay(first).with_max_delay(longest).with_max_times(9).with_jitter()
}

/// Asks until there is a good answer, the refusal is one that stays, or there are no more pauses. Each pause is logged.
///
/// # Errors
/// The last refusal.
pub fn ask<T>(
    url: &str,
    pauses: ExponentialBuilder,
    request: impl FnMut() -> Result<T, Refusal>,
) -> Result<T, Refusal> {
    let say = |refusal: &Refusal, pause: Duration| {
        tracing::warn!("server {url}: {}; asked again in {:.0} s", refusal.reason, pause.as_secs_f64());
    };
    request.retry(pauses).when(|refusal| refusal.may_pass).notify(say).call()
}
