//! From a question to the first token of its answer, and what a frame pair costs before that.

use std::time::Instant;

use anyhow::{Context, Result};
use vlm::ImageEmbeds;

use super::figure::{Aim, Figure, median};
use super::frames::{camera_frame, noise, ring};
use super::model::{Model, greedy, timed};

const FRAMES: usize = 32;
/// Width and height.
const SIZE: (usize, usize) = (448, 252);
const QUESTION: &str = "How far is the door? Answer with a number in metres.";
const FOLLOW_UP: &str = "How many chairs are there? Answer with a number.";

/// Hot over cold, and a follow-up over a text-only prompt of as many tokens.
pub(super) fn measure(model: &Model, rounds: usize) -> Result<Vec<Figure>> {
    let engine = &model.engine;
    let frames: Vec<Vec<u8>> = (0..FRAMES).map(frame).collect();
    let settings = greedy(1);
    let (inputs, embeds) = asked(model, &frames)?;
    // A system prompt and a window are read ahead; so is the room for a question.
    let mut prefix = engine.empty_prefix();
    engine.extend_prefix(&mut prefix, &inputs, &embeds, engine.vision_end(&inputs))?;
    let question = inputs.input_ids.len() - prefix.tokens();
    engine.reserve_prefix(&mut prefix, question + 256)?;
    let (_, cold_secs) = timed(|| {
        let (inputs, embeds) = asked(model, &frames)?;
        Ok(engine.generate(&inputs, &embeds, &settings, &mut |_| {})?)
    })?;
    let follow_up = model.question(&frames, SIZE, FOLLOW_UP)?;
    let text = model.text(follow_up.input_ids.len() - prefix.tokens());
    let (mut hot, mut follow_ups) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        let first = |inputs| -> Result<f64> {
            Ok(timed(|| Ok(engine.generate_from(&prefix, (inputs, &embeds), &settings, &mut |_| {})?))?.1)
        };
        hot.push(first(&inputs)? / cold_secs);
        let (_, text_secs) = timed(|| Ok(engine.generate(&text, &[], &settings, &mut |_| {})?))?;
        follow_ups.push(first(&follow_up)? / text_secs);
    }
    let question = format!("question to first token, {FRAMES} frames of {}x{}", SIZE.0, SIZE.1);
    let text = format!("follow-up to first token, over {} tokens of text only", text.input_ids.len());
    Ok(vec![
        Figure::new(format!("{question}, cold"), cold_secs, "s"),
        Figure::new(format!("{question}, hot over cold"), median(hot), "x").aim(Aim::AtMost(0.1)),
        Figure::new(text, median(follow_ups), "x").aim(Aim::AtMost(1.2)),
    ])
}

/// Two camera frames into the ring and from there to patches, over encoding the patches.
pub(super) fn measure_preprocessing(model: &Model, rounds: usize) -> Result<Figure> {
    let (height, width) = model.processor.preprocessor().video_size(SIZE.1, SIZE.0)?;
    let ring = ring(2, (width as u32, height as u32))?;
    let camera = noise();
    let mut shares = Vec::with_capacity(rounds);
    for round in 0..rounds {
        let start = Instant::now();
        ring.push(&camera_frame(&camera, 2 * round))?;
        ring.push(&camera_frame(&camera, 2 * round + 1))?;
        let window = ring.window(2);
        let views = window.frames.iter().map(|frame| processor::RgbView::new(width, height, &frame.rgb));
        let video = model.processor.video(&views.collect::<processor::Result<Vec<_>>>()?, 2.0)?;
        let preprocessing_secs = start.elapsed().as_secs_f64();
        let [_, rows, columns] = video.grid_thw;
        let (_, secs) = timed(|| Ok(model.engine.encode_pair(&video.pixel_values, [rows, columns])?))?;
        shares.push(100.0 * preprocessing_secs / secs);
    }
    let name = format!("two 1080p frames to patches, over encoding the {width}x{height} pair");
    Ok(Figure::new(name, median(shares), "%").aim(Aim::AtMost(5.0)))
}

/// A question, preprocessed and encoded.
fn asked(model: &Model, frames: &[Vec<u8>]) -> Result<(processor::ModelInputs, Vec<ImageEmbeds>)> {
    let inputs = model.question(frames, SIZE, QUESTION)?;
    let embeds = model.engine.encode_all(&inputs).context("vision")?;
    Ok((inputs, embeds))
}

/// A wall that slides by.
fn frame(time: usize) -> Vec<u8> {
    let shade = |at: usize| if (at % SIZE.0 + 7 * time) % 80 < 20 { 200 } else { 70 };
    (0..SIZE.0 * SIZE.1).flat_map(|at| [shade(at), 120, (at / SIZE.0 / 2) as u8]).collect()
}
