//! Which frames show nothing new: neither the picture nor the pose differs from the last kept frame.

use crate::Pose;
use crate::pace::EARLY_SHARE;

/// Columns and rows of a thumbnail.
const COLUMNS: usize = 16;
const ROWS: usize = 12;

/// When a frame is a repetition of the last kept one, and how long repetitions are left out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StillSettings {
    /// Mean absolute difference of two thumbnails, luma 0 to 255, below which the picture is the same.
    pub luma: f64,
    /// Way between two poses below which the robot stands, metres.
    pub move_m: f64,
    /// Angle between two poses below which the robot stands, degrees.
    pub turn_deg: f64,
    /// A frame that is this much later than the last kept one (less a tenth, for jitter) is kept whatever it shows,
    /// seconds, by stamp or arrival.
    pub longest_gap_secs: f64,
}

impl Default for StillSettings {
    /// One luma step, 2 cm, half a degree, a second.
    fn default() -> Self {
        Self { luma: 1.0, move_m: 0.02, turn_deg: 0.5, longest_gap_secs: 1.0 }
    }
}

/// What later frames are compared with.
#[derive(Clone, Debug)]
pub(crate) struct Look {
    thumbnail: [f32; COLUMNS * ROWS],
    pose: Option<Pose>,
    stamp_nanos: i64,
    received_at_nanos: i64,
}

impl Look {
    /// `rgb`: `height * width * 3` bytes, with `stamps` when light hit the sensor and when it arrived, nanoseconds.
    pub fn new(rgb: &[u8], width: usize, pose: Option<Pose>, stamps: (i64, i64)) -> Self {
        let (stamp_nanos, received_at_nanos) = stamps;
        Self { thumbnail: thumbnail(rgb, width), pose, stamp_nanos, received_at_nanos }
    }

    /// Whether this is `kept` again, and not too long after it. A pose that is no number has moved.
    pub fn repeats(&self, kept: &Self, settings: &StillSettings) -> bool {
        let gaps = [(kept.stamp_nanos, self.stamp_nanos), (kept.received_at_nanos, self.received_at_nanos)];
        let longest_nanos = (settings.longest_gap_secs * 1e9 * (1.0 - EARLY_SHARE)) as i64;
        let recent = gaps.iter().all(|(from, to)| to.saturating_sub(*from) < longest_nanos);
        let stands = match (&kept.pose, &self.pose) {
            (Some(from), Some(to)) => from.metres_to(to) < settings.move_m && from.degrees_to(to) < settings.turn_deg,
            _ => true,
        };
        recent && stands && self.luma_difference(kept) < settings.luma
    }

    fn luma_difference(&self, other: &Self) -> f64 {
        let sum: f32 = self.thumbnail.iter().zip(&other.thumbnail).map(|(a, b)| (a - b).abs()).sum();
        f64::from(sum) / self.thumbnail.len() as f64
    }
}

/// Mean luma (BT.601) of each cell; of the nearest pixel where there are fewer pixels than cells.
pub(crate) fn thumbnail(rgb: &[u8], width: usize) -> [f32; COLUMNS * ROWS] {
    let height = rgb.len() / (width * 3).max(1);
    let mut cells = [0.0; COLUMNS * ROWS];
    for (index, cell) in cells.iter_mut().enumerate() {
        let (rows, columns) = (span(index / COLUMNS, ROWS, height), span(index % COLUMNS, COLUMNS, width));
        let (mut sum, mut count) = (0u32, 0u32);
        for row in rgb.chunks_exact(width * 3).take(rows.end).skip(rows.start) {
            for pixel in row.chunks_exact(3).take(columns.end).skip(columns.start) {
                let [red, green, blue] = [0, 1, 2].map(|i| pixel.get(i).copied().map_or(0, u32::from));
                sum += (77 * red + 150 * green + 29 * blue) >> 8;
                count += 1;
            }
        }
        *cell = sum as f32 / count.max(1) as f32;
    }
    cells
}

/// Pixels of cell `index` of `cells` along an axis of `pixels`; at least one.
fn span(index: usize, cells: usize, pixels: usize) -> std::ops::Range<usize> {
    let start = index * pixels / cells;
    start..((index + 1) * pixels / cells).max(start + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thumbnails_hold_the_mean_luma_of_any_size() {
        let grey = |width: usize, height: usize| vec![100u8; width * height * 3];
        for (width, height) in [(112, 84), (4, 4), (1, 1), (17, 5)] {
            let cells = thumbnail(&grey(width, height), width);
            assert!(cells.iter().all(|cell| (*cell - 100.0).abs() < 1.0), "{width}x{height}: {cells:?}");
        }
    }
}
