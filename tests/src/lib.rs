//! What proves the whole: one file under `tests/`, one promise.
