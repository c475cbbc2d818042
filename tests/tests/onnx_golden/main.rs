//! The exported graphs on ONNX Runtime equal transformers on every case of the golden data:
//! `parity`, merged image embeds, logits, greedy tokens; and the engine's other promises on a real model:
//! `engine`, the KV cache, threads and repetition change nothing; `refusals`, broken files and inputs are named;
//! `prefix`, `samples`, `constraint`, `draft`, four ways to be faster or stricter that change no token; `providers`,
//! every refusal has its reason; `determinism`, all of that on one and two threads.

mod constraint;
mod determinism;
mod draft;
mod engine;
mod golden;
mod nano;
mod parity;
mod prefix;
mod providers;
mod refusals;
mod samples;
