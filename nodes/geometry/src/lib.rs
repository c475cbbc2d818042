//! Frames, cameras and rigid transforms.
