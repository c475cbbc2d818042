//! The training loop: sample, forward, backward, add up the shards, update.

use std::path::{Path, PathBuf};
use std::time::Instant;

use candle_core::{DType, Device, Tensor, Var};
use candle_nn::{VarBuilder, VarMap};
use episodes::{SampleMaker, Split};
use msgs::Unit;
use optimiser::ranks::{share_state, sum_in_order};
use optimiser::{Gradients, Optimiser, accumulate, checkpoint, clip_global_norm, named_gradients};
use parallel::World;
use policy::Qwen25Vl;
use serde::{Deserialize, Serialize};

use crate::auxiliary::AuxiliaryHeads;
use crate::batch::{self, Batch, Collation};
use crate::beginning;
use crate::config::Recipe;
use crate::loss::{NumberTokens, cross_entropy};
use crate::{Error, Result};

/// Prefix of the auxiliary heads' variables; they are dropped when the policy is saved.
const HEADS: &str = "auxiliary";

/// The parts of one step's loss, before weighting by the recipe.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LossParts {
    /// What was minimised.
    pub total: f32,
    /// Weighted cross-entropy of tokens per question.
    pub tokens: f32,
    /// Cross-entropy per patch.
    pub patch_class: f32,
    /// L1 of ln(depth) plus L1 of ln(distance) per patch.
    pub patch_range: f32,
    /// L1 of the plan position per patch, metres.
    pub patch_place: f32,
}

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
    model: Qwen25Vl,
    heads: AuxiliaryHeads,
    variables: Vec<(String, Var)>,
    optimiser: Optimiser,
    numbers: Vec<(Unit, NumberTokens)>,
    device: Device,
    checkpoint: PathBuf,
    progress: Progress,
    world: World,
}

impl Trainer {
    /// The weights of rank 0's `checkpoint` where it exists; else fresh ones from the recipe's seed, with what the model
    /// directory `from` has of them.
    ///
    /// # Errors
    /// When the checkpoint does not fit the model, or there is no checkpoint in `from`.
    pub fn new(
        recipe: Recipe,
        maker: SampleMaker,
        checkpoint: &Path,
        from: Option<&Path>,
        world: World,
    ) -> Result<Self> {
        world.agree("recipe", &format!("{recipe:?}"))?;
        let device = Device::Cpu;
        let config = maker.processor().config();
        let varmap = policy::init::fresh(config, recipe.data.seed, &device)?;
        let classes = maker.patch_classes().len();
        let (vision_hidden, text_hidden) = (config.vision.hidden_size, config.text.hidden_size);
        let heads = AuxiliaryHeads::weights(HEADS, vision_hidden, text_hidden, classes);
        policy::init::add(&varmap, &heads, recipe.data.seed, &device)?;
        if let Some(from) = from.filter(|_| !checkpoint::exists(checkpoint)) {
            beginning::carry_over(&varmap, from, maker.processor())?;
        }
        let vars = VarBuilder::from_varmap(&varmap, DType::F32, &device);
        let model = Qwen25Vl::new(config, vars.clone())?;
        let heads = AuxiliaryHeads::new(vision_hidden, text_hidden, classes, vars.pp(HEADS))?;
        let variables = named_variables(&varmap);
        let rates = &recipe.optimiser;
        let mut optimiser = Optimiser::new(&variables, rates.adamw(), rates.matrix_rate(), recipe.data.shards)?;
        let progress = if world.leads() && checkpoint::exists(checkpoint) {
            checkpoint::load(checkpoint, &variables, &mut optimiser, &device)?
        } else {
            Progress::default()
        };
        let progress = share_state(&world, &variables, &mut optimiser, progress)?;
        let by_unit = maker.teacher().number_tokens().iter().map(|(unit, tokens)| {
            let (ids, values) = tokens.iter().copied().unzip();
            (*unit, NumberTokens { ids, values })
        });
        let numbers = by_unit.collect();
        Ok(Self {
            recipe,
            maker,
            model,
            heads,
            variables,
            optimiser,
            numbers,
            device,
            checkpoint: checkpoint.to_owned(),
            progress,
            world,
        })
    }

    /// Steps made so far.
    pub fn step_count(&self) -> u64 {
        self.progress.step
    }

    /// Whether the recipe's steps are all made.
    pub fn is_done(&self) -> bool {
        self.progress.step >= self.recipe.optimiser.steps
    }

    /// Number of trained parameters of the policy, without the auxiliary heads.
    pub fn parameter_count(&self) -> usize {
        self.policy_variables().map(|(_, v)| v.elem_count()).sum()
    }

