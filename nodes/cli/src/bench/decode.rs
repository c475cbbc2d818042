//! Decoding: tokens per second beside onnxruntime-genai, the share of the memory's speed, and what a grammar costs.

use anyhow::Result;
use vlm::{AnswerFormat, AnswerShape, GenerateSettings};

use super::copy_bandwidth::copy_bytes_per_sec;
use super::figure::{Aim, Figure, median};
use super::genai::Genai;
use super::model::{Model, greedy, timed};

/// Tokens of the prompt.
pub(super) const PROMPT: usize = 64;
/// Tokens decoded in a round.
pub(super) const TOKENS: usize = 32;
/// Turns that the programs take in one of the caller's rounds: they are short, and machines noisy.
const TURNS: usize = 4;

/// Our tokens per second over those of each package that `genai` has loaded, turn by turn; who begins changes.
pub(super) fn measure(model: &Model, mut genai: Option<Genai>, rounds: usize) -> Result<Vec<Figure>> {
    let (mut ours, mut theirs, mut shares) = (Vec::new(), Vec::new(), Vec::new());
    let mut their_turn =
        || -> Result<Vec<(String, f64)>> { genai.as_mut().map_or_else(|| Ok(Vec::new()), Genai::round) };
    for turn in 0..TURNS * rounds {
        let early = if turn % 2 == 1 { Some(their_turn()?) } else { None };
        let speed = tokens_per_sec(model)?;
        let their_speeds = early.map_or_else(&mut their_turn, Ok)?;
        ours.push(speed);
        shares.push(100.0 * model.decoder_bytes as f64 * speed / copy_bytes_per_sec());
        theirs.push(their_speeds.into_iter().map(|(name, their)| (name, speed / their)).collect::<Vec<_>>());
    }
    let share = Figure::new("decode: weight bytes read, over copying memory (read + written)", median(shares), "%");
    let mut figures = vec![Figure::new("decode", median(ours), "tokens/s"), share];
    for package in 0..theirs.first().map_or(0, Vec::len) {
        let ratios = theirs.iter().map(|round| round[package].1).collect();
        let name = format!("decode, over onnxruntime-genai on {}", theirs[0][package].0);
        figures.push(Figure::new(name, median(ratios), "x").aim(Aim::AtLeast(1.0)));
    }
    Ok(figures)
}

fn tokens_per_sec(model: &Model) -> Result<f64> {
    Ok(decode(model)?.1)
}

/// [`TOKENS`] greedy tokens, and how many a second.
pub(crate) fn decode(model: &Model) -> Result<(Vec<u32>, f64)> {
    let mut state = model.engine.prefill(&model.text(PROMPT), &[])?;
    model.engine.reserve(&mut state, TOKENS)?;
    let generation = model.engine.complete(&mut state, &greedy(TOKENS), &mut |_| {})?;
    let speed = (generation.token_ids.len() - 1) as f64 / (generation.decode_secs - generation.first_token_secs);
    Ok((generation.token_ids, speed))
}

/// Time per token under the grammar of an answer, over that without.
pub(super) fn measure_constraint(model: &Model, rounds: usize) -> Result<Figure> {
    let format = AnswerFormat { answer: AnswerShape::Number, abstention: Some("not seen".into()), map_required: true };
    let constraint = model.engine.constraint(&format.grammar())?;
    let constrained = GenerateSettings { constraint: Some(constraint), ..greedy(TOKENS) };
    let state = model.engine.prefill(&model.text(PROMPT), &[])?;
    let per_token = |settings: &GenerateSettings| -> Result<f64> {
        let mut state = state.clone();
        let (generation, secs) = timed(|| Ok(model.engine.complete(&mut state, settings, &mut |_| {})?))?;
        Ok(secs / generation.token_ids.len().max(1) as f64)
    };
    let mut ratios = Vec::with_capacity(rounds);
    for _ in 0..rounds {
        ratios.push(per_token(&constrained)? / per_token(&greedy(TOKENS))?);
    }
    Ok(Figure::new("decode: time per token, constrained over free", median(ratios), "x").aim(Aim::AtMost(1.05)))
}
