//! The whole network: `Qwen2_5_VLForConditionalGeneration` of `modeling_qwen2_5_vl.py`.

use candle_core::{DType, Device, Result, Tensor, bail};
use candle_nn::VarBuilder;
use processor::config::ModelConfig;

use crate::lora::Adapter;
use crate::projection::{Projection, Weights};
use crate::text::Decoder;
use crate::vision::{VisionOutput, VisionTower};

/// Qwen2.5-VL.
pub struct Qwen25Vl {
    config: ModelConfig,
    vision: VisionTower,
    decoder: Decoder,
    lm_head: Projection,
    dtype: DType,
}

impl Qwen25Vl {
    /// Reads `visual.*`, `model.*` and, unless the embeddings are tied, `lm_head.weight`.
    ///
    /// # Errors
    /// When a weight is missing or has another shape.
    pub fn new(config: &ModelConfig, vb: VarBuilder) -> Result<Self> {
        Self::with_adapter(config, vb, None)
    }

    /// [`Self::new`] with what a LoRA adapter adds.
    ///
    /// # Errors
    /// When a weight is missing or has another shape.
    pub fn with_adapter(config: &ModelConfig, vb: VarBuilder, adapter: Option<&Adapter>) -> Result<Self> {
        let weights = Weights::new(vb, adapter);
        let decoder = Decoder::new(&config.text, &weights.pp("model"))?;
        let lm_head = match config.tie_word_embeddings {
            true => Projection::shared(decoder.embedding().clone()),
            false => weights.pp("lm_head").linear(config.text.vocab_size, config.text.hidden_size)?,
        };
        Ok(Self {
            vision: VisionTower::new(&config.vision, &weights.pp("visual"))?,
            decoder,
            lm_head,
            config: config.clone(),
            dtype: DType::F32,
        })
    }

    /// The same network with activations of another type than f32; every layer casts its weights where they are not of it.
    #[must_use]
    pub fn computing_in(mut self, dtype: DType) -> Self {
        (self.dtype, self.vision.dtype) = (dtype, dtype);
        self
    }

    /// The configuration it was built from.
    #[must_use]
    pub fn config(&self) -> &ModelConfig {
        &self.config
    }

    /// The device of the weights.
    #[must_use]
    pub fn device(&self) -> &Device {
        self.decoder.embedding().device()
    }

    /// The vision tower.
    #[must_use]
    pub fn vision_tower(&self) -> &VisionTower {
        &self.vision
    }

    /// The decoder.
    #[must_use]
    pub fn decoder(&self) -> &Decoder {
        &self.decoder
    }

    /// Encodes `pixel_values` [patches, patch_dim] of any number of grids (t, h, w in patches); attention never crosses
    /// frame pairs, so many clips may share a call.
    ///
    /// # Errors
    /// When the patches are not those of the grids.
    pub fn vision(&self, pixel_values: &Tensor, grids: &[[usize; 3]]) -> Result<VisionOutput> {
        self.vision.forward(pixel_values, grids)
    }

    /// Token embeddings: `ids` of any shape, u32 or i64 → [.., hidden].
    ///
    /// # Errors
    /// When an id is not in the vocabulary.
    pub fn embed_tokens(&self, ids: &Tensor) -> Result<Tensor> {
        let mut dims = ids.dims().to_vec();
        dims.push(self.config.text.hidden_size);
        self.decoder.embedding().index_select(&ids.flatten_all()?, 0)?.reshape(dims)?.to_dtype(self.dtype)
    }

