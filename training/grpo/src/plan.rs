//! What a run will need before it is made: parameters, memory by part, hours.
//!
//! Counted as this trainer works: a group's completions in one row behind their prompt, attention probabilities kept for the
//! backward pass; what is trained, its gradients and moments in f32, all else as the recipe's precision has it. An estimate
//! of the peak, good to about a quarter.

use policy::init;
use processor::config::ModelConfig;
use serde::Serialize;

use crate::Result;
use crate::config::Recipe;

/// Pixels of a side of a merged token: two patches of 14.
const MERGED_SIDE: usize = 28;
/// Floats that a decoder layer keeps per token for its backward pass, over the hidden width: norms, residuals, heads.
const KEPT_WIDTHS: usize = 8;

/// Bytes of a trained weight, whatever the precision.
const TRAINED_BYTES: u64 = 4;

/// What a plan is made for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Circumstances {
    /// Frames of a scene.
    pub frames: usize,
    /// Pixels of a frame.
    pub pixels_per_frame: usize,
    /// Tokens of a question with its template.
    pub question_tokens: usize,
    /// Mean tokens of a completion; the longest allowed one counts for memory.
    pub completion_tokens: usize,
    /// Floating-point operations a second that the device sustains.
    pub flops_per_second: f64,
}

/// Bytes by part.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Memory {
    /// The policy, with its adapter.
    pub weights: u64,
    /// The reference policy's own copy.
    pub reference: u64,
    /// Gradients of what is trained.
    pub gradients: u64,
    /// AdamW's two moments.
    pub moments: u64,
    /// What the backward pass needs of the vision tower and the decoder.
    pub activations: u64,
    /// Logits and their gradient.
    pub logits: u64,
    /// Keys and values of a rollout.
    pub kv_cache: u64,
}

impl Memory {
    /// The peak: rollouts and backward passes do not overlap.
    #[must_use]
    pub fn peak(&self) -> u64 {
        let standing = self.weights + self.reference + self.gradients + self.moments;
        standing + (self.activations + self.logits).max(self.kv_cache)
    }
}

/// A plan.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Plan {
    /// Parameters of the network.
    pub parameters: u64,
    /// Of these, or of the adapter, those that are trained.
    pub trained: u64,
    /// Tokens of a prompt.
    pub prompt_tokens: usize,
    /// Bytes by part.
    pub memory: Memory,
    /// Hours of the whole run.
    pub hours: f64,
}

/// Plans `recipe` for the network of `config`.
///
/// # Errors
/// When the recipe's adapter does not fit the network.
pub fn plan(config: &ModelConfig, recipe: &Recipe, circumstances: &Circumstances) -> Result<Plan> {
    let count = |shape: &[usize]| shape.iter().product::<usize>() as u64;
    let count_all = |weights: Vec<init::Weight>| weights.iter().map(|(_, shape, _)| count(shape)).sum::<u64>();
    let parameters = count_all(init::weights(config));
    let trained = count_all(recipe.trained().weights(config)?);
    let sizes = Sizes::new(recipe, circumstances);
    Ok(Plan {
        parameters,
        trained,
        prompt_tokens: sizes.prompt,
        memory: memory(config, recipe, &sizes, [parameters, trained]),
        hours: flops(recipe, &sizes, parameters) / circumstances.flops_per_second / 3600.0,
    })
}

/// Tokens and bytes.
struct Sizes {
    vision: usize,
    prompt: usize,
    /// Of a group in one row, with completions of the mean and of the longest length.
    mean_row: usize,
    longest_row: usize,
    mean_completions: usize,
    longest_completions: usize,
    bytes: u64,
}

impl Sizes {
    fn new(recipe: &Recipe, circumstances: &Circumstances) -> Self {
        let vision = circumstances.frames.div_ceil(2) * circumstances.pixels_per_frame / (MERGED_SIDE * MERGED_SIDE);
        let prompt = vision + circumstances.question_tokens;
        let group = recipe.rollout.group_size;
        let mean_completions = group * circumstances.completion_tokens;
        let longest_completions = group * recipe.rollout.max_completion_tokens;
        Self {
            vision,
            prompt,
            mean_row: prompt + mean_completions,
            longest_row: prompt + longest_completions,
            mean_completions,
            longest_completions,
            bytes: recipe.compute.precision.bytes() as u64,
        }
    }
}

fn memory(config: &ModelConfig, recipe: &Recipe, sizes: &Sizes, [parameters, trained]: [u64; 2]) -> Memory {
    let (text, vision, bytes) = (&config.text, &config.vision, sizes.bytes);
    let full = !recipe.trained().is_adapter();
    let frozen = if full { 0 } else { parameters };
    let needs_copy = full && recipe.objective.kl_beta > 0.0;
    let row = sizes.longest_row;
    let layer =
        row * (KEPT_WIDTHS * text.hidden_size + 3 * text.intermediate_size) + text.num_attention_heads * row * row;
    let decoder = match recipe.optimiser.gradient_checkpointing {
        true => layer + text.num_hidden_layers * row * text.hidden_size,
        false => layer * text.num_hidden_layers,
    };
    let patches = sizes.vision * vision.spatial_merge_size * vision.spatial_merge_size;
    let block = patches * (KEPT_WIDTHS * vision.hidden_size + 3 * vision.intermediate_size);
    let tower = match recipe.optimiser.gradient_checkpointing {
        true => block + vision.depth * patches * vision.hidden_size,
        false => block * vision.depth,
    };
    let kv = 2 * text.num_hidden_layers * text.num_key_value_heads * text.head_dim * sizes.longest_row;
    Memory {
        weights: frozen * bytes + trained * TRAINED_BYTES,
        reference: if needs_copy { parameters * bytes } else { 0 },
        gradients: trained * TRAINED_BYTES,
        moments: 2 * trained * TRAINED_BYTES,
        activations: (decoder + tower) as u64 * bytes,
        logits: (2 * sizes.longest_completions * text.vocab_size) as u64 * 4,
        kv_cache: kv as u64 * bytes,
    }
}

/// Two operations a parameter and token forward, four backward; the decoder's weights for vision tokens too.
fn flops(recipe: &Recipe, sizes: &Sizes, parameters: u64) -> f64 {
    let forward = |tokens: usize| 2.0 * parameters as f64 * tokens as f64;
    let reference = if recipe.objective.kl_beta > 0.0 { 1.0 } else { 0.0 };
    let passes = if recipe.optimiser.gradient_checkpointing { 4.0 } else { 3.0 };
    let rollout = forward(sizes.prompt + sizes.mean_completions);
    let update = (passes * recipe.objective.updates_per_rollout as f64 + reference) * forward(sizes.mean_row);
    let prompts =
        recipe.optimiser.steps as f64 * (recipe.data.scenes_per_step * recipe.data.questions_per_scene) as f64;
    prompts * (rollout + update)
}
