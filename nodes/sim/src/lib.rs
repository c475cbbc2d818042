//! Simulated furnished rooms with exact truth.

pub mod catalogue;
pub mod mesh;
