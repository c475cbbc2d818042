//! Qwen2.5-VL on ONNX Runtime.
