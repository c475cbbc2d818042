//! Simulated furnished rooms with exact truth.

pub mod appearance;
pub mod body;
pub mod camera;
pub mod catalogue;
pub mod footprint;
pub mod mesh;
pub mod raster;
mod shade;
pub mod decor;
pub mod path;
pub mod placement;
pub mod room;
pub mod world;
pub mod clip;
pub mod noise;
pub mod questions;
pub mod truth;
