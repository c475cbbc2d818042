//! From cells to metres.

use geometry::PlanPose;
use msgs::{Cell, ImaginedMap};

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
