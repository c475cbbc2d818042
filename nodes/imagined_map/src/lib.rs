//! The model's map: parsed, metric, placed in a frame.
//!
//! Convention: a grid of [`msgs::GRID_SIZE`] squared cells; `x` grows right, `y` grows down, up is the robot's heading
//! at the newest frame. With `cell_size_m` and `robot` a cell lies at `forward = (robot.y - y) * cell_size_m` and
//! `left = (robot.x - x) * cell_size_m` of the robot (REP-103). Parsing is lenient: it meets what a network wrote.

mod parse;
mod place;
mod raster;
mod text;

pub use parse::{MAX_TEXT_BYTES, parse};
pub use place::{PlacedObject, base_from_cell, place};
pub use raster::{GridState, Raster, raster};
pub use text::{render_text, to_dictionary};
