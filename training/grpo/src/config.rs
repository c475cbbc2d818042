//! A recipe: as written in TOML, every key documented with its unit and the paper's name, unknown keys refused.

use std::path::PathBuf;

use episodes::LoggedShare;
use optimiser::ScheduleKind;
use policy::{ComputeConfig, LoraSettings};
use scoring::{AbstentionReward, Matching, OverlongShaping};
use serde::{Deserialize, Serialize};

use crate::objective::{Clip, Normalisation};

/// A recipe for SG-RLVR. What it leaves out is as in the paper.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// The model directory to start from, relative to the working directory; the reference policy π_ref.
    pub model: PathBuf,
    /// A folder with a LoRA adapter in PEFT's format to start from, over the model's frozen weights.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adapter: Option<PathBuf>,
    /// Where scenes come from.
    pub data: DataConfig,
    /// Sampling.
    #[serde(default)]
    pub rollout: RolloutConfig,
    /// Rewards.
    #[serde(default)]
    pub reward: RewardConfig,
    /// Advantages.
    #[serde(default)]
    pub advantage: AdvantageConfig,
    /// The objective.
    #[serde(default)]
    pub objective: ObjectiveConfig,
    /// Optimiser and its schedule.
    pub optimiser: OptimiserConfig,
    /// A new low-rank adapter; without it and without `adapter` every weight is trained.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lora: Option<LoraSettings>,
    /// Evaluation, early stop and checkpoints.
    #[serde(default)]
    pub run: RunConfig,
    /// Device and precision.
    #[serde(default)]
    pub compute: ComputeConfig,
}

/// Where scenes come from.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct DataConfig {
    /// Seed of scenes and completions.
    pub seed: u64,
    /// Scenes whose gradients are added up for one update: gradient accumulation.
    pub scenes_per_step: usize,
    /// Questions about each scene, which share its vision pass.
    pub questions_per_scene: usize,
    /// Training scenes before they come again: an epoch. Without it every scene is new.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epoch_scenes: Option<u64>,
    /// Threads that share a step's scenes.
    #[serde(default = "one")]
    pub threads: usize,
    /// Share of scenes whose prompt states no camera facts, 0 to 1.
    #[serde(default)]
    pub unknown_camera_share: f64,
    /// Share of scenes that are walks of up to 16 frames with questions of every kind; the others are clips of two.
    #[serde(default)]
    pub walk_share: f64,
    /// Folder of logged episodes, as `spacer-train episodes` writes them, that scenes are taken from too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub episodes: Option<PathBuf>,
    /// Share of scenes from there.
    #[serde(default)]
    pub episode_share: f64,
    /// Name of a furniture pack in the cache folder, beside the bundled one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extra_furniture: Option<String>,
}

impl DataConfig {
    /// Logged episodes among the scenes.
    ///
    /// # Errors
    /// As [`LoggedShare::chosen`].
    pub fn logged(&self) -> Result<Option<LoggedShare>, String> {
        LoggedShare::chosen(self.episodes.as_deref(), self.episode_share)
    }
}

fn one() -> usize {
    1
}

/// Sampling.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct RolloutConfig {
    /// Completions of each prompt: G.
    pub group_size: usize,
    /// Divides the logits.
    pub temperature: f64,
    /// Probability of the nucleus, in (0, 1].
    pub top_p: f64,
    /// Longest completion, tokens.
    pub max_completion_tokens: usize,
    /// Longest prompt, tokens; a longer one is an error.
    pub max_prompt_tokens: usize,
    /// An OpenAI-compatible server that samples, such as vLLM: `http://host:port`. It gets the adapter at each step.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
    /// C, where a token's ratio between the trained policy and the server's is truncated (truncated importance sampling,
    /// Yao et al. 2025).
    pub importance_cap: f64,
}

impl Default for RolloutConfig {
    fn default() -> Self {
        Self {
            group_size: 8,
            temperature: 1.0,
            top_p: 0.95,
            max_completion_tokens: 1024,
            max_prompt_tokens: 16_384,
            server: None,
            importance_cap: 2.0,
        }
    }
}

