//! Which frames of a recording an episode keeps.

use crate::episode::{Frame, PictureFormat};
use crate::{Error, Result};

/// How much earlier than its moment a frame may be, in periods: cameras are not exact.
const EARLY: f64 = 0.05;
/// A frame stands for at most so many moments of a steady rate, on average.
const MOST_REPEATS: u64 = 1000;

/// How many frames are kept, and how they are encoded.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FrameSampling {
    /// Most frames a second.
    pub rate_hz: f64,
    /// Most frames an episode, spread evenly; 0 = all.
    pub most: usize,
    /// Encoding of what is no picture file already.
    pub format: PictureFormat,
}

impl Default for FrameSampling {
    /// Two a second, all of them, as JPEG.
    fn default() -> Self {
        Self { rate_hz: 2.0, most: 0, format: PictureFormat::default() }
    }
}

impl FrameSampling {
    /// Keeps the rate over stamps that grow.
    pub(crate) fn thinning(&self) -> Thinning {
        Thinning { period_nanos: 1e9 / self.rate_hz, taken: 0, first_nanos: None }
    }

    /// [`FrameSampling::most`] of the items: the first, the last, and between them at even steps.
    pub(crate) fn spread<T>(&self, items: Vec<T>) -> Vec<T> {
        let (count, most) = (items.len(), self.most);
        if most == 0 || count <= most {
            return items;
        }
        // As `linspace(0, count - 1, most)`, truncated.
        let at = |step: usize| if most == 1 { 0 } else { step * (count - 1) / (most - 1) };
        let wanted: std::collections::BTreeSet<usize> = (0..most).map(at).collect();
        items.into_iter().enumerate().filter(|(index, _)| wanted.contains(index)).map(|(_, item)| item).collect()
    }
}

/// Frames at a steady rate, as videos have them: for each moment of the grid from the first frame to the last, the frame
/// nearest to it. `rate_hz` must be positive.
///
/// # Errors
/// [`Error::Span`] where most moments have no frame near them, as behind a clock that was set.
pub(crate) fn regular<'a>(frames: &[&'a Frame], rate_hz: f64) -> Result<Vec<&'a Frame>> {
    let (Some(first), Some(last)) = (frames.first(), frames.last()) else { return Ok(Vec::new()) };
    let period_nanos = 1e9 / rate_hz;
    let count = (last.stamp_nanos.saturating_sub(first.stamp_nanos) as f64 / period_nanos).round() as u64 + 1;
    let expected = MOST_REPEATS * frames.len() as u64;
    if count > expected {
        return Err(Error::Span { expected, rate_hz, frames: frames.len(), found: count });
    }
    let nearest = |step: u64| {
        let wanted = first.stamp_nanos + (step as f64 * period_nanos).round() as i64;
        let after = frames.partition_point(|frame| frame.stamp_nanos < wanted);
        let around = frames.get(after.saturating_sub(1)..frames.len().min(after + 1)).unwrap_or_default();
        around.iter().min_by_key(|frame| frame.stamp_nanos.abs_diff(wanted)).copied()
    };
    Ok((0..count).filter_map(nearest).collect())
}

/// See [`FrameSampling::thinning`].
pub(crate) struct Thinning {
    period_nanos: f64,
    taken: u64,
    first_nanos: Option<i64>,
}

impl Thinning {
    /// Whether the frame is the first at or behind the next moment of the rate's grid; [`EARLY`] counts as at it.
    pub fn takes(&mut self, stamp_nanos: i64) -> bool {
        let first = *self.first_nanos.get_or_insert(stamp_nanos);
        let periods = stamp_nanos.saturating_sub(first) as f64 / self.period_nanos + EARLY;
        if periods < self.taken as f64 {
            return false;
        }
        self.taken = periods as u64 + 1;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::episode::Picture;

    #[test]
    fn the_rate_holds_over_any_faster_one_and_gaps() {
        let mut thinning = FrameSampling::default().thinning();
        let taken: Vec<i64> = (0..90).map(|i| i * 33_333_333).filter(|stamp| thinning.takes(*stamp)).collect();
        assert_eq!(taken.len(), 6);
        assert!(taken.windows(2).all(|pair| (pair[1] - pair[0] - 500_000_000).abs() < 200_000_000), "{taken:?}");
        let mut set_clock = FrameSampling { rate_hz: 5.0, ..FrameSampling::default() }.thinning();
        let year_2026 = 1_790_000_000_000_000_000;
        assert!(set_clock.takes(30_000_000_000) && set_clock.takes(year_2026) && !set_clock.takes(year_2026 + 1));
        assert!(thinning.takes(10_000_000_000) && !thinning.takes(10_033_000_000) && thinning.takes(10_500_000_000));
    }

    #[test]
    fn a_clock_that_was_set_makes_no_endless_video() {
        let picture = Picture::encode(1, 1, &[0; 3], PictureFormat::default()).unwrap();
        let frame = |stamp_nanos| Frame { stamp_nanos, pose: None, camera: None, picture: picture.clone() };
        let frames = [30_000_000_000, 1_790_000_000_000_000_000].map(frame);
        let error = regular(&frames.each_ref(), 5.0).unwrap_err().to_string();
        assert!(error.contains("at most 2000 moments of 5 Hz for 2 frames, found 89499998"), "{error}");
    }

    #[test]
    fn a_few_of_many_are_spread_from_first_to_last() {
        let few = FrameSampling { most: 4, ..FrameSampling::default() };
        assert_eq!(few.spread((0..10).collect()), [0, 3, 6, 9]);
        assert_eq!(few.spread(vec![1, 2]), [1, 2]);
        assert_eq!(FrameSampling::default().spread((0..3).collect()), [0, 1, 2]);
    }
}
