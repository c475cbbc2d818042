//! The policy with the heads that help it train: from a batch to its loss and gradients.

use std::sync::Arc;

use candle_core::backprop::GradStore;
use candle_core::{DType, Tensor, Var};
use candle_nn::{VarBuilder, VarMap};
use episodes::FrozenTower;
use optimiser::{Gradients, accumulate, named_gradients};
use policy::{Qwen25Vl, Trainable, checkpoint, init};
use serde::{Deserialize, Serialize};

use crate::Result;
use crate::auxiliary::AuxiliaryHeads;
use crate::batch::{Batch, Block};
use crate::config::LossConfig;
use crate::loss::cross_entropy;

/// Prefix of the auxiliary heads' variables; they are dropped when the policy is saved.
const HEADS: &str = "auxiliary";

/// The parts of one step's loss, before weighting by the recipe.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize, Serialize)]
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
    /// Cross-entropy of names per vision token that has one; 0 where it costs nothing.
    pub token_name: f32,
}

impl LossParts {
    /// Adds `share` of `other`.
    pub(crate) fn add_share(&mut self, other: Self, share: f32) {
        self.total += other.total * share;
        self.tokens += other.tokens * share;
        self.patch_class += other.patch_class * share;
        self.patch_range += other.patch_range * share;
        self.patch_place += other.patch_place * share;
        self.token_name += other.token_name * share;
    }
}

/// How gradients are found.
#[derive(Clone, Copy, Debug)]
pub struct GradientSettings<'a> {
    /// Weights of the parts of the loss.
    pub loss: &'a LossConfig,
    /// What the loss is multiplied with: the batch's share of a step.
    pub share: f64,
    /// Whether blocks and layers are run again in the backward pass instead of keeping what they computed.
    pub checkpointing: bool,
}

/// The policy and the auxiliary heads.
pub struct Network {
    trained: Qwen25Vl,
    /// The same weights without gradients.
    behaviour: Arc<Qwen25Vl>,
    heads: AuxiliaryHeads,
    variables: Vec<(String, Var)>,
    trains_vision: bool,
    /// The layer whose input the heads read.
    tapped: usize,
}

/// What the losses read of a pass over `t` tokens and `n` patches.
struct Pass {
    /// [t, hidden].
    hidden: Tensor,
    /// The decoder's lower half, [t, hidden].
    tap: Tensor,
    /// [n, vision hidden]; none of a tower that is not trained.
    patches: Option<Tensor>,
}

impl Network {
    /// The network of `trainable` with fresh heads over `classes` patch classes.
    ///
    /// # Errors
    /// When the device has no room.
    pub fn new(trainable: &Trainable, classes: usize, seed: u64) -> Result<Self> {
        let (trained, vars) = (trainable.trained()?, VarMap::new());
        let (vision, text) = (&trained.config().vision, &trained.config().text);
        let heads = AuxiliaryHeads::weights(HEADS, vision.hidden_size, text.hidden_size, classes);
        let device = trained.device().clone();
        init::add(&vars, &heads, seed, &device)?;
        let builder = VarBuilder::from_varmap(&vars, DType::F32, &device).pp(HEADS);
        let heads = AuxiliaryHeads::new(vision.hidden_size, text.hidden_size, classes, builder)?;
        let mut variables = trainable.variables().clone();
        let trains_vision = variables.keys().any(|name| name.contains("visual."));
        variables.extend(checkpoint::named_vars(&vars));
        let layers = text.num_hidden_layers;
        let tapped = layers.div_ceil(2).min(layers.saturating_sub(1));
        let variables = variables.into_iter().collect();
        Ok(Self { behaviour: Arc::new(trainable.behaviour()?), trained, heads, variables, trains_vision, tapped })
    }

    /// The vision tower as it is now, for samples to bring its embeds along.
    #[must_use]
    pub fn frozen_tower(&self) -> FrozenTower {
        let model = Arc::clone(&self.behaviour);
        Box::new(move |pixels, grid| {
            let encode = || {
                let patches = grid.iter().product::<usize>();
                let pixels = Tensor::from_slice(pixels, (patches, ()), model.device())?;
                model.vision(&pixels, &[grid])?.image_embeds.to_dtype(DType::F32)?.flatten_all()?.to_vec1()
            };
            encode().map_err(|error: candle_core::Error| error.to_string())
        })
    }

    /// What is trained, by name, sorted: the policy's and the heads'.
    #[must_use]
    pub fn variables(&self) -> &[(String, Var)] {
        &self.variables
    }

