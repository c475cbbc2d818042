//! Time, injected.

use std::time::{SystemTime, UNIX_EPOCH};

/// The clock that frames and questions are dated with.
pub trait Clock: Send + Sync {
    /// Nanoseconds since an epoch of the clock's own. Must not run backwards by more than it is meant to be noticed.
    fn now_nanos(&self) -> i64;
}

/// The system's wall clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now_nanos(&self) -> i64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        since.map_or(0, |since| i64::try_from(since.as_nanos()).unwrap_or(i64::MAX))
    }
}

/// Seconds from one reading to a later one; 0 if the clock ran backwards.
pub(crate) fn seconds_between(from_nanos: i64, to_nanos: i64) -> f64 {
    to_nanos.saturating_sub(from_nanos).max(0) as f64 * 1e-9
}
