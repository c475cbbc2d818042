//! The order of stamps: which frames are late, and when the clock itself was set back.
//!
//! A frame that is older than the newest one seen is late, however late it is. Three in a row that are more than a second
//! behind, and in order among themselves, are no late frames but a clock that was set back: a recording that begins anew,
//! a restarted simulation, or a single stamp before them that was far in the future.

use crate::StampJump;

/// Frames that are no further behind than this are late whatever follows, nanoseconds.
const LATE_NANOS: i64 = 1_000_000_000;
/// So many in a row that are further behind are a clock that was set back.
const IN_A_ROW: u32 = 3;

/// What a stamp is beside those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// Not older than the newest one seen.
    InTime,
    /// Older.
    Late,
    /// The first of a clock that was set back.
    SetBack(StampJump),
}

/// The stamps seen so far.
#[derive(Debug, Default)]
pub(crate) struct StampOrder {
    newest_nanos: Option<i64>,
    /// The last stamp that was far behind, and how many came in a row.
    behind: Option<(i64, u32)>,
}

impl StampOrder {
    /// Takes the next stamp, nanoseconds.
    pub fn take(&mut self, stamp_nanos: i64) -> Order {
        let Some(newest_nanos) = self.newest_nanos.filter(|newest| stamp_nanos < *newest) else {
            (self.newest_nanos, self.behind) = (Some(stamp_nanos), None);
            return Order::InTime;
        };
        if newest_nanos.saturating_sub(stamp_nanos) <= LATE_NANOS {
            return Order::Late;
        }
        let before = self.behind.filter(|(last, _)| stamp_nanos > *last).map_or(0, |(_, count)| count);
        if before + 1 < IN_A_ROW {
            self.behind = Some((stamp_nanos, before + 1));
            return Order::Late;
        }
        (self.newest_nanos, self.behind) = (Some(stamp_nanos), None);
        Order::SetBack(StampJump { from_nanos: newest_nanos, to_nanos: stamp_nanos })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1_000_000_000;

    fn orders(stamps: &[i64]) -> Vec<Order> {
        let mut order = StampOrder::default();
        stamps.iter().map(|stamp| order.take(*stamp)).collect()
    }

    #[test]
    fn stragglers_are_late_however_late_they_are() {
        use Order::{InTime, Late};
        let stamps = [100 * SECOND, 100 * SECOND - 1, 101 * SECOND, 7, 102 * SECOND, 9, 8, 103 * SECOND, 103 * SECOND];
        assert_eq!(orders(&stamps), [InTime, Late, InTime, Late, InTime, Late, Late, InTime, InTime]);
    }

    #[test]
    fn a_clock_that_was_set_back_is_seen_with_the_third_frame() {
        use Order::{InTime, Late, SetBack};
        let jump = StampJump { from_nanos: 100 * SECOND, to_nanos: 3 * SECOND };
        let found = orders(&[100 * SECOND, SECOND, 2 * SECOND, 3 * SECOND, 4 * SECOND, 3 * SECOND + 1]);
        assert_eq!(found, [InTime, Late, Late, SetBack(jump), InTime, Late]);
    }

    #[test]
    fn one_stamp_in_the_future_makes_nothing_late_for_ever() {
        let found = orders(&[SECOND, 3600 * SECOND, 2 * SECOND, 3 * SECOND, 4 * SECOND, 5 * SECOND]);
        assert!(matches!(found[4], Order::SetBack(_)) && found[5] == Order::InTime, "{found:?}");
    }

    #[test]
    fn two_cameras_on_one_topic_do_not_set_the_clock_back() {
        let found = orders(&[100 * SECOND, SECOND, 101 * SECOND, 2 * SECOND, 102 * SECOND, 3 * SECOND, 103 * SECOND]);
        assert!(!found.iter().any(|order| matches!(order, Order::SetBack(_))), "{found:?}");
    }
}
