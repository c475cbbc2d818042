//! From cells to metres.

use msgs::{Cell, ImaginedMap};
use nalgebra::{Isometry3, Point3};

/// Where the robot stands in a fixed frame, in plan view.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct PlanPose {
    /// Metres along x of the fixed frame.
    pub x: f64,
    /// Metres along y of the fixed frame.
    pub y: f64,
    /// Heading, radians from x towards y.
    pub yaw_rad: f64,
}

impl PlanPose {
    /// The plan view of `fixed_from_base`: roll and pitch are left out.
    pub fn from_transform(fixed_from_base: &Isometry3<f64>) -> Self {
        let forward = fixed_from_base.rotation * nalgebra::Vector3::x();
        let translation = fixed_from_base.translation;
        Self { x: translation.x, y: translation.y, yaw_rad: forward.y.atan2(forward.x) }
    }

    /// A point (forward, left) of the robot's frame, in the fixed frame, metres.
    pub fn fixed_from_base(&self, forward_m: f64, left_m: f64) -> (f64, f64) {
        let (sin, cos) = self.yaw_rad.sin_cos();
        (self.x + cos * forward_m - sin * left_m, self.y + sin * forward_m + cos * left_m)
    }
}

/// An object of a map in a fixed frame.
#[derive(Clone, Debug, PartialEq)]
pub struct PlacedObject {
    /// Lower-case category.
    pub category: String,
    /// The cell it was imagined in.
    pub cell: Cell,
    /// Metres along x of the fixed frame, of the cell's centre.
    pub x: f64,
    /// Metres along y of the fixed frame, of the cell's centre.
    pub y: f64,
}

/// Centre of a cell in the robot's frame, (forward, left) in metres; `None` for a map without scale or robot.
pub fn base_from_cell(map: &ImaginedMap, cell: Cell) -> Option<(f64, f64)> {
    let (size, robot) = (f64::from(map.cell_size_m?), map.robot?);
    let steps = |from: u8, to: u8| f64::from(from) - f64::from(to);
    Some((steps(robot.y, cell.y) * size, steps(robot.x, cell.x) * size))
}

/// Every object in the fixed frame; `None` for a map without scale or robot, which can't be registered.
pub fn place(map: &ImaginedMap, robot: &PlanPose) -> Option<Vec<PlacedObject>> {
    base_from_cell(map, map.robot?)?;
    let objects = map.objects.iter().filter_map(|object| {
        let (forward, left) = base_from_cell(map, object.cell)?;
        let (x, y) = robot.fixed_from_base(forward, left);
        Some(PlacedObject { category: object.category.clone(), cell: object.cell, x, y })
    });
    Some(objects.collect())
}

/// The pose as a transform `fixed_from_base`, on the ground.
impl From<PlanPose> for Isometry3<f64> {
    fn from(pose: PlanPose) -> Self {
        let rotation = nalgebra::UnitQuaternion::from_axis_angle(&nalgebra::Vector3::z_axis(), pose.yaw_rad);
        Self::from_parts(Point3::new(pose.x, pose.y, 0.0).into(), rotation)
    }
}
