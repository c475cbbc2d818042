//! Heads that read dense truths off the network while it trains, and are dropped at export.
//!
//! The vision tower must name the class of each patch in both frames of its pair; the decoder's lower half, which has
//! read the camera's height and pitch, must state depth and distance in metres, and where on the floor plan a patch is as
//! seen from the newest frame, for which it must follow the camera. Simulation gives these for nothing, and they cut the
//! frames needed several times.

use candle_core::{D, DType, Tensor};
use candle_nn::{Linear, Module, VarBuilder, linear};

use policy::init::{Init, Weight};

use crate::Result;
use crate::batch::Batch;
use crate::loss::masked_l1;

/// Patches that one vision token stands for.
pub(crate) const PATCHES_PER_TOKEN: usize = 4;

/// The heads.
pub struct AuxiliaryHeads {
    patch_class: Linear,
    patch_range: Linear,
    patch_place: Linear,
}

/// The heads' losses, each a scalar.
pub struct AuxiliaryLosses {
    /// Cross-entropy of patch classes.
    pub patch_class: Tensor,
    /// Mean L1 of ln(depth) and ln(distance).
    pub patch_range: Tensor,
    /// Mean L1 of plan positions, metres.
    pub patch_place: Tensor,
}

impl AuxiliaryHeads {
    /// The heads' weights with their initialisation, for [`policy::init::add`].
    pub fn weights(prefix: &str, vision_hidden: usize, text_hidden: usize, classes: usize) -> Vec<Weight> {
        let head = |name: &str, outputs: usize, inputs: usize| {
            let deviation = 1.0 / (inputs as f64).sqrt();
            [
                (format!("{prefix}.{name}.weight"), vec![outputs, inputs], Init::Normal(deviation)),
                (format!("{prefix}.{name}.bias"), vec![outputs], Init::Zeros),
            ]
        };
        let class = head("patch_class", 2 * classes, vision_hidden);
        let range = head("patch_range", 2 * PATCHES_PER_TOKEN, text_hidden);
        let place = head("patch_place", 2 * PATCHES_PER_TOKEN, text_hidden);
        class.into_iter().chain(range).chain(place).collect()
    }

    /// The heads over `classes` patch classes.
    pub fn new(vision_hidden: usize, text_hidden: usize, classes: usize, vars: VarBuilder) -> Result<Self> {
        Ok(Self {
            patch_class: linear(vision_hidden, 2 * classes, vars.pp("patch_class"))?,
            patch_range: linear(text_hidden, 2 * PATCHES_PER_TOKEN, vars.pp("patch_range"))?,
            patch_place: linear(text_hidden, 2 * PATCHES_PER_TOKEN, vars.pp("patch_place"))?,
        })
    }

    /// `patches`: [n, vision_hidden] in row order, none of a tower that is not trained, whose classes then cost nothing;
    /// `tap`: [b·s, text_hidden], the decoder's lower half.
    pub fn losses(&self, patches: Option<&Tensor>, tap: &Tensor, batch: &Batch) -> Result<AuxiliaryLosses> {
        let patch_class = match patches {
            Some(patches) => self.classes(&patches.to_dtype(DType::F32)?, batch)?,
            None => Tensor::zeros((), DType::F32, tap.device())?,
        };
        let tokens = tap.index_select(&batch.vision_rows, 0)?.to_dtype(DType::F32)?;
        let ranges = self.patch_range.forward(&tokens)?;
        // Each token's four patches, right and ahead side by side, as `patch_place_m` has them.
        let patch_place = known_l1(&self.patch_place.forward(&tokens)?, &batch.patch_place_m)?;
        let depth = ranges.narrow(1, 0, PATCHES_PER_TOKEN)?.contiguous()?;
        let distance = ranges.narrow(1, PATCHES_PER_TOKEN, PATCHES_PER_TOKEN)?.contiguous()?;
        let depth_loss = known_l1(&depth, &batch.patch_log_depth)?;
        let distance_loss = known_l1(&distance, &batch.patch_log_distance)?;
        Ok(AuxiliaryLosses { patch_class, patch_range: (depth_loss + distance_loss)?, patch_place })
    }

    fn classes(&self, patches: &Tensor, batch: &Batch) -> Result<Tensor> {
        let classes = self.patch_class.forward(patches)?;
        let half = classes.dim(1)? / 2;
        let newer = class_loss(&classes.narrow(1, 0, half)?, &batch.class_shares)?;
        let older = class_loss(&classes.narrow(1, half, half)?, &batch.older_class_shares)?;
        Ok(((newer + older)? * 0.5)?)
    }
}

/// Mean cross-entropy of `logits` [n, classes] against `shares` [n, classes].
fn class_loss(logits: &Tensor, shares: &Tensor) -> Result<Tensor> {
    let log_probs = candle_nn::ops::log_softmax(&logits.contiguous()?, D::Minus1)?;
    Ok((log_probs * shares)?.sum(D::Minus1)?.mean_all()?.neg()?)
}

/// L1 over the targets that are not NaN.
fn known_l1(prediction: &Tensor, targets: &[f32]) -> Result<Tensor> {
    let weights: Vec<f32> = targets.iter().map(|t| if t.is_nan() { 0.0 } else { 1.0 }).collect();
    let filled: Vec<f32> = targets.iter().map(|t| if t.is_nan() { 0.0 } else { *t }).collect();
    masked_l1(prediction, &filled, &weights, prediction.device())
}
