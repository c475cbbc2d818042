//! The training loop: sample, forward, backward, add up the shards, update.

use std::path::{Path, PathBuf};
use std::time::Instant;

use candle_core::{Device, Tensor};
use episodes::{SampleMaker, Split};
use msgs::Unit;
use optimiser::ranks::{share_state, sum_in_order};
use optimiser::{Gradients, Optimiser, accumulate, checkpoint, clip_global_norm};
use parallel::World;
use policy::Trainable;
use serde::{Deserialize, Serialize};

use crate::batch::{self, Batch, Collation};
use crate::beginning;
use crate::config::Recipe;
use crate::loss::NumberTokens;
use crate::network::{GradientSettings, LossParts, Network};
use crate::probe::{self, ProbeReport};
use crate::{Error, Result};

/// One optimiser step, as logged.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct StepReport {
    /// Counted from 1.
    pub step: u64,
    /// Mean over shards.
    pub loss: LossParts,
    /// L2 norm of the gradients before clipping.
    pub gradient_norm: f64,
    /// The rate used.
    pub learning_rate: f64,
    /// Seconds of training so far, over all sessions of the run.
    pub seconds: f64,
}

/// Where a run stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// Optimiser steps made.
    pub step: u64,
    /// Seconds of training so far, over all sessions of the run.
    pub seconds: f64,
    /// The lowest held-out loss of a probe.
    #[serde(default)]
    pub best_loss: Option<f64>,
    /// Probes since then.
    #[serde(default)]
    pub probes_since_best: u64,
}

impl checkpoint::Progress for Progress {
    fn optimiser_steps(&self) -> u64 {
        self.step
    }
}

/// A run of supervised fine-tuning.
pub struct Trainer {
    recipe: Recipe,
    maker: SampleMaker,
    trainable: Trainable,
    network: Network,
    optimiser: Optimiser,
    numbers: Vec<(Unit, NumberTokens)>,
    device: Device,
    checkpoints: PathBuf,
    progress: Progress,
    world: World,
}

impl Trainer {
    /// Starts from the recipe's model or from fresh weights, or goes on from the newest checkpoint in rank 0's
    /// `checkpoints` where there is one.
    ///
    /// # Errors
    /// When the model or the checkpoint does not fit.
    pub fn new(recipe: Recipe, maker: SampleMaker, checkpoints: &Path, world: World) -> Result<Self> {
        world.agree("recipe", &format!("{recipe:?}"))?;
        let compute = recipe.compute.open()?;
        let device = &compute.device;
        let seed = recipe.data.seed;
        let trainable = match recipe.from_scratch {
            true => Trainable::fresh(maker.processor().config(), seed, &compute)?,
            false => Trainable::load(&recipe.model, &recipe.trained(), &compute)?,
        };
        let network = Network::new(&trainable, maker.patch_classes().len(), seed)?;
        let rates = &recipe.optimiser;
        let mut optimiser =
            Optimiser::new(network.variables(), rates.adamw(), rates.matrix_rate(), recipe.data.shards)?;
        let progress = match checkpoint::load_newest(checkpoints, network.variables(), &mut optimiser, device)? {
            Some(progress) => progress,
            None => {
                if let Some(from) = &recipe.carry_over_from {
                    beginning::carry_over(network.variables(), from, maker.processor())?;
                }
                Progress::default()
            }
        };
        let progress = share_state(&world, network.variables(), &mut optimiser, progress)?;
        let numbers = NumberTokens::by_unit(&maker);
        let maker = if recipe.optimiser.freeze_vision { maker.with_tower(network.frozen_tower()) } else { maker };
        Ok(Self {
            recipe,
            maker,
            trainable,
            network,
            optimiser,
            numbers,
            device: compute.device,
            checkpoints: checkpoints.to_owned(),
            progress,
            world,
        })
    }

    /// Steps made so far.
    pub fn step_count(&self) -> u64 {
        self.progress.step
    }

    /// Whether the recipe's steps are all made, or its patience is at an end.
    pub fn is_done(&self) -> bool {
        let patience = self.recipe.run.patience;
        let impatient = patience > 0 && self.progress.probes_since_best >= patience;
        impatient || self.progress.step >= self.recipe.optimiser.steps
    }

    /// Number of trained parameters of the policy, without the auxiliary heads.
    pub fn parameter_count(&self) -> usize {
        self.network.parameter_count()
    }

