//! Simulated furnished rooms with exact truth.

pub mod appearance;
pub mod body;
pub mod camera;
pub mod catalogue;
pub mod clip;
pub mod decor;
pub mod footprint;
pub mod lens;
pub mod mesh;
pub mod noise;
pub mod path;
pub mod placement;
pub mod questions;
pub mod raster;
pub mod room;
mod shade;
pub mod shadow;
pub mod truth;
mod view;
pub mod world;
