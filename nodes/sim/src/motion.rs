//! What moves in a room: a door that opens, a thing that somebody pushes.

use crate::footprint::PlanBox;
use crate::world::Object;

/// Poses along a motion at which its way was checked for things in it.
const SWEEP_STEPS: usize = 12;

/// A rigid motion of one object over the floor, begun and ended gently: a turn about a pivot, then a shift.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Motion {
    /// Which object.
    pub id: u16,
    /// Plan point that the turn leaves where it is, metres.
    pub pivot: [f64; 2],
    /// Radians, counter-clockwise.
    pub turn: f64,
    /// Metres.
    pub shift: [f64; 2],
    /// When it begins, seconds of the walk.
    pub start_secs: f64,
    /// How long it takes.
    pub duration_secs: f64,
}

impl Motion {
    /// Share of the motion that is done, 0..=1.
    pub fn progress(&self, secs: f64) -> f64 {
        let t = ((secs - self.start_secs) / self.duration_secs.max(1e-6)).clamp(0.0, 1.0);
        t * t * (3.0 - 2.0 * t)
    }

    /// The object at a time; `object` is as before the motion.
    pub fn apply(&self, object: &Object, secs: f64) -> Object {
        let progress = self.progress(secs);
        let mut moved = object.clone();
        moved.plan = self.plan(&object.plan, progress);
        moved.outline.iter_mut().for_each(|p| *p = self.point(*p, progress));
        let body = &mut moved.body;
        for p in body.positions.iter_mut().chain([&mut body.centre]) {
            let [x, y] = self.point([f64::from(p[0]), f64::from(p[1])], progress);
            *p = [x as f32, y as f32, p[2]];
        }
        let (sin, cos) = ((self.turn * progress) as f32).sin_cos();
        for n in &mut body.normals {
            *n = [cos * n[0] - sin * n[1], sin * n[0] + cos * n[1], n[2]];
        }
        moved
    }

    /// Where the object's box is on the way, `plan` being before the motion.
    pub fn sweep(&self, plan: &PlanBox) -> Vec<PlanBox> {
        (0..=SWEEP_STEPS).map(|i| self.plan(plan, i as f64 / SWEEP_STEPS as f64)).collect()
    }

    fn plan(&self, plan: &PlanBox, progress: f64) -> PlanBox {
        PlanBox { centre: self.point(plan.centre, progress), yaw: plan.yaw + self.turn * progress, ..*plan }
    }

    fn point(&self, p: [f64; 2], progress: f64) -> [f64; 2] {
        let (sin, cos) = (self.turn * progress).sin_cos();
        let d = [p[0] - self.pivot[0], p[1] - self.pivot[1]];
        [
            self.pivot[0] + cos * d[0] - sin * d[1] + self.shift[0] * progress,
            self.pivot[1] + sin * d[0] + cos * d[1] + self.shift[1] * progress,
        ]
    }
}
