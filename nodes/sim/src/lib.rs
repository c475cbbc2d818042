//! Simulated furnished rooms with exact truth.

pub mod appearance;
pub mod body;
pub mod camera;
pub mod catalogue;
pub mod clip;
pub mod closest;
pub mod decor;
pub mod footprint;
pub mod mesh;
pub mod noise;
pub mod path;
pub mod placement;
pub mod plan;
pub mod questions;
pub mod raster;
pub mod room;
mod shade;
pub mod truth;
pub mod watch;
pub mod world;
