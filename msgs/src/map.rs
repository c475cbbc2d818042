//! What the model imagined.

use serde::{Deserialize, Serialize};

/// Cells along each side of an imagined map (SpaceR, arXiv 2504.01805).
pub const GRID_SIZE: usize = 10;

/// A cell of the grid: `x` grows right, `y` grows down, both in `0..GRID_SIZE`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Cell {
    /// Column, from the left.
    pub x: u8,
    /// Row, from the top.
    pub y: u8,
}

/// One object of a map.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MapObject {
    /// Lower-case category, for instance `chair`.
    pub category: String,
    /// The cell that holds the object's centre.
    pub cell: Cell,
}

/// A map as the model writes it: up is the robot's heading at the newest frame.
///
/// With `cell_size_m` and `robot` the map is metric and can be placed in the robot's frame; without them (original
/// SpaceR weights) it is a sketch without scale.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ImaginedMap {
    /// The objects, in the order written.
    pub objects: Vec<MapObject>,
    /// Side of a cell in metres, where stated.
    pub cell_size_m: Option<f32>,
    /// The robot's cell, where stated.
    pub robot: Option<Cell>,
}
