//! Which failures of a store may pass by themselves, and how long they are given.

use std::time::Duration;

use backon::{BlockingRetryable, ExponentialBuilder};
use ureq::http::StatusCode;

/// Why a request failed.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub reason: String,
    /// Whether the same request may succeed a little later.
    pub may_pass: bool,
}

impl Refusal {
    /// One that stays.
    pub fn lasting(reason: impl ToString) -> Self {
        Self { reason: reason.to_string(), may_pass: false }
    }

    /// What a store says instead of a success.
    pub fn by(status: StatusCode, words: &str) -> Self {
        let may_pass = matches!(status.as_u16(), 408 | 429 | 500 | 502 | 503 | 504);
        Self { reason: format!("{status} {words}").trim_end().to_owned(), may_pass }
    }
}

impl From<ureq::Error> for Refusal {
    fn from(error: ureq::Error) -> Self {
        use ureq::Error::{BadUri, BodyExceedsLimit, Http, InvalidProxyUrl, RedirectFailed, TooManyRedirects};
        match error {
            // Its text is the address, which is signed.
            BadUri(_) => Self::lasting("the address is none"),
            Http(_) | InvalidProxyUrl | RedirectFailed | TooManyRedirects | BodyExceedsLimit(_) => Self::lasting(error),
            passing => Self { reason: passing.to_string(), may_pass: true },
        }
    }
}

impl From<std::io::Error> for Refusal {
    /// A body that was cut off, or stopped.
    fn from(error: std::io::Error) -> Self {
        Self { reason: error.to_string(), may_pass: true }
    }
}

/// Seven pauses that grow from half a second to half a minute: a minute together.
pub(crate) fn pauses() -> ExponentialBuilder {
    let (first, longest) = (Duration::from_millis(500), Duration::from_secs(30));
    ExponentialBuilder::default().with_min_delay(first).with_max_delay(longest).with_max_times(7).with_jitter()
}

/// Asks until it is answered, the refusal is one that stays, or there are no more pauses. Each pause is logged.
pub(crate) fn ask<T>(
    what: &str,
    pauses: ExponentialBuilder,
    request: impl FnMut() -> Result<T, Refusal>,
) -> Result<T, Refusal> {
    let say = |refusal: &Refusal, pause: Duration| {
        let secs = pause.as_secs_f64();
        tracing::warn!("{what}: {}; asked again in {secs:.1} s", refusal.reason);
    };
    request.retry(pauses).when(|refusal| refusal.may_pass).notify(say).call()
}
