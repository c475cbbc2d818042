//! A recipe, validated: what each part of a run takes from it.

use std::path::Path;

use optimiser::ranges::{at_least, within};
use optimiser::{AdamWSettings, Schedule};
use scoring::{AbstentionReward, MapScoreSettings};

use crate::config::{ObjectiveConfig, OptimiserConfig, Recipe, RolloutConfig};
use crate::objective::ObjectiveSettings;
use crate::policies::Trained;
use crate::reward::RewardSettings;
use crate::rollout::RolloutSettings;
use crate::{Error, Result};

impl Recipe {
    /// Reads a recipe.
    ///
    /// # Errors
    /// When the file is absent, a key is missing or unknown, or a number is out of its range.
    pub fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).map_err(|source| Error::File { path: path.to_owned(), source })?;
        let refuse = |reason: String| Error::Recipe { path: path.to_owned(), reason };
        let recipe: Self = toml::from_str(&text).map_err(|e| refuse(e.to_string()))?;
        recipe.validate().map_err(refuse)?;
        Ok(recipe)
    }

    fn validate(&self) -> std::result::Result<(), String> {
        at_least("data.scenes_per_step", self.data.scenes_per_step as u64, 1)?;
        at_least("data.questions_per_scene", self.data.questions_per_scene as u64, 1)?;
        at_least("data.epoch_scenes", self.data.epoch_scenes.unwrap_or(1), 1)?;
        at_least("data.threads", self.data.threads as u64, 1)?;
        at_least("rollout.group_size", self.rollout.group_size as u64, 2)?;
        at_least("rollout.max_completion_tokens", self.rollout.max_completion_tokens as u64, 1)?;
        at_least("objective.updates_per_rollout", self.objective.updates_per_rollout as u64, 1)?;
        at_least("run.checkpoints_kept", self.run.checkpoints_kept as u64, 1)?;
        at_least("run.checkpoint_every", self.run.checkpoint_every, 1)?;
        within("data.unknown_camera_share", self.data.unknown_camera_share, 0.0..=1.0)?;
        within("data.walk_share", self.data.walk_share, 0.0..=1.0)?;
        self.data.logged()?;
        within("rollout.temperature", self.rollout.temperature, 1e-3..=100.0)?;
        within("rollout.importance_cap", self.rollout.importance_cap, 1.0..=f64::MAX)?;
        within("run.evaluation_temperature", self.run.evaluation_temperature, 1e-3..=100.0)?;
        within("rollout.top_p", self.rollout.top_p, 1e-6..=1.0)?;
        within("objective.kl_beta", self.objective.kl_beta, 0.0..=f64::MAX)?;
        within("optimiser.learning_rate", self.optimiser.learning_rate, 0.0..=1.0)?;
        within("optimiser.clip_norm", self.optimiser.clip_norm, f64::MIN_POSITIVE..=f64::MAX)?;
        self.schedule().check().map_err(|reason| format!("optimiser: {reason}"))?;
        if self.adapter.is_some() && self.lora.is_some() {
            return Err("expected adapter or [lora], found both".to_owned());
        }
        let absent = self.reward.number_for_absent;
        match absent < 0.0 {
            true => Ok(()),
            false => Err(format!("reward.number_for_absent: expected less than silence earns, 0, found {absent}")),
        }
    }

    /// How completions are sampled while training.
    #[must_use]
    pub fn rollout_settings(&self) -> RolloutSettings {
        let RolloutConfig { group_size, temperature, top_p, max_completion_tokens, .. } = self.rollout;
        RolloutSettings { group_size, temperature: temperature as f32, top_p: top_p as f32, max_completion_tokens }
    }

    /// Which rewards are given.
    #[must_use]
    pub fn reward_settings(&self) -> RewardSettings {
        let reward = &self.reward;
        let map = MapScoreSettings { penalise_extra: reward.map_penalise_extra, matching: reward.map_matching };
        RewardSettings {
            map: reward.map.then_some(map),
            length: reward.length,
            overlong: reward.overlong,
            abstention: AbstentionReward { number_for_absent: reward.number_for_absent },
        }
    }

    /// The options of the objective.
    #[must_use]
    pub fn objective_settings(&self) -> ObjectiveSettings {
        let ObjectiveConfig { kl_beta, clip, normalisation, .. } = self.objective;
        let max_completion_tokens = self.rollout.max_completion_tokens;
        ObjectiveSettings { kl_beta, clip, normalisation, max_completion_tokens }
    }

    /// What is trained.
    #[must_use]
    pub fn trained(&self) -> Trained {
        Trained::chosen(self.adapter.as_deref(), self.lora.as_ref(), self.data.seed)
    }

    /// Updates of the whole run.
    #[must_use]
    pub fn updates(&self) -> u64 {
        self.optimiser.steps * self.objective.updates_per_rollout as u64
    }

    /// The learning rate by update.
    #[must_use]
    pub fn schedule(&self) -> Schedule {
        let OptimiserConfig { learning_rate, warmup_updates, decay_updates, schedule, .. } = self.optimiser;
        Schedule {
            kind: schedule,
            peak: learning_rate,
            warmup_steps: warmup_updates,
            decay_steps: decay_updates,
            total_steps: self.updates(),
        }
    }

    /// The constants of AdamW; those that the recipe lacks are PyTorch's.
    #[must_use]
    pub fn adamw(&self) -> AdamWSettings {
        AdamWSettings { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weight_decay: self.optimiser.weight_decay }
    }
}
