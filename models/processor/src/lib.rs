//! Everything before tensors meet an engine: resize, patches, chat template, tokens, mrope ids.