    /// Makes one optimiser step. All ranks make it together, each its share of the shards, and end with the same weights.
    ///
    /// # Errors
    /// When a sample can't be made, or the loss is no longer finite.
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
        let mut sum = sum_in_order(&self.world, &self.variables, gradients, &owners)?;
        if !loss.total.is_finite() {
            return Err(Error::Diverged { step: self.progress.step, loss: loss.total });
        }
        let gradient_norm = clip_global_norm(&mut sum, self.recipe.optimiser.clip_norm)?;
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
        let (mut sum, mut parts) = (Gradients::new(), LossParts::default());
        for samples in batch::in_budget(samples) {
            let of_step = samples.len() as f64 / data.clips_per_step as f64;
            let batch = self.collation().collate(samples, &self.device)?;
            let (loss, of_batch) = self.loss(&batch)?;
            parts.add_share(of_batch, (of_step * data.shards as f64) as f32);
            let store = (loss * of_step)?.backward()?;
            accumulate(&mut sum, named_gradients(&store, &self.variables))?;
        }
        Ok((parts, sum))
    }

    fn collation(&self) -> Collation<'_> {
        Collation {
            video_token_id: self.maker.processor().config().tokens.video,
            pad_token_id: self.maker.pad_token_id(),
            numbers: &self.numbers,
            loss: &self.recipe.loss,
        }
    }

    /// Logits at the rows that have a target, [rows, vocabulary], with what the auxiliary heads read.
    fn forward(&self, batch: &Batch) -> Result<(Tensor, Tensor, Tensor)> {
        let vision = self.model.vision(&batch.pixel_values, &batch.grids)?;
        let words = self.model.embed_tokens(&batch.input_ids)?;
        let width = words.dim(1)?;
        let table = Tensor::cat(&[&words, &vision.image_embeds], 0)?;
        let embeds = table.index_select(&batch.embedding_rows, 0)?;
        let (mut hidden, mut taps, mut start) = (Vec::new(), Vec::new(), 0);
        for block in &batch.blocks {
            let (b, s) = (block.count, block.length);
            let inputs = embeds.narrow(0, start, b * s)?.reshape((b, s, width))?;
            let (mut layers, decoder) = (Vec::new(), self.model.decoder());
            let out = decoder.forward_traced(&inputs, &block.position_ids, Some(&block.mask), Some(&mut layers))?;
            hidden.push(out.reshape((b * s, width))?);
            taps.push(layers.swap_remove(layers.len() / 2).reshape((b * s, width))?);
            start += b * s;
        }
        let rows = Tensor::cat(&hidden, 0)?.index_select(&batch.target_rows, 0)?;
        Ok((self.model.logits(&rows)?, vision.patches, Tensor::cat(&taps, 0)?))
    }

    fn loss(&self, batch: &Batch) -> Result<(Tensor, LossParts)> {
        let (logits, patches, tap) = self.forward(batch)?;
        let tokens = cross_entropy(&logits, &batch.targets, batch.questions as f32)?;
        let auxiliary = self.heads.losses(&patches, &tap, batch)?;
        let weights = &self.recipe.loss;
        let dense =
            ((&auxiliary.patch_class * weights.patch_class)? + (&auxiliary.patch_range * weights.patch_range)?)?;
        let dense = (dense + (&auxiliary.patch_place * weights.patch_place)?)?;
        let total = (&tokens + dense)?;
        let parts = LossParts {
            total: total.to_scalar()?,
            tokens: tokens.to_scalar()?,
            patch_class: auxiliary.patch_class.to_scalar()?,
            patch_range: auxiliary.patch_range.to_scalar()?,
            patch_place: auxiliary.patch_place.to_scalar()?,
        };
        Ok((total, parts))
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
        let (logits, _, _) = self.forward(&batch)?;
        Ok((logits, batch))
    }

    /// The tokens that spell the numbers of a unit, where each is one token.
    pub fn number_tokens(&self, unit: Unit) -> Option<&NumberTokens> {
        self.numbers.iter().find(|(of, _)| *of == unit).map(|(_, tokens)| tokens)
    }

    /// Writes a checkpoint that [`Trainer::new`] resumes from; for rank 0 to call.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn save_checkpoint(&self) -> Result<()> {
        Ok(checkpoint::save(&self.checkpoint, &self.variables, &self.optimiser, &self.progress)?)
    }

    /// Writes the policy's weights, without the auxiliary heads, under hub names.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn save_policy(&self, path: &Path) -> Result<()> {
        let weights: std::collections::HashMap<String, Tensor> =
            self.policy_variables().map(|(n, v)| (n.clone(), v.as_tensor().clone())).collect();
        Ok(candle_core::safetensors::save(&weights, path)?)
    }

    fn policy_variables(&self) -> impl Iterator<Item = &(String, Var)> {
        self.variables.iter().filter(|(name, _)| !name.starts_with(HEADS))
    }
}

impl LossParts {
    fn add_share(&mut self, other: Self, share: f32) {
        self.total += other.total * share;
        self.tokens += other.tokens * share;
        self.patch_class += other.patch_class * share;
        self.patch_range += other.patch_range * share;
        self.patch_place += other.patch_place * share;
    }
}

fn join_shard<T>(handle: std::io::Result<std::thread::ScopedJoinHandle<'_, Result<T>>>) -> Result<T> {
    let thread = |source| Error::File { path: "thread".into(), source };
    match handle.map_err(thread)?.join() {
        Ok(result) => result,
        Err(panic) => std::panic::resume_unwind(panic),
    }
}

/// Every variable by name, sorted, so that runs are repeatable.
fn named_variables(varmap: &VarMap) -> Vec<(String, Var)> {
    let data = varmap.data().lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let mut variables: Vec<_> = data.iter().map(|(n, v)| (n.clone(), v.clone())).collect();
    variables.sort_by(|a, b| a.0.cmp(&b.0));
    variables
}
