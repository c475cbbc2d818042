//! Simulated furnished rooms with exact truth.

pub mod appearance;
pub mod body;
pub mod camera;
pub mod catalogue;
pub mod clip;
mod colours;
pub mod decor;
pub mod fixtures;
pub mod footprint;
pub mod free_space;
pub mod lens;
pub mod mesh;
pub mod noise;
pub mod path;
mod patterns;
pub mod placement;
pub mod questions;
pub mod raster;
pub mod room;
mod shade;
pub mod shadow;
mod shapes;
pub mod truth;
mod view;
pub mod world;
