//! A ring of camera frames that never allocates after start.
