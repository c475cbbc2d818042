//! What is learnt from: frames, and questions about them whose answers can be judged.

use std::collections::BTreeSet;

use episodes::{Split, Tokens};
use msgs::ImaginedMap;
use processor::Processor;
use scoring::ProblemType;
use vlm::AnswerFormat;

use crate::Result;

/// All that judging an answer needs.
#[derive(Clone, Debug)]
pub struct Problem {
    /// By which rule.
    pub problem_type: ProblemType,
    /// The text that belongs inside the answer's tags.
    pub solution: String,
    /// The true map, for records that have one.
    pub map: Option<TrueMap>,
    /// The coverage of the interval that the question asks for, in (0, 1), if it asks for one.
    pub interval_coverage: Option<f64>,
    /// How the robot holds the model to an answer, where it does: of a model that states its answers, what it states before
    /// the map counts, whatever it writes into `<answer>`.
    pub format: Option<AnswerFormat>,
}

impl Problem {
    /// The answer of a completion, as the robot reads it; empty where there is none.
    #[must_use]
    pub fn answer_of(&self, completion: &str) -> String {
        let written = scoring::answer_text(completion);
        let Some(format) = self.format.as_ref().filter(|format| format.is_stated()) else { return written.to_owned() };
        let open = "<answer>";
        let thought = completion.find(open).and_then(|at| completion.get(..at + open.len()));
        thought.and_then(|thought| format.stated(thought)).map_or_else(String::new, |stated| stated.answer)
    }
}

/// A true map and the categories that count in it.
#[derive(Clone, Debug)]
pub struct TrueMap {
    /// The map.
    pub map: ImaginedMap,
    /// The record's category list, lower case.
    pub categories: BTreeSet<String>,
}

/// A question behind its frames, in tokens.
#[derive(Clone, Debug)]
pub struct Prompt {
    /// The whole prompt with its mrope positions, placeholders expanded.
    pub tokens: Tokens,
    /// How its answers are judged.
    pub problem: Problem,
}

/// Frames and the questions about them.
#[derive(Clone, Debug)]
pub struct Scene {
    /// Patch rows, [patches, patch_dim]; empty without frames.
    pub pixel_values: Vec<f32>,
    /// Patches in time, height and width.
    pub grid_thw: [usize; 3],
    /// Seconds from one grid step in time to the next; `None` without frames.
    pub second_per_grid: Option<f32>,
    /// The questions.
    pub prompts: Vec<Prompt>,
}

impl Scene {
    /// Whether there is an order of frames to speak of: more than one frame, and not one that fills a pair alone.
    #[must_use]
    pub fn is_video(&self) -> bool {
        match self.grid_thw[0] {
            0 => false,
            1 => reordered_frames(&self.pixel_values, self.grid_thw, &[1, 0]) != self.pixel_values,
            _ => true,
        }
    }
}

/// Where scenes come from. Scene `index` of a split is always the same, so a run's data position is a number.
pub trait SceneSource: Send + Sync {
    /// Scene `index` of `split`, with at least one prompt.
    ///
    /// # Errors
    /// When it can't be read or made.
    fn scene(&self, split: Split, index: u64) -> Result<Scene>;

    /// The processor whose tokens the prompts are made of.
    fn processor(&self) -> &Processor;
}

/// `pixel_values` with their frames in another order: frame i of the result is frame `order[i]`, two frames a temporal
/// patch. Rows are of `patch_dim` = channels · 2 · side², temporal index second (see `processor`). Lengths that don't fit
/// leave frames as they are.
#[must_use]
pub fn reordered_frames(pixel_values: &[f32], [times, height, width]: [usize; 3], order: &[usize]) -> Vec<f32> {
    let rows = height * width;
    let patch_dim = pixel_values.len() / (times * rows).max(1);
    // Three channels of two frames.
    let side = patch_dim / 6;
    let place = |frame: usize, row: usize, channel: usize| {
        ((frame / 2 * rows + row) * patch_dim) + (2 * channel + frame % 2) * side
    };
    let mut out = pixel_values.to_vec();
    for (to, &from) in order.iter().enumerate().take(2 * times) {
        for (row, channel) in (0..rows).flat_map(|row| (0..3).map(move |channel| (row, channel))) {
            let (target, source) = (place(to, row, channel), place(from, row, channel));
            if let (Some(target), Some(source)) =
                (out.get_mut(target..target + side), pixel_values.get(source..source + side))
            {
                target.copy_from_slice(source);
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_change_places_and_nothing_else() {
        // Two temporal patches of one row, three channels, one pixel a side: value = 10 · frame + channel.
        let value = |frame: usize, channel: usize| (10 * frame + channel) as f32;
        let pixels = |frames: [usize; 4]| -> Vec<f32> {
            let pair = |t: usize| (0..3).flat_map(move |c| [(2 * t, c), (2 * t + 1, c)]);
            (0..2).flat_map(pair).map(|(place, channel)| value(frames[place], channel)).collect()
        };
        let found = reordered_frames(&pixels([0, 1, 2, 3]), [2, 1, 1], &[3, 0, 2, 1]);
        assert_eq!(found, pixels([3, 0, 2, 1]));
    }

    #[test]
    fn one_picture_is_no_video() {
        let scene = |pixel_values: [f32; 6], times| Scene {
            pixel_values: if times == 0 { Vec::new() } else { pixel_values.to_vec() },
            grid_thw: [times, 1, 1],
            second_per_grid: None,
            prompts: Vec::new(),
        };
        let (still, moving) = ([1.0, 1.0, 2.0, 2.0, 3.0, 3.0], [1.0, 1.5, 2.0, 2.0, 3.0, 3.0]);
        assert_eq!([scene(still, 0), scene(still, 1), scene(moving, 1)].map(|s| s.is_video()), [false, false, true]);
    }
}