    /// Token embeddings with the placeholders of images and videos replaced, in order, by the rows of `image_embeds`
    /// [tokens, hidden]: `ids` b × s → [b, s, hidden].
    ///
    /// # Errors
    /// When the sequences differ in length, or their placeholders in number from the rows.
    pub fn embed(&self, ids: &[Vec<u32>], image_embeds: Option<&Tensor>) -> Result<Tensor> {
        let (batch, len) = (ids.len(), ids.first().map_or(0, Vec::len));
        if ids.iter().any(|row| row.len() != len) {
            bail!("embed: expected sequences of {len} tokens");
        }
        let flat = ids.concat();
        let tokens = self.embed_tokens(&Tensor::from_slice(&flat, flat.len(), self.device())?)?;
        let mut placeholders = 0;
        let mut source = Vec::with_capacity(flat.len());
        for (i, id) in flat.iter().enumerate() {
            let placeholder = [self.config.tokens.image, self.config.tokens.video].contains(id);
            source.push(if placeholder { flat.len() + placeholders } else { i } as u32);
            placeholders += usize::from(placeholder);
        }
        let rows = image_embeds.map_or(Ok(0), |embeds| embeds.dim(0))?;
        if rows != placeholders {
            bail!("embed: expected {placeholders} rows for the placeholders, found {rows}");
        }
        let merged = match image_embeds {
            Some(embeds) => {
                let source = Tensor::from_vec(source, flat.len(), self.device())?;
                Tensor::cat(&[&tokens, embeds], 0)?.index_select(&source, 0)?
            }
            None => tokens,
        };
        merged.reshape((batch, len, self.config.text.hidden_size))
    }

    /// The decoder and its final norm: `inputs_embeds` [b, s, h], `position_ids` [3, b, s] of integers, additive `mask`
    /// [1 or b, 1, s, s] (causal without one) → hidden states [b, s, h].
    ///
    /// # Errors
    /// When shapes disagree.
    pub fn decode(&self, inputs_embeds: &Tensor, position_ids: &Tensor, mask: Option<&Tensor>) -> Result<Tensor> {
        self.decoder.forward(inputs_embeds, position_ids, mask)
    }

    /// The output layer: hidden states [.., h] → logits [.., vocab]. Select the rows that have a target first.
    ///
    /// # Errors
    /// When the width is not the decoder's.
    pub fn logits(&self, hidden: &Tensor) -> Result<Tensor> {
        self.lm_head.forward(hidden)
    }

    /// What the final norm and the output layer read off the residual stream between two layers (the logit lens): [.., h] →
    /// [.., vocab].
    ///
    /// # Errors
    /// When the width is not the decoder's.
    pub fn lens(&self, residual: &Tensor) -> Result<Tensor> {
        self.logits(&self.decoder.normed(residual)?)
    }

    /// Continues one sequence greedily by running it whole for every token: slow, without a cache to be wrong, for tests.
    ///
    /// Each new token is one position after the largest so far. Stops after `count` tokens
    /// or at an end-of-sequence token if `stop`.
    ///
    /// # Errors
    /// When shapes disagree.
    pub fn greedy(&self, prompt: &GreedyPrompt) -> Result<Vec<u32>> {
        let GreedyPrompt { ids, position_ids, image_embeds, count, stop } = prompt;
        let (mut ids, mut positions) = (ids.to_vec(), position_ids.clone());
        let start = ids.len();
        for _ in 0..*count {
            let embeds = self.embed(&[ids.clone()], *image_embeds)?.detach();
            let position_ids = Tensor::from_vec(positions.concat(), (3, 1, ids.len()), self.device())?;
            let hidden = self.decode(&embeds, &position_ids, None)?;
            let last = self.logits(&hidden.narrow(1, ids.len() - 1, 1)?.flatten_to(1)?)?.to_dtype(DType::F32)?;
            let token = last.squeeze(0)?.argmax(0)?.to_scalar::<u32>()?;
            ids.push(token);
            let next = 1 + positions.iter().flatten().copied().max().unwrap_or(-1);
            positions.iter_mut().for_each(|axis| axis.push(next));
            if *stop && self.config.tokens.eos.contains(&token) {
                break;
            }
        }
        Ok(ids.split_off(start))
    }
}

/// What [`Qwen25Vl::greedy`] continues.
#[derive(Clone, Debug)]
pub struct GreedyPrompt<'a> {
    /// Token ids, placeholders expanded.
    pub ids: &'a [u32],
    /// Time, row and column positions of every token.
    pub position_ids: [Vec<i64>; 3],
    /// Rows for the placeholders, [tokens, hidden].
    pub image_embeds: Option<&'a Tensor>,
    /// Most tokens to add.
    pub count: usize,
    /// Whether an end-of-sequence token ends it.
    pub stop: bool,
}
