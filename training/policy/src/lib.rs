//! Qwen2.5-VL in candle, differentiable.
