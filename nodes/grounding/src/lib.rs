//! From a question's text to its kind, from a model's text to a typed answer.
