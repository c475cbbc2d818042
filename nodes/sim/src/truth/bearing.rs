//! The second opinion on directions and on the camera's own motion. Bearings are degrees clockwise, 0..360: 90 is right.

use crate::camera::Pose;
use crate::questions::ask::{Answer, Ask, Level};

/// Bearing of `target` for somebody at `stand` who faces `face`.
pub fn right_of(stand: [f64; 2], face: [f64; 2], target: [f64; 2]) -> f64 {
    compass(stand, target).rem_euclid(360.0) - compass(stand, face).rem_euclid(360.0)
}

/// Bearing of a point on the floor from a camera.
pub fn right_of_camera(camera: &Pose, target: [f64; 2]) -> f64 {
    compass([camera.position[0], camera.position[1]], target) + camera.yaw.to_degrees()
}

/// Clockwise from the x axis.
fn compass(from: [f64; 2], to: [f64; 2]) -> f64 {
    -(to[1] - from[1]).atan2(to[0] - from[0]).to_degrees()
}

/// The words of a bearing, at a level.
pub fn seen_from(level: Level, bearing: f64) -> &'static str {
    let at = bearing.rem_euclid(360.0);
    match level {
        Level::Easy => ["right", "left"][(at / 180.0) as usize % 2],
        Level::Medium => match at {
            b if b < 135.0 => "right",
            b if b < 225.0 => "back",
            _ => "left",
        },
        Level::Hard => ["front-right", "back-right", "back-left", "front-left"][(at / 90.0) as usize % 4],
    }
}

/// Front, right, back or left.
pub fn quarter(bearing: f64) -> &'static str {
    ["front", "right", "back", "left"][((bearing + 45.0).rem_euclid(360.0) / 90.0) as usize % 4]
}

/// The hour that a bearing points at.
pub fn clock(bearing: f64) -> String {
    let hour = ((bearing + 15.0).rem_euclid(360.0) / 30.0) as usize % 12;
    format!("{} o'clock", if hour == 0 { 12 } else { hour })
}

/// A walk as its own steps tell: where it ended and how far it turned, as seen from its start.
#[derive(Debug, Clone, Copy, Default)]
pub struct AddedUp {
    ahead_m: f64,
    right_m: f64,
    /// Clockwise, not wrapped.
    turned_deg: f64,
}

/// Adds up the steps of the camera, each in the frame of the step before, over the last seconds before frame `end`.
pub fn add_up(poses: &[Pose], end: usize, secs: f64) -> Option<AddedUp> {
    let start = poses.get(end)?.stamp_secs - secs;
    let mut sum = AddedUp::default();
    let mut covered = false;
    for step in poses.get(..=end)?.windows(2) {
        covered |= (step[0].stamp_secs - start).abs() < 1e-6;
        if step[0].stamp_secs < start - 1e-6 {
            continue;
        }
        let (sin, cos) = step[0].yaw.sin_cos();
        let [dx, dy] = [0, 1].map(|i: usize| step[1].position[i] - step[0].position[i]);
        let (ahead, right) = (dx * cos + dy * sin, dx * sin - dy * cos);
        let (sin, cos) = sum.turned_deg.to_radians().sin_cos();
        sum.ahead_m += ahead * cos - right * sin;
        sum.right_m += ahead * sin + right * cos;
        let turn = (step[0].yaw - step[1].yaw).to_degrees();
        sum.turned_deg += turn - 360.0 * (turn / 360.0).round();
    }
    covered.then_some(sum)
}

impl AddedUp {
    /// What it says to a question about the camera's motion.
    pub fn answer(&self, ask: &Ask) -> Answer {
        let turned = self.turned_deg.rem_euclid(360.0);
        let amount = turned.min(360.0 - turned);
        match ask {
            Ask::Moved(_) => Answer::Number((self.ahead_m.powi(2) + self.right_m.powi(2)).sqrt()),
            Ask::MovedWay(_) => Answer::Words(quarter(self.right_m.atan2(self.ahead_m).to_degrees()).to_owned()),
            Ask::Turned(_) => Answer::Number(amount),
            _ => {
                let side = if turned < 180.0 { "right" } else { "left" };
                let size = if amount < 90.0 { "less" } else { "more" };
                Answer::Words(format!("{side}, {size} than 90 degrees"))
            }
        }
    }
}
