//! Training samples: clips, questions, completions.