    /// Number of trained parameters of the policy, without the heads.
    #[must_use]
    pub fn parameter_count(&self) -> usize {
        let own = self.variables.iter().filter(|(name, _)| !name.starts_with(HEADS));
        own.map(|(_, variable)| variable.elem_count()).sum()
    }

    /// Logits at the rows of `batch` that have a target, [rows, vocabulary], with no graph behind them.
    ///
    /// # Errors
    /// When shapes disagree.
    pub fn logits(&self, batch: &Batch) -> Result<Tensor> {
        let model = &self.behaviour;
        let image_embeds = match &batch.image_embeds {
            Some(embeds) => embeds.clone(),
            None => model.vision(&batch.pixel_values, &batch.grids)?.image_embeds,
        };
        let embeds = embed(model, batch, &image_embeds)?;
        let decode = |(start, block): (usize, &Block)| {
            let inputs = rows_of(&embeds, start, block)?;
            Ok(model.decode(&inputs, &block.position_ids, Some(&block.mask))?.flatten_to(1)?)
        };
        let hidden = starts(batch).map(decode).collect::<Result<Vec<_>>>()?;
        Ok(model.logits(&Tensor::cat(&hidden, 0)?.index_select(&batch.target_rows, 0)?)?.to_dtype(DType::F32)?)
    }

    /// The loss of `batch` and its gradients by variable.
    ///
    /// # Errors
    /// When shapes disagree.
    pub fn gradients(&self, batch: &Batch, settings: GradientSettings) -> Result<(LossParts, Gradients)> {
        if settings.checkpointing {
            return self.gradients_recomputed(batch, settings);
        }
        let (image_embeds, patches) = match &batch.image_embeds {
            Some(embeds) => (embeds.clone(), None),
            None => {
                let vision = self.trained.vision(&batch.pixel_values, &batch.grids)?;
                (vision.image_embeds, Some(vision.patches))
            }
        };
        let embeds = embed(&self.trained, batch, &image_embeds)?;
        let (mut hidden, mut taps) = (Vec::new(), Vec::new());
        for (start, block) in starts(batch) {
            let inputs = rows_of(&embeds, start, block)?;
            let (mut layers, decoder) = (Vec::new(), self.trained.decoder());
            let out = decoder.forward_traced(&inputs, &block.position_ids, Some(&block.mask), Some(&mut layers))?;
            hidden.push(out.flatten_to(1)?);
            taps.push(layers.swap_remove(self.tapped).flatten_to(1)?);
        }
        let pass = Pass { hidden: Tensor::cat(&hidden, 0)?, tap: Tensor::cat(&taps, 0)?, patches };
        let (loss, parts) = self.loss(&pass, batch, settings.loss)?;
        let store = (loss * settings.share)?.backward()?;
        Ok((parts, named_gradients(&store, &self.variables)))
    }