/// Rewards.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct RewardConfig {
    /// The map reward: SG-RLVR; false is plain GRPO.
    pub map: bool,
    /// Counts categories that the truth lacks against the map.
    pub map_penalise_extra: bool,
    /// `greedy` as released, or `hungarian`.
    pub map_matching: Matching,
    /// The temporal reward of Video-R1: G/2 more completions with frames in random order.
    pub temporal: bool,
    /// The length reward of Video-R1: 320 to 512 tokens.
    pub length: bool,
    /// Soft overlong punishment (DAPO), tokens.
    pub overlong: Option<OverlongShaping>,
    /// Accuracy of a number given for what is absent; below 0.
    pub number_for_absent: f64,
}

impl Default for RewardConfig {
    fn default() -> Self {
        Self {
            map: true,
            map_penalise_extra: false,
            map_matching: Matching::Greedy,
            temporal: false,
            length: false,
            overlong: None,
            number_for_absent: AbstentionReward::default().number_for_absent,
        }
    }
}

/// Advantages.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct AdvantageConfig {
    /// Divides by the group's standard deviation; false in Dr. GRPO.
    pub divide_by_std: bool,
    /// Dynamic sampling (DAPO): groups of equal rewards are replaced by those of further scenes, at most this many scenes
    /// a step; 0 = off.
    pub dynamic_sampling_scenes: usize,
}

impl Default for AdvantageConfig {
    fn default() -> Self {
        Self { divide_by_std: true, dynamic_sampling_scenes: 0 }
    }
}

/// The objective.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct ObjectiveConfig {
    /// β, weight of the divergence from the reference policy; 0 saves its pass.
    pub kl_beta: f64,
    /// Clip-higher (DAPO): ε_low and ε_high.
    pub clip: Option<Clip>,
    /// `completion` (GRPO), `token` (DAPO) or `constant` (Dr. GRPO).
    pub normalisation: Normalisation,
    /// Optimiser steps on each batch of rollouts: μ.
    pub updates_per_rollout: usize,
}

impl Default for ObjectiveConfig {
    fn default() -> Self {
        Self { kl_beta: 0.04, clip: None, normalisation: Normalisation::Completion, updates_per_rollout: 1 }
    }
}

/// Optimiser (AdamW) and its schedule.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct OptimiserConfig {
    /// Batches of rollouts of the whole run.
    pub steps: u64,
    /// Peak learning rate.
    #[serde(default = "learning_rate")]
    pub learning_rate: f64,
    /// `cosine`, `constant` or `trapezoid`.
    #[serde(default)]
    pub schedule: ScheduleKind,
    /// Updates of linear warm-up.
    #[serde(default)]
    pub warmup_updates: u64,
    /// Updates of linear decay to zero at the end of a trapezoid.
    #[serde(default)]
    pub decay_updates: u64,
    /// Decoupled weight decay of matrices.
    #[serde(default = "weight_decay")]
    pub weight_decay: f64,
    /// Limit of the gradients' joint L2 norm.
    #[serde(default = "clip_norm")]
    pub clip_norm: f64,
    /// Runs vision blocks and decoder layers again in the backward pass instead of keeping what they computed.
    #[serde(default)]
    pub gradient_checkpointing: bool,
}

fn learning_rate() -> f64 {
    1e-6
}

fn weight_decay() -> f64 {
    0.01
}

fn clip_norm() -> f64 {
    5.0
}

/// Evaluation, early stop and checkpoints.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct RunConfig {
    /// Steps between evaluations; 0 = none.
    pub evaluate_every: u64,
    /// Held-out scenes of an evaluation.
    pub evaluation_scenes: u64,
    /// Divides the logits in evaluations.
    pub evaluation_temperature: f64,
    /// Completions written out with their rewards at each evaluation.
    pub samples: usize,
    /// Stops after this many evaluations without a new best mean reward; 0 = never.
    pub patience: u64,
    /// Steps between checkpoints.
    pub checkpoint_every: u64,
    /// Checkpoints kept.
    pub checkpoints_kept: usize,
}

impl Default for RunConfig {
    fn default() -> Self {
        Self {
            evaluate_every: 50,
            evaluation_scenes: 32,
            evaluation_temperature: 0.01,
            samples: 4,
            patience: 0,
            checkpoint_every: 50,
            checkpoints_kept: 2,
        }
    }
}
