//! Reward and metric functions.
