//! The stamped transforms of one frame, in the order of their stamps.

use std::collections::VecDeque;

use crate::{GeometryError, RigidTransform, interpolate};

/// Most stamped transforms held per frame; the oldest are dropped first (`keep_last`).
pub const MAX_HISTORY: usize = 4096;
/// A stamp that is further behind the newest of its frame than this is no late message.
const LATEST_NANOS: i64 = 2_000_000_000;
/// So many stamps in a row that are that far behind are a clock that was set back.
const BEHIND_IN_A_ROW: u32 = 3;

/// What became of a transform that was inserted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inserted {
    /// It is held, or was too old to be.
    Kept,
    /// The frame's clock went back by so many nanoseconds, and its history begins anew.
    Restarted {
        /// Nanoseconds.
        back_nanos: i64,
    },
}

/// The moment of a lookup.
#[derive(Clone, Copy, Debug)]
pub(crate) enum At {
    /// The newest stamp of each link.
    Newest,
    /// This stamp, nanoseconds.
    Exactly(i64),
    /// This stamp, or the newest of a link that is older by at most so much.
    Near { stamp_nanos: i64, oldest_nanos: i64 },
}

/// What is held of one frame's way from its parent.
#[derive(Clone, Debug)]
pub(crate) enum History {
    /// It never moves.
    Fixed(RigidTransform),
    /// By stamp, the oldest first.
    Moving(VecDeque<(i64, RigidTransform)>),
}

/// One frame under its parent.
#[derive(Clone, Debug)]
pub(crate) struct Link {
    /// The frame above.
    pub parent: String,
    /// Where the frame is in it.
    pub history: History,
    /// Stamps in a row that were far behind the newest.
    behind: u32,
    /// Number of the newest insertion.
    pub inserted: u64,
}

impl Link {
    /// Nothing is held yet.
    pub fn new(parent: String, inserted: u64) -> Self {
        Self { parent, history: History::Moving(VecDeque::new()), behind: 0, inserted }
    }

    /// Takes in a stamped transform; what is older than `keep_nanos` is dropped.
    pub fn extend(&mut self, entry: (i64, RigidTransform), keep_nanos: i64) -> Inserted {
        if let History::Fixed(_) = self.history {
            self.history = History::Moving(VecDeque::new());
        }
        let History::Moving(history) = &mut self.history else { return Inserted::Kept };
        let back_nanos = history.back().map_or(0, |newest| newest.0.saturating_sub(entry.0));
        self.behind = if back_nanos > LATEST_NANOS { self.behind + 1 } else { 0 };
        if self.behind < BEHIND_IN_A_ROW {
            insert_sorted(history, entry, keep_nanos);
            return Inserted::Kept;
        }
        self.behind = 0;
        *history = VecDeque::from([entry]);
        Inserted::Restarted { back_nanos }
    }
}

fn insert_sorted(history: &mut VecDeque<(i64, RigidTransform)>, entry: (i64, RigidTransform), keep_nanos: i64) {
    let newest = history.back().map_or(entry.0, |last| last.0.max(entry.0));
    let index = history.partition_point(|held| held.0 < entry.0);
    match history.get_mut(index) {
        Some(held) if held.0 == entry.0 => *held = entry,
        _ => history.insert(index, entry),
    }
    while history.len() > MAX_HISTORY
        || history.front().is_some_and(|oldest| newest.saturating_sub(oldest.0) > keep_nanos)
    {
        history.pop_front();
    }
}

/// `parent_from_child` at a moment; `child` is named in errors.
pub(crate) fn sample(child: &str, history: &History, at: At) -> Result<RigidTransform, GeometryError> {
    let history = match history {
        History::Fixed(transform) => return Ok(*transform),
        History::Moving(history) => history,
    };
    let (Some(first), Some(last)) = (history.front(), history.back()) else {
        return Err(GeometryError::UnknownFrame { found: child.to_owned() });
    };
    let stamp = match at {
        At::Newest => return Ok(last.1),
        At::Near { stamp_nanos, oldest_nanos } if (0..=oldest_nanos).contains(&stamp_nanos.saturating_sub(last.0)) => {
            return Ok(last.1);
        }
        At::Exactly(stamp_nanos) | At::Near { stamp_nanos, .. } => stamp_nanos,
    };
    if stamp < first.0 || stamp > last.0 {
        let (earliest_nanos, latest_nanos, found_nanos) = (first.0, last.0, stamp);
        return Err(GeometryError::Extrapolation {
            child: child.to_owned(),
            earliest_nanos,
            latest_nanos,
            found_nanos,
        });
    }
    let after = history.partition_point(|held| held.0 < stamp);
    let (t1, b) = history[after];
    if t1 == stamp || after == 0 {
        return Ok(b);
    }
    let (t0, a) = history[after - 1];
    let share = (stamp - t0) as f64 / (t1 - t0) as f64;
    Ok(interpolate(&a, &b, share))
}
