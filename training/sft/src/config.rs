//! A training recipe: as written in TOML, every key named, unknown keys refused.

use std::path::{Path, PathBuf};

use episodes::LoggedShare;
use optimiser::{AdamWSettings, TrapezoidSchedule};
use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// A recipe for supervised fine-tuning from scratch or from a checkpoint.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// Where training clips come from.
    pub data: DataConfig,
    /// Optimiser and its schedule.
    pub optimiser: OptimiserConfig,
    /// Weights of the parts of the loss.
    pub loss: LossConfig,
}

/// Where training clips come from.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct DataConfig {
    /// Seed of the weights' initialisation and of the clip stream.
    pub seed: u64,
    /// Clips per optimiser step, over all shards.
    pub clips_per_step: usize,
    /// Data-parallel threads; each makes and learns from its share of the clips.
    pub shards: usize,
    /// Questions per clip, which share its frames.
    pub questions_per_clip: usize,
    /// Of these, how many on average carry the whole completion; the others end where the map begins.
    pub whole_completions_per_clip: f64,
    /// Share of clips whose prompt states no camera facts.
    pub unknown_camera_share: f64,
    /// Share of samples that are walks of up to 16 frames with questions of every kind; the others are clips of two.
    #[serde(default)]
    pub walk_share: f64,
    /// Folder of logged episodes, as `spacer-train episodes` writes them, that samples are taken from too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub episodes: Option<PathBuf>,
    /// Share of samples from there.
    #[serde(default)]
    pub episode_share: f64,
    /// Name of a furniture pack in the cache folder that `make furniture-extra` has filled, beside the bundled one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extra_furniture: Option<String>,
}

impl DataConfig {
    /// Logged episodes among the samples.
    pub fn logged(&self) -> Option<LoggedShare> {
        self.episodes.clone().map(|folder| LoggedShare { folder, share: self.episode_share })
    }
}

/// Optimiser and its schedule.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct OptimiserConfig {
    /// Optimiser steps of the whole run.
    pub steps: u64,
    /// Steps of linear warm-up.
    pub warmup_steps: u64,
    /// Steps of linear decay to zero at the end.
    pub decay_steps: u64,
    /// Peak learning rate of AdamW.
    pub learning_rate: f64,
    /// Peak learning rate of [Muon](optimiser::muon), which has the matrices of hidden layers; without it AdamW has them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub matrix_learning_rate: Option<f64>,
    /// Decoupled weight decay of matrices.
    pub weight_decay: f64,
    /// Limit of the gradients' joint L2 norm.
    pub clip_norm: f64,
}

impl OptimiserConfig {
    /// The schedule.
    pub fn schedule(&self) -> TrapezoidSchedule {
        TrapezoidSchedule {
            peak: self.learning_rate,
            warmup_steps: self.warmup_steps,
            decay_steps: self.decay_steps,
            total_steps: self.steps,
        }
    }

    /// Muon's learning rate over AdamW's.
    pub fn matrix_rate(&self) -> Option<f64> {
        self.matrix_learning_rate.map(|rate| rate / self.learning_rate)
    }

    /// The constants of AdamW.
    pub fn adamw(&self) -> AdamWSettings {
        AdamWSettings { weight_decay: self.weight_decay, ..AdamWSettings::default() }
    }
}

/// Weights of the parts of the loss. The sum over a clip's targets is divided by its number of questions.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct LossConfig {
    /// Each token of fixed wording.
    pub words: f32,
    /// The token that says whether the object is in sight.
    pub presence: f32,
    /// What answers in the statement: the number, or each token of the words.
    pub value: f32,
    /// Each token of the map.
    pub map: f32,
    /// Each token of the answer.
    pub answer: f32,
    /// Deviation of the soft target of a number, in its natural logarithm.
    pub number_sigma: f64,
    /// Cross-entropy of the class of each patch, read from the vision tower.
    pub patch_class: f64,
    /// L1 of ln(depth) and ln(distance) per patch, read from the decoder's lower half.
    pub patch_range: f64,
    /// L1 of the plan position per patch in metres, as seen from the first frame, read there too.
    #[serde(default)]
    pub patch_place: f64,
}

impl Recipe {
    /// Reads a recipe.
    ///
    /// # Errors
    /// When the file is absent, a key is missing or unknown, or a number is out of its range.
    pub fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).map_err(|source| Error::File { path: path.to_owned(), source })?;
        let refuse = |reason: String| Error::Config { path: path.to_owned(), reason };
        let recipe: Self = toml::from_str(&text).map_err(|e| refuse(e.to_string()))?;
        recipe.validate().map_err(refuse)?;
        Ok(recipe)
    }

    fn validate(&self) -> std::result::Result<(), String> {
        let data = &self.data;
        if data.shards == 0 || !data.clips_per_step.is_multiple_of(data.shards) {
            return Err(format!(
                "data.clips_per_step: expected a multiple of data.shards = {}, found {}",
                data.shards, data.clips_per_step
            ));
        }
        if !(0.0..=data.questions_per_clip as f64).contains(&data.whole_completions_per_clip) {
            return Err(format!(
                "data.whole_completions_per_clip: expected 0 to data.questions_per_clip = {}, found {}",
                data.questions_per_clip, data.whole_completions_per_clip
            ));
        }
        for (name, share) in [("walk_share", data.walk_share), ("episode_share", data.episode_share)] {
            if !(0.0..=1.0).contains(&share) {
                return Err(format!("data.{name}: expected 0 to 1, found {share}"));
            }
        }
        if data.episodes.is_some() != (data.episode_share > 0.0) {
            return Err("data.episodes and data.episode_share: expected both or none".to_owned());
        }
        let optimiser = &self.optimiser;
        if optimiser.warmup_steps + optimiser.decay_steps > optimiser.steps {
            return Err(format!(
                "optimiser: expected warmup_steps + decay_steps at most steps = {}, found {}",
                optimiser.steps,
                optimiser.warmup_steps + optimiser.decay_steps
            ));
        }
        Ok(())
    }
}
