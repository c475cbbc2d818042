//! Simulated furnished rooms with exact truth.
