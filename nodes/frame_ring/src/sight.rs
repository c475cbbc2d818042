//! Whether pictures show anything: a covered lens and a driver's placeholder are of one colour, a camera that hangs sends
//! the same picture again and again while the robot moves on.

use std::hash::{DefaultHasher, Hasher};

use crate::Pose;
use crate::still::thumbnail;

/// A picture that stays the same to the bit over such a way, metres, is frozen.
const FROZEN_M: f64 = 0.3;
/// Or over such a turn, degrees.
const FROZEN_DEG: f64 = 10.0;

/// What frames show, as pictures.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Sight {
    /// How much there is to see in the frame that shows most: the standard deviation of the luma, 0 to 255, of its 16x12
    /// cells. The noise of a sensor is averaged out; 0 is one colour.
    pub detail: f64,
    /// The newest frame is the same to the bit as those before it, although the camera has moved.
    pub frozen: bool,
}

/// The standard deviation of the luma of a picture's cells. `rgb`: rows of `width` pixels from the top left.
pub(crate) fn detail(rgb: &[u8], width: usize) -> f64 {
    let cells = thumbnail(rgb, width).map(f64::from);
    let mean = cells.iter().sum::<f64>() / cells.len() as f64;
    (cells.iter().map(|cell| (cell - mean).powi(2)).sum::<f64>() / cells.len() as f64).sqrt()
}

/// Watches for a picture that stays the same while the camera moves.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct FreezeWatch {
    /// The newest picture's digest, and where the camera was when it first came.
    since: Option<(u64, Option<Pose>)>,
}

impl FreezeWatch {
    /// Takes the next picture; true where it is frozen.
    pub fn take(&mut self, rgb: &[u8], pose: Option<Pose>) -> bool {
        let mut hasher = DefaultHasher::new();
        hasher.write(rgb);
        let digest = hasher.finish();
        match (self.since, pose) {
            (Some((before, Some(first))), Some(now)) if before == digest => {
                first.metres_to(&now) > FROZEN_M || first.degrees_to(&now) > FROZEN_DEG
            }
            (Some((before, Some(_))), None) if before == digest => false,
            _ => {
                self.since = Some((digest, pose));
                false
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(x: f64) -> Option<Pose> {
        Some(Pose { position_m: [x, 0.0, 0.0], orientation: [0.0, 0.0, 0.0, 1.0] })
    }

    #[test]
    fn a_covered_lens_shows_nothing_and_a_dim_room_something() {
        // Noise of five steps on black, as sensors have it.
        let noise = |i: u32| (i.wrapping_mul(2_654_435_761) >> 24) as u8 % 6;
        let covered: Vec<u8> = (0..160 * 120 * 3).map(noise).collect();
        assert!(detail(&covered, 160) < 1.0, "{}", detail(&covered, 160));
        let dim: Vec<u8> = (0..160 * 120 * 3).map(|i| if i % 480 < 240 { 4 } else { 12 }).collect();
        assert!(detail(&dim, 160) > 3.0, "{}", detail(&dim, 160));
        assert_eq!(detail(&[200; 16 * 12 * 3], 16), 0.0);
    }

    #[test]
    fn a_picture_is_frozen_when_the_camera_moves_under_it() {
        let mut watch = FreezeWatch::default();
        let picture = [7; 48];
        assert!(!watch.take(&picture, at(0.0)) && !watch.take(&picture, at(0.2)) && watch.take(&picture, at(0.4)));
        assert!(!watch.take(&[8; 48], at(0.6)), "it changes again");
        let mut standing = FreezeWatch::default();
        assert!((0..100).all(|_| !standing.take(&picture, at(0.0))), "simulators without noise send such pictures");
        let mut nowhere = FreezeWatch::default();
        assert!(!nowhere.take(&picture, None) && !nowhere.take(&picture, None));
    }
}
