//! The parity gate: exported graphs must reproduce the checkpoint's logits on the golden prompts of the model directory.
//!
//! Processor and engine run as for a question, so a changed tokenizer, template, preprocessor or graph is found, and so
//! is a quantisation that costs more than the manifest allows.

use model_dir::{ModelDir, ParityCase};
use processor::{Content, Message, ModelInputs, Processor, RgbView};
use vlm::Engine;

use crate::AnswerError;

/// Rate of the golden videos, frames per second.
const RATE_HZ: f64 = 2.0;

/// What the processor makes of a golden prompt.
///
/// # Errors
/// As [`Processor::prepare`].
pub fn inputs(processor: &Processor, case: &ParityCase) -> Result<ModelInputs, AnswerError> {
    let mut content = Vec::new();
    let mut videos = Vec::new();
    if let Some(frames) = &case.frames {
        let (width, height) = (frames.width, frames.height);
        let views: Vec<RgbView> = frames.rgb.iter().map(|data| RgbView { width, height, data }).collect();
        videos.push(processor.video(&views, RATE_HZ)?);
        content.push(Content::Video);
    }
    content.push(Content::Text(case.user.clone()));
    let messages = [Message::text("system", case.system.clone()), Message::new("user", content)];
    Ok(processor.prepare(&messages, vec![], videos)?)
}

/// Largest difference of a logit over the largest reference logit, over all golden prompts of the directory.
///
/// # Errors
/// [`AnswerError::ParityTokens`] when a prompt is spelt with other tokens, [`AnswerError::Parity`] past the manifest's
/// tolerance, [`AnswerError::NoParity`] when the manifest states none, and what reading or running may give.
pub fn check(
    directory: &ModelDir,
    cases: &[ParityCase],
    (processor, engine): (&Processor, &Engine),
) -> Result<f64, AnswerError> {
    let stated = directory.manifest().parity.ok_or_else(|| AnswerError::NoParity(directory.path().to_owned()))?;
    let mut largest = 0.0f64;
    for case in cases {
        let inputs = inputs(processor, case)?;
        if inputs.input_ids != case.input_ids {
            return Err(AnswerError::ParityTokens {
                model: directory.path().to_owned(),
                case: case.name.clone(),
                expected: case.input_ids.len(),
                found: inputs.input_ids.len(),
            });
        }
        let embeds = engine.encode_all(&inputs)?;
        let state = engine.prefill(&inputs, &embeds)?;
        let found = difference(state.logits(), &case.logits);
        if found.is_nan() || found > stated.tolerance {
            let (model, tolerance) = (directory.path().to_owned(), stated.tolerance);
            return Err(AnswerError::Parity { model, case: case.name.clone(), tolerance, found });
        }
        largest = largest.max(found);
    }
    Ok(largest)
}

/// max |found − expected| / max |expected|; infinite when the lengths differ.
fn difference(found: &[f32], expected: &[f32]) -> f64 {
    if found.len() != expected.len() {
        return f64::INFINITY;
    }
    let scale = expected.iter().fold(f32::MIN_POSITIVE, |most, v| most.max(v.abs()));
    let apart = found.iter().zip(expected).map(|(a, b)| f64::from((a - b).abs()));
    apart.fold(0.0, |most, v| if v > most || v.is_nan() { v } else { most }) / f64::from(scale)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_are_relative_and_nan_never_passes() {
        assert_eq!(difference(&[1.0, -4.5], &[1.0, -4.0]), 0.125);
        assert_eq!(difference(&[1.0], &[1.0, 2.0]), f64::INFINITY);
        assert!(difference(&[f32::NAN, 1.0], &[1.0, 1.0]).is_nan());
    }
}