    /// Makes one optimiser step. All ranks make it together, each its share of the shards, and end with the same weights.
    ///
    /// # Errors
    /// When a sample can't be made, or the loss or its gradients are no longer finite: nothing is changed then.
    pub fn step(&mut self) -> Result<StepReport> {
        let began = Instant::now();
        let shards = self.recipe.data.shards;
        let owners = self.world.owners(shards);
        let own = self.world.own(&(0..shards).collect::<Vec<_>>(), &owners);
        let results: Vec<Result<(LossParts, Gradients)>> = std::thread::scope(|scope| {
            let this = &*self;
            let spawn = |shard| {
                std::thread::Builder::new()
                    .name(format!("shard-{shard}"))
                    .spawn_scoped(scope, move || this.shard(shard))
            };
            let handles: Vec<_> = own.into_iter().map(spawn).collect();
            handles.into_iter().map(join_shard).collect()
        });
        let (parts, gradients): (Vec<_>, Vec<_>) = results.into_iter().collect::<Result<Vec<_>>>()?.into_iter().unzip();
        let mut loss = LossParts::default();
        let parts = self.world.gather(parts, &owners)?;
        parts.into_iter().for_each(|parts| loss.add_share(parts, 1.0 / shards as f32));
        let mut sum = sum_in_order(&self.world, self.network.variables(), gradients, &owners)?;
        let gradient_norm = clip_global_norm(&mut sum, self.recipe.optimiser.clip_norm)?;
        if !loss.total.is_finite() || !gradient_norm.is_finite() {
            return Err(Error::Diverged { step: self.progress.step, loss: loss.total, norm: gradient_norm });
        }
        let learning_rate = self.recipe.optimiser.schedule().rate(self.progress.step);
        self.optimiser.step(&sum, learning_rate)?;
        self.progress.step += 1;
        self.progress.seconds += began.elapsed().as_secs_f64();
        Ok(StepReport { step: self.progress.step, loss, gradient_norm, learning_rate, seconds: self.progress.seconds })
    }

    /// One shard's share of the step: its own clips, forward, backward, as many at a time as fit well into memory.
    /// Gradients are already divided by the number of the step's clips.
    fn shard(&self, shard: usize) -> Result<(LossParts, Gradients)> {
        let data = &self.recipe.data;
        let share = data.clips_per_step / data.shards;
        let first = self.progress.step * data.clips_per_step as u64 + (shard * share) as u64;
        let samples = (first..first + share as u64)
            .map(|index| self.maker.sample(Split::Train, index))
            .collect::<std::result::Result<Vec<_>, _>>()?;
        let checkpointing = self.recipe.optimiser.gradient_checkpointing;
        let (mut sum, mut parts) = (Gradients::new(), LossParts::default());
        for samples in batch::in_budget(samples) {
            let of_step = samples.len() as f64 / data.clips_per_step as f64;
            let batch = self.collation().collate(samples, &self.device)?;
            let settings = GradientSettings { loss: &self.recipe.loss, share: of_step, checkpointing };
            let (of_batch, gradients) = self.network.gradients(&batch, settings)?;
            parts.add_share(of_batch, (of_step * data.shards as f64) as f32);
            accumulate(&mut sum, gradients)?;
        }
        Ok((parts, sum))
    }

    fn collation(&self) -> Collation<'_> {
        Collation::new(&self.maker, &self.numbers, &self.recipe.loss)
    }

    /// Teacher-forced logits at every target of `count` clips of `split`: one forward pass, no decoding.
    ///
    /// # Errors
    /// When a sample can't be made.
    pub fn probe(&self, split: Split, first: u64, count: u64) -> Result<(Tensor, Batch)> {
        let samples = (first..first + count)
            .map(|index| self.maker.sample(split, index))
            .collect::<std::result::Result<Vec<_>, _>>()?;
        let batch = self.collation().collate(samples, &self.device)?;
        Ok((self.network.logits(&batch)?, batch))
    }

    /// Judges the policy on the first held-out clips, and remembers whether it is the best so far. `absent_word`: the token
    /// that begins "do not see".
    ///
    /// # Errors
    /// When a sample can't be made.
    pub fn evaluate(&mut self, absent_word: u32) -> Result<ProbeReport> {
        let report = probe::probe(self, Split::Heldout, 0, self.recipe.run.evaluation_clips, absent_word)?;
        if self.progress.best_loss.is_none_or(|best| report.loss < best) {
            self.progress.best_loss = Some(report.loss);
            self.progress.probes_since_best = 0;
        } else {
            self.progress.probes_since_best += 1;
        }
        Ok(report)
    }

    /// The tokens that spell the numbers of a unit, where each is one token.
    pub fn number_tokens(&self, unit: Unit) -> Option<&NumberTokens> {
        self.numbers.iter().find(|(of, _)| *of == unit).map(|(_, tokens)| tokens)
    }

    /// The tokens that spell coordinates, where each is one token.
    pub fn coordinate_tokens(&self) -> &[(u32, f64)] {
        self.maker.teacher().coordinate_tokens()
    }

    /// The tokens that spell headings, where each is one token.
    pub fn heading_tokens(&self) -> &[(u32, f64)] {
        self.maker.teacher().heading_tokens()
    }

    /// Writes a checkpoint that [`Trainer::new`] goes on from, and removes the oldest ones; for rank 0 to call.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn save_checkpoint(&self) -> Result<()> {
        let (folder, kept) = (&self.checkpoints, self.recipe.run.checkpoints_kept);
        Ok(checkpoint::save_step(folder, kept, self.network.variables(), &self.optimiser, &self.progress)?)
    }

    /// Writes what was trained into `dir`, without the auxiliary heads: `model.safetensors` under hub names, or the adapter
    /// in PEFT's format.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn write(&self, dir: &Path) -> Result<()> {
        Ok(self.trainable.write(dir, &self.recipe.model)?)
    }
}

fn join_shard<T>(handle: std::io::Result<std::thread::ScopedJoinHandle<'_, Result<T>>>) -> Result<T> {
    let thread = |source| Error::File { path: "thread".into(), source };
    match handle.map_err(thread)?.join() {
        Ok(result) => result,
        Err(panic) => std::panic::resume_unwind(panic),
    }
}
