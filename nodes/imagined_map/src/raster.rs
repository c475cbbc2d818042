//! The map as a grid of observed, imagined and unknown cells.

use geometry::PlanPose;
use msgs::{GRID_SIZE, ImaginedMap};

use crate::base_from_cell;

/// What is known of a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GridState {
    /// Nothing.
    Unknown,
    /// The robot itself stands here.
    Observed,
    /// The model imagines an object here.
    Imagined,
}

impl GridState {
    /// The value in `nav_msgs/OccupancyGrid`: -1 unknown, 0 free (observed), 75 imagined (below a wall's 100, so that
    /// a planner can weigh imagination less than a sensor).
    pub fn occupancy(self) -> i8 {
        match self {
            Self::Unknown => -1,
            Self::Observed => 0,
            Self::Imagined => 75,
        }
    }
}

/// A square grid in the order of `nav_msgs/OccupancyGrid`: columns along the robot's forward axis, rows to its left.
#[derive(Clone, Debug, PartialEq)]
pub struct Raster {
    /// Cells per side.
    pub size: usize,
    /// Side of a cell, metres.
    pub resolution_m: f64,
    /// Pose of the corner of cell (0, 0) in the fixed frame; the grid's x axis is the robot's heading.
    pub origin: PlanPose,
    /// `size * size` cells; index = `left * size + forward`.
    pub cells: Vec<GridState>,
}

/// Rasters a map around a robot; `None` for a map without scale or robot.
pub fn raster(map: &ImaginedMap, robot: &PlanPose) -> Option<Raster> {
    let robot_cell = map.robot?;
    let resolution_m = f64::from(map.cell_size_m?);
    let mut cells = vec![GridState::Unknown; GRID_SIZE * GRID_SIZE];
    let last = GRID_SIZE - 1;
    // Forward runs against y (down), left runs against x (right).
    let index = |x: u8, y: u8| {
        let (left, forward) = (last.checked_sub(usize::from(x))?, last.checked_sub(usize::from(y))?);
        Some(left * GRID_SIZE + forward)
    };
    cells[index(robot_cell.x, robot_cell.y)?] = GridState::Observed;
    for object in &map.objects {
        if let Some(index) = index(object.cell.x, object.cell.y) {
            cells[index] = GridState::Imagined;
        }
    }
    let (forward, left) = base_from_cell(map, msgs::Cell { x: last as u8, y: last as u8 })?;
    let (x, y) = robot.fixed_from_base(forward - resolution_m / 2.0, left - resolution_m / 2.0);
    Some(Raster { size: GRID_SIZE, resolution_m, origin: PlanPose { x, y, yaw_rad: robot.yaw_rad }, cells })
}
