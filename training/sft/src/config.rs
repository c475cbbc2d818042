//! A training recipe: as written in TOML, every key documented with its unit, unknown keys refused.

use std::path::{Path, PathBuf};

use episodes::LoggedShare;
use optimiser::ranges::{at_least, positive, within};
use optimiser::{AdamWSettings, Schedule, ScheduleKind};
use policy::{ComputeConfig, LoraSettings, Trained};
use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// A recipe for supervised fine-tuning from scratch or from a checkpoint.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// The model directory, relative to the working directory: configuration, tokenizer, wording, and the weights to start
    /// from.
    pub model: PathBuf,
    /// Starts with new weights from the seed instead of the model's.
    #[serde(default)]
    pub from_scratch: bool,
    /// Model directory whose weights new ones begin with, as far as it has them: it may have fewer layers and another
    /// vocabulary. Only with `from_scratch`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub carry_over_from: Option<PathBuf>,
    /// A folder with a LoRA adapter in PEFT's format to start from, over the model's frozen weights.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adapter: Option<PathBuf>,
    /// Where training clips come from.
    pub data: DataConfig,
    /// Optimiser and its schedule.
    pub optimiser: OptimiserConfig,
    /// A new low-rank adapter; without it and without `adapter` every weight is trained.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lora: Option<LoraSettings>,
    /// Weights of the parts of the loss.
    pub loss: LossConfig,
    /// Evaluation, early stop and checkpoints.
    #[serde(default)]
    pub run: RunConfig,
    /// Device and precision.
    #[serde(default)]
    pub compute: ComputeConfig,
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
    /// Number of different walks, which come again in turn with new questions, kept in at most 8 GiB of memory; 0 = every
    /// walk is new.
    #[serde(default)]
    pub walks: u64,
    /// Drills beside the questions of a walk: questions that see no frames and are given the places of what they are about,
    /// to learn what follows from them. They count as no questions where the loss is divided.
    #[serde(default)]
    pub drills_per_walk: usize,
    /// Times that a walk is asked where everything in it is.
    #[serde(default)]
    pub roll_calls_per_walk: usize,
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
    ///
    /// # Errors
    /// As [`LoggedShare::chosen`].
    pub fn logged(&self) -> std::result::Result<Option<LoggedShare>, String> {
        LoggedShare::chosen(self.episodes.as_deref(), self.episode_share)
    }
}

/// Optimiser and its schedule.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct OptimiserConfig {
    /// Optimiser steps of the whole run.
    pub steps: u64,
    /// `trapezoid`, `cosine` or `constant`.
    #[serde(default = "trapezoid")]
    pub schedule: ScheduleKind,
    /// Steps of linear warm-up.
    #[serde(default)]
    pub warmup_steps: u64,
    /// Steps of linear decay to zero at the end of a trapezoid.
    #[serde(default)]
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
    /// Leaves the vision tower as it is. What it makes of walks that come again is kept, which saves most of a step;
    /// `loss.patch_class`, which would train it, must be 0.
    #[serde(default)]
    pub freeze_vision: bool,
    /// Runs vision blocks and decoder layers again in the backward pass instead of keeping what they computed.
    #[serde(default)]
    pub gradient_checkpointing: bool,
}

fn trapezoid() -> ScheduleKind {
    ScheduleKind::Trapezoid
}

impl OptimiserConfig {
    /// The schedule of AdamW's rate.
    pub fn schedule(&self) -> Schedule {
        Schedule {
            kind: self.schedule,
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
    /// Each coordinate of what an answer rests on, as far as the model's tokenizer lets it state them.
    #[serde(default)]
    pub place: f32,
    /// Each heading, turn and distance that an answer is worked out by from places.
    #[serde(default)]
    pub working: f32,
    /// What answers in the statement: the number, or each token of the words.
    pub value: f32,
    /// Each token of the map.
    pub map: f32,
    /// Each token of the answer.
    pub answer: f32,
    /// What a drill is about: the working, the number, each token of the words, the letter.
    #[serde(default)]
    pub drill: f32,
    /// Deviation of the soft target of a number, in its natural logarithm.
    pub number_sigma: f64,
    /// Cross-entropy of the class of each patch, read from the vision tower.
    pub patch_class: f64,
    /// L1 of ln(depth) and ln(distance) per patch, read from the decoder's lower half.
    pub patch_range: f64,
    /// Cross-entropy of the name of what each vision token shows, which the output layer reads off the decoder's lower half:
    /// what is seen is brought to where words look for it.
    #[serde(default)]
    pub token_name: f64,
    /// L1 of the plan position per patch in metres, as seen from the newest frame, read there too.
    #[serde(default)]
    pub patch_place: f64,
}

/// Evaluation, early stop and checkpoints.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct RunConfig {
    /// Steps between probes on held-out rooms; 0 = none.
    pub evaluate_every: u64,
    /// Held-out clips of a probe.
    pub evaluation_clips: u64,
    /// Stops after this many probes without a new lowest held-out loss; 0 = never.
    pub patience: u64,
    /// Steps between checkpoints; the weights are written with each.
    pub checkpoint_every: u64,
    /// Checkpoints kept.
    pub checkpoints_kept: usize,
}

impl Default for RunConfig {
    fn default() -> Self {
        Self { evaluate_every: 250, evaluation_clips: 96, patience: 0, checkpoint_every: 250, checkpoints_kept: 2 }
    }
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
        let questions = data.questions_per_clip as f64;
        within("data.whole_completions_per_clip", data.whole_completions_per_clip, 0.0..=questions)?;
        at_least("data.clips_per_step", data.clips_per_step as u64, 1)?;
        at_least("data.questions_per_clip", data.questions_per_clip as u64, 1)?;
        within("data.walk_share", data.walk_share, 0.0..=1.0)?;
        within("data.unknown_camera_share", data.unknown_camera_share, 0.0..=1.0)?;
        positive("loss.number_sigma", self.loss.number_sigma)?;
        positive("optimiser.learning_rate", self.optimiser.learning_rate)?;
        if self.optimiser.freeze_vision && self.loss.patch_class != 0.0 {
            let found = self.loss.patch_class;
            return Err(format!("loss.patch_class: expected 0 with optimiser.freeze_vision, found {found}"));
        }
        data.logged()?;
        self.validate_start()?;
        self.optimiser.schedule().check().map_err(|reason| format!("optimiser: {reason}"))?;
        at_least("run.evaluation_clips", self.run.evaluation_clips, 1)?;
        at_least("run.checkpoint_every", self.run.checkpoint_every, 1)?;
        at_least("run.checkpoints_kept", self.run.checkpoints_kept as u64, 1)
    }

    fn validate_start(&self) -> std::result::Result<(), String> {
        let adapters = usize::from(self.adapter.is_some()) + usize::from(self.lora.is_some());
        if self.carry_over_from.is_some() && !self.from_scratch {
            return Err("carry_over_from: expected from_scratch = true, found false".to_owned());
        }
        match (self.from_scratch, adapters) {
            (_, 2) => Err("expected adapter or [lora], found both".to_owned()),
            (true, 1) => Err("expected an adapter over the model's weights, found from_scratch = true".to_owned()),
            (false, 1) if self.optimiser.matrix_learning_rate.is_some() => {
                Err("optimiser.matrix_learning_rate: expected none with an adapter, whose matrices AdamW trains"
                    .to_owned())
            }
            _ => Ok(()),
        }
    }

    /// What is trained.
    pub fn trained(&self) -> Trained {
        Trained::chosen(self.adapter.as_deref(), self.lora.as_ref(), self.data.seed)
    }
}
