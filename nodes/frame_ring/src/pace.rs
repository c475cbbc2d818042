//! Which of a camera's frames are kept at the rate that is asked for.
//!
//! Kept frames follow a grid of that rate, so that a window of sixteen of them is as long as the model was taught: a
//! camera of 10 Hz thinned by the gap alone, with room for jitter, gives a frame every 0.9 s where one a second is wanted.

/// A frame may come this share of a period early and still be kept, so that jitter does not halve the rate.
pub(crate) const EARLY_SHARE: f64 = 0.1;

/// Keeps frames at a rate.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    period_nanos: i64,
    /// Stamp of the frame before, kept or not.
    seen_nanos: Option<i64>,
    kept: Option<Kept>,
}

#[derive(Clone, Copy, Debug)]
struct Kept {
    stamp_nanos: i64,
    /// When the next one is due.
    due_nanos: i64,
}

impl Pace {
    /// So many frames a second of stamps.
    pub fn new(rate_hz: f64) -> Self {
        Self { period_nanos: (1e9 / rate_hz) as i64, seen_nanos: None, kept: None }
    }

    /// Forgets what came: the next frame is due.
    pub fn start_anew(&mut self) {
        (self.seen_nanos, self.kept) = (None, None);
    }

    /// Whether a frame is to be kept. To be called for every frame, in the order of their stamps.
    pub fn is_due(&mut self, stamp_nanos: i64) -> bool {
        let before = self.seen_nanos.replace(stamp_nanos);
        let (Some(before), Some(kept)) = (before, self.kept) else { return true };
        let early_nanos = (self.period_nanos as f64 * EARLY_SHARE) as i64;
        let step_nanos = stamp_nanos.saturating_sub(before);
        if stamp_nanos == kept.stamp_nanos {
            false
        } else if step_nanos.saturating_mul(2) <= self.period_nanos {
            // Of the frames around the moment the nearest.
            stamp_nanos >= kept.due_nanos.saturating_sub(early_nanos.min(step_nanos / 2))
        } else {
            // To wait for the next one of so slow a camera would leave a hole.
            stamp_nanos.saturating_sub(kept.stamp_nanos) >= self.period_nanos - early_nanos
        }
    }

    /// A frame was due and taken in.
    pub fn keep(&mut self, stamp_nanos: i64) {
        let due = self.kept.map_or(stamp_nanos, |kept| kept.due_nanos);
        // Behind a hole the grid begins anew.
        let is_near = stamp_nanos.saturating_sub(due) < self.period_nanos / 2;
        let from = if is_near { due } else { stamp_nanos };
        let due_nanos = from.saturating_add(self.period_nanos);
        (self.seen_nanos, self.kept) = (Some(stamp_nanos), Some(Kept { stamp_nanos, due_nanos }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Milliseconds between the frames kept of a camera of `camera_hz`, which shakes by some.
    fn gaps(camera_hz: f64, rate_hz: f64, shake_ms: i64) -> Vec<i64> {
        let mut pace = Pace::new(rate_hz);
        let shake = |i: i64| if shake_ms == 0 { 0 } else { (i * 7919) % (2 * shake_ms + 1) - shake_ms };
        let stamps = (0..600).map(|i: i64| (i as f64 * 1e9 / camera_hz) as i64 + shake(i) * 1_000_000);
        let mut kept = Vec::new();
        for stamp in stamps {
            if pace.is_due(stamp) {
                pace.keep(stamp);
                kept.push(stamp / 1_000_000);
            }
        }
        kept.windows(2).map(|two| two[1] - two[0]).collect()
    }

    #[test]
    fn sixteen_frames_are_as_long_as_they_are_taught_to_be() {
        for camera_hz in [4.0, 5.0, 7.5, 10.0, 11.0, 15.0, 25.0, 29.97, 30.0, 60.0, 90.0] {
            for rate_hz in [1.0, 2.0] {
                for shake_ms in [0, 4] {
                    let gaps = gaps(camera_hz, rate_hz, shake_ms);
                    let mean = gaps.iter().sum::<i64>() as f64 / gaps.len() as f64;
                    let period = 1000.0 / rate_hz;
                    assert!((mean / period - 1.0).abs() < 0.02, "{camera_hz} Hz at {rate_hz}: {mean} {gaps:?}");
                    let farthest = gaps.iter().map(|gap| (*gap as f64 - period).abs()).fold(0.0, f64::max);
                    let step = 1000.0 / camera_hz + 2.0 * shake_ms as f64 + 2.0;
                    assert!(farthest <= step, "{camera_hz} Hz at {rate_hz}: {gaps:?}");
                }
            }
        }
    }

    #[test]
    fn a_slow_camera_is_kept_whole_and_one_that_is_a_little_fast_too() {
        for (camera_hz, rate_hz, frames) in [(0.7, 1.0, 599), (1.0, 1.0, 599), (2.1, 2.0, 599), (1.5, 1.0, 299)] {
            assert_eq!(gaps(camera_hz, rate_hz, 0).len(), frames, "{camera_hz} Hz at {rate_hz}");
        }
        assert_eq!(gaps(2.0, 2.0, 20).len(), 599, "with jitter");
    }

    #[test]
    fn a_hole_moves_the_grid() {
        let mut pace = Pace::new(1.0);
        let mut take = |ms: i64| {
            let is_due = pace.is_due(ms * 1_000_000);
            if is_due {
                pace.keep(ms * 1_000_000);
            }
            is_due
        };
        assert!(take(0) && !take(500) && take(1000) && !take(1000) && take(7300) && !take(7700) && !take(8190));
        assert!(take(8300));
    }
}
