//! Writes ONNX models from checkpoints.
