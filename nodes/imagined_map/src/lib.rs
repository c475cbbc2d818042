//! The model's map: parsed, metric, placed in a frame.
