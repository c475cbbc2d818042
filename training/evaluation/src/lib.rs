//! Judges a model directory as the robot runs it.
