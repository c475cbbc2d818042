//! Rollout: the completions of a group, sampled over one reading of their prompt.

use candle_core::{DType, Tensor};
use episodes::Tokens;
use policy::Qwen25Vl;
use vlm::Sampling;
use vlm::sampler::Sampler;

use crate::Result;

/// How completions are sampled.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RolloutSettings {
    /// Completions of each prompt: G.
    pub group_size: usize,
    /// Divides the logits.
    pub temperature: f32,
    /// Probability of the nucleus.
    pub top_p: f32,
    /// Longest completion, tokens.
    pub max_completion_tokens: usize,
}

/// One sampled completion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Completion {
    /// Its tokens, up to and including the first end-of-sequence token.
    pub ids: Vec<u32>,
    /// Whether it ended by itself.
    pub finished: bool,
}

/// Samples a group. Completion i is drawn with the generator of `seed` + i, so a group is a function of its arguments.
///
/// `model` is the behaviour policy, over detached weights; `image_embeds` are the rows for the prompt's placeholders.
///
/// # Errors
/// When the prompt does not fit its embeddings, or logits are not finite.
pub fn rollout(
    model: &Qwen25Vl,
    image_embeds: Option<&Tensor>,
    prompt: &Tokens,
    settings: &RolloutSettings,
    seed: u64,
) -> Result<Vec<Completion>> {
    let RolloutSettings { group_size, temperature, top_p, max_completion_tokens } = *settings;
    let sampling = |i: usize| Sampling::TopP { temperature, top_p, top_k: 0, seed: seed.wrapping_add(i as u64) };
    let mut samplers = (0..group_size).map(|i| Sampler::new(&sampling(i))).collect::<vlm::Result<Vec<_>>>()?;
    let mut completions = vec![Completion { ids: Vec::new(), finished: false }; group_size];

    let len = prompt.ids.len();
    let embeds = model.embed(std::slice::from_ref(&prompt.ids), image_embeds)?;
    let position_ids = Tensor::from_vec(prompt.positions.concat(), (3, 1, len), model.device())?;
    let (last, mut cache) = model.decoder().prefill(&embeds, &position_ids)?;
    let first = logits(model, &last)?.swap_remove(0);
    let mut rows = vec![first; group_size];
    let mut alive: Vec<usize> = (0..group_size).collect();
    for step in 1..=max_completion_tokens {
        let (mut next, mut kept) = (Vec::new(), Vec::new());
        for (row, (&i, logits)) in alive.iter().zip(&rows).enumerate() {
            let id = samplers[i].choose(logits, &[])?.id;
            completions[i].ids.push(id);
            completions[i].finished = model.config().tokens.eos.contains(&id);
            if !completions[i].finished {
                next.push(id);
                kept.push(row as u32);
            }
        }
        if next.is_empty() || step == max_completion_tokens {
            break;
        }
        if kept.len() < alive.len() {
            cache.keep(&kept)?;
            alive = kept.iter().map(|&row| alive[row as usize]).collect();
        }
        let embeds = model.embed_tokens(&Tensor::new(next, model.device())?)?;
        rows = logits(model, &model.decoder().extend(&embeds, &mut cache)?)?;
    }
    Ok(completions)
}

/// Hidden states [g, h] → g rows of the vocabulary.
fn logits(model: &Qwen25Vl, hidden: &Tensor) -> Result<Vec<Vec<f32>>> {
    Ok(model.logits(hidden)?.to_dtype(DType::F32)?.to_vec2()?)
}
