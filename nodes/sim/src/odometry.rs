//! Odometry that drifts: what a robot believes about its way.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use crate::camera::Pose;
use crate::path::wrap;

/// How much odometry errs. All zero is the truth.
#[derive(Debug, Clone, Copy, PartialEq, Default, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Drift {
    /// Error of the wheels' size: standard deviation of the factor on every distance, one draw a walk.
    pub scale: f64,
    /// Standard deviation of the heading's error per square root of a metre walked, radians.
    pub yaw_per_sqrt_m: f64,
    /// Standard deviation of the heading's error per square root of a radian turned, radians.
    pub yaw_per_sqrt_rad: f64,
}

impl Drift {
    /// Ordinary wheels on an ordinary floor: about 1 % of the way and 1–2° a metre.
    pub fn wheels() -> Self {
        Self { scale: 0.01, yaw_per_sqrt_m: 0.015, yaw_per_sqrt_rad: 0.015 }
    }
}

/// The poses as odometry has them, in the frame of the true first one: the plan position and yaw drift, all else is
/// true. Errors come with the steps (odometry motion model, Thrun, Burgard and Fox 2005).
pub fn odometry(poses: &[Pose], drift: &Drift, rng: &mut ChaCha8Rng) -> Vec<Pose> {
    let factor = 1.0 + drift.scale * normal(rng);
    let mut believed: Vec<Pose> = poses.first().copied().into_iter().collect();
    for step in poses.windows(2) {
        let last = believed[believed.len() - 1];
        let (from, to) = (step[0], step[1]);
        let [right, ahead] = from.to_plan([to.position[0], to.position[1]]);
        let turn = wrap(to.yaw - from.yaw);
        let error = drift.yaw_per_sqrt_m * right.hypot(ahead).sqrt() * normal(rng)
            + drift.yaw_per_sqrt_rad * turn.abs().sqrt() * normal(rng);
        let (sin, cos) = last.yaw.sin_cos();
        let (right, ahead) = (factor * right, factor * ahead);
        let x = last.position[0] + ahead * cos + right * sin;
        let y = last.position[1] + ahead * sin - right * cos;
        believed.push(Pose { position: [x, y, to.position[2]], yaw: wrap(last.yaw + turn + error), ..to });
    }
    believed
}

/// A standard normal number (Box and Muller 1958).
pub(crate) fn normal(rng: &mut ChaCha8Rng) -> f64 {
    let radius = (-2.0 * (1.0 - rng.random::<f64>()).ln()).sqrt();
    radius * (std::f64::consts::TAU * rng.random::<f64>()).cos()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;

    /// Ten metres ahead and a full turn, in steps.
    fn walk() -> Vec<Pose> {
        let at = |i: i32| {
            let x = 0.05 * f64::from(i.min(200));
            Pose { position: [x, 1.0, 0.5], yaw: wrap(0.0314 * f64::from((i - 200).max(0))), ..Pose::default() }
        };
        (0..400).map(at).collect()
    }

    #[test]
    fn without_drift_odometry_is_the_truth() {
        let truth = walk();
        let believed = odometry(&truth, &Drift::default(), &mut ChaCha8Rng::seed_from_u64(1));
        for (a, b) in truth.iter().zip(&believed) {
            assert!((a.position[0] - b.position[0]).abs() < 1e-9 && wrap(a.yaw - b.yaw).abs() < 1e-9);
        }
    }

    #[test]
    fn errors_have_the_stated_size() {
        let truth = walk();
        let (mut length, mut heading) = (0.0, 0.0);
        for seed in 0..400 {
            let drift = Drift { scale: 0.02, yaw_per_sqrt_m: 0.0, yaw_per_sqrt_rad: 0.01 };
            let last = odometry(&truth, &drift, &mut ChaCha8Rng::seed_from_u64(seed))[399];
            length += (last.position[0] / 10.0 - 1.0).powi(2) / 400.0;
            heading += wrap(last.yaw - truth[399].yaw).powi(2) / 400.0;
        }
        assert!((length.sqrt() - 0.02).abs() < 0.003, "{}", length.sqrt());
        // 6.25 rad turned.
        assert!((heading.sqrt() - 0.025).abs() < 0.003, "{}", heading.sqrt());
    }
}
