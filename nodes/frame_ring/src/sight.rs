//! Whether pictures show anything: a covered lens and a driver's placeholder are of one colour, a camera that hangs sends
//! the same picture again and again while the robot moves on.

use std::hash::{DefaultHasher, Hasher};

use crate::Pose;
use crate::still::thumbnail;

/// A picture that stays the same to the bit over such a way, metres, is frozen.
const FROZEN_M: f64 = 0.3;
/// Or over such a turn, degrees.
const FROZEN_DEG: f64 = 10.0;
/// No robot here drives faster: what is faster is localisation that jumps.
const FASTEST_M_PER_SEC: f64 = 3.0;
/// Nor turns faster.
const FASTEST_DEG_PER_SEC: f64 = 270.0;

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
    /// The newest picture's digest, and where the camera was since it first came.
    since: Option<(u64, Option<Way>)>,
}

/// A way of the camera.
#[derive(Clone, Copy, Debug)]
struct Way {
    /// Where it began.
    first: Pose,
    /// Where it has come to, and when.
    newest: Pose,
    stamp_nanos: i64,
}

impl Way {
    /// Goes on to `now`. Where localisation has found itself elsewhere the beginning moves along: nothing has moved.
    fn go_on(&mut self, now: Pose, stamp_nanos: i64) {
        let secs = stamp_nanos.saturating_sub(self.stamp_nanos) as f64 * 1e-9;
        let (metres, degrees) = (self.newest.metres_to(&now), self.newest.degrees_to(&now));
        let leaps = metres > FROZEN_M && metres > FASTEST_M_PER_SEC * secs;
        let spins = degrees > FROZEN_DEG && degrees > FASTEST_DEG_PER_SEC * secs;
        if leaps || spins {
            for axis in 0..3 {
                self.first.position_m[axis] += now.position_m[axis] - self.newest.position_m[axis];
            }
            self.first.orientation = now.orientation;
        }
        (self.newest, self.stamp_nanos) = (now, stamp_nanos);
    }

    fn is_long(&self) -> bool {
        self.first.metres_to(&self.newest) > FROZEN_M || self.first.degrees_to(&self.newest) > FROZEN_DEG
    }
}

impl FreezeWatch {
    /// Takes the next picture; true where it is frozen.
    pub fn take(&mut self, rgb: &[u8], pose: Option<Pose>, stamp_nanos: i64) -> bool {
        let mut hasher = DefaultHasher::new();
        hasher.write(rgb);
        let digest = hasher.finish();
        match (&mut self.since, pose) {
            (Some((before, Some(way))), Some(now)) if *before == digest => {
                way.go_on(now, stamp_nanos);
                way.is_long()
            }
            (Some((before, Some(_))), None) if *before == digest => false,
            (since, _) => {
                *since = Some((digest, pose.map(|pose| Way { first: pose, newest: pose, stamp_nanos })));
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

    const MS: i64 = 1_000_000;

    #[test]
    fn a_picture_is_frozen_when_the_camera_moves_under_it() {
        let mut watch = FreezeWatch::default();
        let picture = [7; 48];
        let mut take = |x: f64, ms: i64| watch.take(&picture, at(x), ms * MS);
        assert!(!take(0.0, 0) && !take(0.2, 200) && take(0.4, 400));
        assert!(!watch.take(&[8; 48], at(0.6), 600 * MS), "it changes again");
        let mut standing = FreezeWatch::default();
        let stands = (0..100).all(|number| !standing.take(&picture, at(0.0), number * 33 * MS));
        assert!(stands, "simulators without noise send such pictures");
        let mut nowhere = FreezeWatch::default();
        assert!(!nowhere.take(&picture, None, 0) && !nowhere.take(&picture, None, MS));
    }

    #[test]
    fn a_robot_whose_localisation_jumps_does_not_move() {
        let (mut watch, picture) = (FreezeWatch::default(), [7; 48]);
        let turned = |x: f64| {
            let half: f64 = 20f64.to_radians();
            at(x).map(|pose| Pose { orientation: [0.0, 0.0, half.sin(), half.cos()], ..pose })
        };
        assert!(!watch.take(&picture, at(0.0), 0) && !watch.take(&picture, at(0.2), 100 * MS));
        assert!(!watch.take(&picture, at(5.2), 133 * MS) && !watch.take(&picture, at(5.2), 5000 * MS));
        assert!(!watch.take(&picture, turned(5.2), 5033 * MS));
        assert!(watch.take(&picture, turned(5.35), 5133 * MS), "the way before the jump counts with the one behind");
        // A picture a second of a robot that drives: a metre each.
        let mut slow = FreezeWatch::default();
        assert!(!slow.take(&picture, at(0.0), 0) && slow.take(&picture, at(1.0), 1000 * MS));
    }
}
