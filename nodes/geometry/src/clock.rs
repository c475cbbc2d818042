//! Stamps of a camera beside those of TF: two clocks that should be one.

/// Clocks that differ by more are not one clock that is late.
const OTHER_CLOCK_NANOS: i64 = 10_000_000_000;
/// A mapped clock that wanders by more than this is measured again.
const DRIFT_NANOS: i64 = 1_000_000_000;
/// So many first pictures tell how far a clock is off: the one that was under way for the shortest time is nearest.
const FIRST_PICTURES: u32 = 30;
/// A distance that differs by more than this from the one that was told is told again.
const TOLD_AGAIN_NANOS: i64 = 100_000_000;

/// What a stamp turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StampKind {
    /// Of the clock that TF is stamped with, as far as anybody can tell.
    AsSent,
    /// Zero: the time of arrival stands in for it.
    Arrival,
    /// Of another clock, for instance one that counts from boot: moved by so many nanoseconds, to a tenth of a second,
    /// to TF's.
    Moved(i64),
}

/// Tells whether a camera's stamps are of the same clock as TF's, and puts them right where they are not.
///
/// Both are compared with the time at which they arrive, so that TF that has stopped is not taken for another clock.
#[derive(Clone, Debug, Default)]
pub struct CameraClock {
    /// TF's newest stamp less the time at which it arrived, nanoseconds.
    tf_offset_nanos: Option<i64>,
    moved: Option<Moved>,
}

/// How far a camera's clock is moved, nanoseconds.
#[derive(Clone, Copy, Debug)]
struct Moved {
    by: i64,
    told: i64,
    /// Pictures that were measured.
    pictures: u32,
}

impl CameraClock {
    /// Notes a moving transform's stamp and when it arrived, nanoseconds of the node's ROS time.
    pub fn note_tf(&mut self, stamp_nanos: i64, now_nanos: i64) {
        if stamp_nanos != 0 && now_nanos != 0 {
            self.tf_offset_nanos = Some(stamp_nanos.saturating_sub(now_nanos));
        }
    }

    /// The stamp of a picture that arrived now, in TF's clock, nanoseconds.
    pub fn read(&mut self, stamp_nanos: i64, now_nanos: i64) -> (i64, StampKind) {
        if stamp_nanos == 0 {
            let tf = self.tf_offset_nanos.filter(|offset| offset.saturating_abs() > OTHER_CLOCK_NANOS).unwrap_or(0);
            return (now_nanos.saturating_add(tf), StampKind::Arrival);
        }
        let Some(tf_offset) = self.tf_offset_nanos.filter(|_| now_nanos != 0) else {
            return (stamp_nanos, StampKind::AsSent);
        };
        let needed = tf_offset.saturating_sub(stamp_nanos.saturating_sub(now_nanos));
        if needed.saturating_abs() <= OTHER_CLOCK_NANOS {
            self.moved = None;
            return (stamp_nanos, StampKind::AsSent);
        }
        // TF that is a little late is of our own clock.
        let tf_clock = if tf_offset.saturating_abs() > OTHER_CLOCK_NANOS { tf_offset } else { 0 };
        let by = tf_clock.saturating_sub(stamp_nanos.saturating_sub(now_nanos));
        let moved = match self.moved {
            Some(moved) if moved.by.saturating_sub(by).saturating_abs() <= DRIFT_NANOS => moved.measured(by),
            _ => Moved { by, told: by, pictures: 1 },
        };
        self.moved = Some(moved);
        (stamp_nanos.saturating_add(moved.by), StampKind::Moved(moved.told))
    }
}

impl Moved {
    /// With one more picture, which says `by`.
    fn measured(self, by: i64) -> Self {
        if self.pictures >= FIRST_PICTURES {
            return self;
        }
        let by = self.by.min(by);
        let is_near = by.saturating_sub(self.told).saturating_abs() <= TOLD_AGAIN_NANOS;
        Self { by, told: if is_near { self.told } else { by }, pictures: self.pictures + 1 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1_000_000_000;
    const NOW: i64 = 1_796_000_000 * SECOND;

    #[test]
    fn a_late_camera_and_a_camera_without_tf_are_left_alone() {
        let mut clock = CameraClock::default();
        assert_eq!(clock.read(5 * SECOND, NOW), (5 * SECOND, StampKind::AsSent));
        clock.note_tf(NOW, NOW);
        assert_eq!(clock.read(NOW - 2 * SECOND, NOW), (NOW - 2 * SECOND, StampKind::AsSent));
    }

    #[test]
    fn a_camera_that_counts_from_boot_is_moved_by_one_offset() {
        let mut clock = CameraClock::default();
        clock.note_tf(NOW, NOW);
        let by = NOW - 5 * SECOND;
        assert_eq!(clock.read(5 * SECOND, NOW), (NOW, StampKind::Moved(by)));
        // What arrives with jitter keeps its own distances.
        clock.note_tf(NOW + SECOND / 2, NOW + SECOND / 2);
        assert_eq!(clock.read(5 * SECOND + 400_000_000, NOW + SECOND / 2).0, NOW + 400_000_000);
    }

    #[test]
    fn the_picture_that_came_soonest_tells_how_far_the_clock_is_off() {
        let (mut clock, ms) = (CameraClock::default(), 1_000_000);
        let sent = |number: i64| 5 * SECOND + number * 33 * ms;
        // The first one takes 400 ms, others 200, then 60 and 50 ms.
        let mut read = |number: i64, under_way_ms: i64| {
            let arrived = NOW + number * 33 * ms + under_way_ms * ms;
            clock.note_tf(arrived - 20 * ms, arrived);
            let (stamp, kind) = clock.read(sent(number), arrived);
            (stamp - NOW - number * 33 * ms, kind)
        };
        let by = NOW - 5 * SECOND;
        assert_eq!(read(0, 400), (400 * ms, StampKind::Moved(by + 400 * ms)));
        assert_eq!(read(1, 200), (200 * ms, StampKind::Moved(by + 200 * ms)));
        assert_eq!(read(2, 300), (200 * ms, StampKind::Moved(by + 200 * ms)));
        assert_eq!(read(3, 60), (60 * ms, StampKind::Moved(by + 60 * ms)));
        assert_eq!(read(4, 50), (50 * ms, StampKind::Moved(by + 60 * ms)), "a hundredth of a second is not told");
        for number in 5..30 {
            assert_eq!(read(number, 80).0, 50 * ms);
        }
        assert_eq!(read(30, 10).0, 50 * ms, "it is settled");
    }

    #[test]
    fn tf_that_stopped_is_no_other_clock() {
        let mut clock = CameraClock::default();
        clock.note_tf(NOW, NOW);
        let later = NOW + 3600 * SECOND;
        assert_eq!(clock.read(later, later), (later, StampKind::AsSent));
    }

    #[test]
    fn a_replayed_robot_is_in_its_own_time() {
        let (mut clock, then) = (CameraClock::default(), NOW - 86_400 * SECOND);
        clock.note_tf(then, NOW);
        assert_eq!(clock.read(then, NOW), (then, StampKind::AsSent));
        assert_eq!(clock.read(0, NOW + SECOND), (then + SECOND, StampKind::Arrival));
    }

    #[test]
    fn no_stamp_is_the_time_of_arrival() {
        assert_eq!(CameraClock::default().read(0, NOW), (NOW, StampKind::Arrival));
    }
}