    /// [`Self::gradients`] that keeps only the inputs of blocks and layers.
    fn gradients_recomputed(&self, batch: &Batch, settings: GradientSettings) -> Result<(LossParts, Gradients)> {
        let (tower, decoder) = (self.trained.vision_tower(), self.trained.decoder());
        let mut gradients = Gradients::new();
        let mut collect = |store: &GradStore| accumulate(&mut gradients, named_gradients(store, &self.variables));

        let (image_embeds, mut vision) = match &batch.image_embeds {
            Some(embeds) => (embeds.clone(), None),
            None => {
                let (embeds, tape) = tower.forward_checkpointed(&batch.pixel_values, &batch.grids)?;
                (embeds, Some(tape))
            }
        };
        let image_embeds = Var::from_tensor(&image_embeds)?;
        let embeds = embed(&self.trained, batch, &image_embeds)?;
        let (mut hidden, mut taps, mut tapes) = (Vec::new(), Vec::new(), Vec::new());
        for (start, block) in starts(batch) {
            let inputs = rows_of(&embeds, start, block)?;
            let (out, tape) = decoder.forward_checkpointed(&inputs, &block.position_ids, Some(&block.mask))?;
            hidden.push(out.flatten_to(1)?);
            taps.extend(tape.layer_input(self.tapped).cloned());
            tapes.push(tape);
        }

        let leaf = |tensor: Tensor| Var::from_tensor(&tensor);
        let [hidden, tap] = [leaf(Tensor::cat(&hidden, 0)?)?, leaf(Tensor::cat(&taps, 0)?)?];
        let patches = vision.as_ref().map(|vision| leaf(tower.patches(vision)?)).transpose()?;
        let [at_hidden, at_tap] = [&hidden, &tap].map(|var| var.as_tensor().clone());
        let at_patches = patches.as_ref().map(|patches| patches.as_tensor().clone());
        let pass = Pass { hidden: at_hidden, tap: at_tap, patches: at_patches };
        let (loss, parts) = self.loss(&pass, batch, settings.loss)?;
        let store = (loss * settings.share)?.backward()?;
        collect(&store)?;
        let gradient = |of: &Var| store.get(of).map_or_else(|| of.zeros_like(), |found| Ok(found.clone()));

        let (at_hidden, at_tap, mut at_embeds) = (gradient(&hidden)?, gradient(&tap)?, Vec::new());
        for ((start, block), mut tape) in starts(batch).zip(tapes) {
            tape.add_gradient(self.tapped, rows_of(&at_tap, start, block)?.flatten_to(1)?);
            let at_block = rows_of(&at_hidden, start, block)?;
            let collect = |store: &GradStore| collect(store).map_err(candle_core::Error::wrap);
            at_embeds.push(decoder.backward_checkpointed(tape, &at_block, collect)?.flatten_to(1)?);
        }
        let store = (embeds * Tensor::cat(&at_embeds, 0)?)?.sum_all()?.backward()?;
        collect(&store)?;
        if let (true, Some(mut vision), Some(patches), Some(at_images)) =
            (self.trains_vision, vision.take(), &patches, store.get(&image_embeds))
        {
            vision.add_gradient(gradient(patches)?);
            let collect = |store: &GradStore| collect(store).map_err(candle_core::Error::wrap);
            tower.backward_checkpointed(vision, at_images, collect)?;
        }
        Ok((parts, gradients))
    }

    fn loss(&self, pass: &Pass, batch: &Batch, weights: &LossConfig) -> Result<(Tensor, LossParts)> {
        let logits = self.trained.logits(&pass.hidden.index_select(&batch.target_rows, 0)?)?.to_dtype(DType::F32)?;
        let tokens = cross_entropy(&logits, &batch.targets, batch.questions as f32)?;
        let auxiliary = self.heads.losses(pass.patches.as_ref(), &pass.tap, batch)?;
        let dense =
            ((&auxiliary.patch_class * weights.patch_class)? + (&auxiliary.patch_range * weights.patch_range)?)?;
        let dense = (dense + (&auxiliary.patch_place * weights.patch_place)?)?;
        let names = match weights.token_name > 0.0 && !batch.names.is_empty() {
            true => {
                let logits = self.trained.lens(&pass.tap.index_select(&batch.name_rows, 0)?)?.to_dtype(DType::F32)?;
                cross_entropy(&logits, &batch.names, batch.names.len() as f32)?
            }
            false => tokens.zeros_like()?,
        };
        let total = ((&tokens + dense)? + (&names * weights.token_name)?)?;
        let parts = LossParts {
            total: total.to_scalar()?,
            tokens: tokens.to_scalar()?,
            patch_class: auxiliary.patch_class.to_scalar()?,
            patch_range: auxiliary.patch_range.to_scalar()?,
            patch_place: auxiliary.patch_place.to_scalar()?,
            token_name: names.to_scalar()?,
        };
        Ok((total, parts))
    }
}

/// The inputs of the decoder, [t, hidden]: words and, in their places, what is seen.
fn embed(model: &Qwen25Vl, batch: &Batch, image_embeds: &Tensor) -> Result<Tensor> {
    let words = model.embed_tokens(&batch.input_ids)?;
    let seen = image_embeds.to_dtype(words.dtype())?;
    Ok(Tensor::cat(&[&words, &seen], 0)?.index_select(&batch.embedding_rows, 0)?)
}

/// Each block with its first row.
fn starts(batch: &Batch) -> impl Iterator<Item = (usize, &Block)> {
    batch.blocks.iter().scan(0, |next, block| {
        let start = *next;
        *next += block.count * block.length;
        Some((start, block))
    })
}

/// The rows of `all` [t, h] that belong to a block, [b, s, h].
fn rows_of(all: &Tensor, start: usize, block: &Block) -> Result<Tensor> {
    let (b, s) = (block.count, block.length);
    Ok(all.narrow(0, start, b * s)?.reshape((b, s, all.dim(1)?))?)
}
