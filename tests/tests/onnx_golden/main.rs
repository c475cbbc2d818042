//! The exported graphs on ONNX Runtime equal transformers on every case of the golden data:
//! `parity`, merged image embeds, logits, greedy tokens; and the engine's other promises on a real model:
//! `engine`, the KV cache, threads and repetition change nothing; `refusals`, broken files and inputs are named.

mod engine;
mod golden;
mod parity;
mod refusals;
