//! Experience: what the policy did in one scene, judged and ready to be learnt from.

use candle_core::Tensor;
use episodes::Split;
use policy::Qwen25Vl;
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::advantage::{advantages, has_signal};
use crate::config::Recipe;
use crate::log_probs::PackedGroup;
use crate::policies::Policies;
use crate::reward::{Judged, Reward, judge};
use crate::rollout::{Completion, RolloutSettings, rollout};
use crate::scene::{Prompt, Scene, SceneSource, reordered_frames};
use crate::server::{Asked, Server};
use crate::{Error, Result};

/// A group of completions of one prompt.
pub struct Group {
    /// In tokens.
    pub packed: PackedGroup,
    /// What each earned.
    pub rewards: Vec<Reward>,
    /// How much better than its group each is.
    pub advantages: Vec<f64>,
    /// Log-probabilities under the reference policy; none without one.
    pub reference: Option<Vec<f32>>,
    /// Log-probabilities under the policy that sampled; none until another policy looks at them.
    pub rollout: Option<Vec<f32>>,
    /// Log-probabilities under the server's policy, where a server sampled.
    pub served: Option<Vec<f32>>,
    /// Completions that ended by themselves.
    pub finished: usize,
}

impl Group {
    /// Whether its rewards differ.
    #[must_use]
    pub fn has_signal(&self) -> bool {
        has_signal(&self.rewards.iter().map(|reward| reward.total).collect::<Vec<_>>())
    }
}

/// The groups of one scene.
pub struct Experience {
    /// The frames: [patches, patch_dim] with their grid; none without frames.
    pub pixels: Option<(Tensor, [usize; 3])>,
    /// A group for each question.
    pub groups: Vec<Group>,
}

/// Who acts, where, by which rules.
#[derive(Clone, Copy)]
pub struct Actor<'a> {
    /// The network.
    pub policies: &'a Policies,
    /// The scenes.
    pub source: &'a dyn SceneSource,
    /// The rules.
    pub recipe: &'a Recipe,
    /// Who samples while training, if not this process.
    pub server: Option<&'a Server>,
}

impl Actor<'_> {
    /// Samples and judges the groups of training scene `index`: a function of the weights, the recipe and the index.
    ///
    /// # Errors
    /// When the scene can't be made, or a prompt is too long.
    pub fn act(&self, index: u64) -> Result<Experience> {
        let scene = self.source.scene(Split::Train, index)?;
        let behaviour = &self.policies.behaviour;
        let pixels = pixels(&scene, &scene.pixel_values, behaviour)?;
        let embeds = if self.server.is_some() { None } else { embed(behaviour, pixels.as_ref())? };
        let reference = match &self.policies.reference {
            Some(reference) => Some((reference, embed(reference, pixels.as_ref())?)),
            None => None,
        };
        let mut groups = Vec::with_capacity(scene.prompts.len());
        for (i, prompt) in scene.prompts.iter().enumerate() {
            let mut random = self.generator(index, i);
            self.check_length(prompt, index)?;
            let view = View { scene: &scene, prompt, pixel_values: &scene.pixel_values, embeds: embeds.as_ref() };
            let all = self.recipe.rollout_settings();
            let (completions, served) = self.sample(&view, &all, random.next_u64())?;
            let shuffled = match self.recipe.reward.temporal && scene.is_video() {
                true => self.shuffled(&scene, prompt, &mut random)?,
                false => Vec::new(),
            };
            let settings = self.recipe.reward_settings();
            let rewards = judge(&self.read(&completions)?, &shuffled, &prompt.problem, &settings);
            let totals: Vec<f64> = rewards.iter().map(|reward| reward.total).collect();
            let packed = PackedGroup::new(&prompt.tokens, &completions, behaviour.device())?;
            let log_probs = |(model, embeds): &(&Qwen25Vl, Option<Tensor>)| packed.log_probs(model, embeds.as_ref());
            groups.push(Group {
                reference: reference.as_ref().map(log_probs).transpose()?,
                rollout: None,
                served,
                finished: completions.iter().filter(|completion| completion.finished).count(),
                advantages: advantages(&totals, self.recipe.advantage.divide_by_std),
                rewards,
                packed,
            });
        }
        Ok(Experience { pixels, groups })
    }

    /// One completion of every prompt of scene `index` of `split`, with its reward and its prompt's solution.
    ///
    /// # Errors
    /// When the scene can't be made.
    pub fn examine(&self, split: Split, index: u64) -> Result<Vec<(Judged, Reward, String)>> {
        let scene = self.source.scene(split, index)?;
        let behaviour = &self.policies.behaviour;
        let embeds = embed(behaviour, pixels(&scene, &scene.pixel_values, behaviour)?.as_ref())?;
        let temperature = self.recipe.run.evaluation_temperature as f32;
        let settings = RolloutSettings { group_size: 1, temperature, ..self.recipe.rollout_settings() };
        let judge_one = |(i, prompt): (usize, &Prompt)| {
            let seed = self.generator(index, i).next_u64();
            let completions = rollout(behaviour, embeds.as_ref(), &prompt.tokens, &settings, seed)?;
            let judged = self.read(&completions)?;
            let rewards = judge(&judged, &[], &prompt.problem, &self.recipe.reward_settings());
            let each = judged.into_iter().zip(rewards);
            Ok(each.map(|(judged, reward)| (judged, reward, prompt.problem.solution.clone())).collect::<Vec<_>>())
        };
        let answers = scene.prompts.iter().enumerate().map(judge_one).collect::<Result<Vec<_>>>()?;
        Ok(answers.into_iter().flatten().collect())
    }

    /// The random state of one prompt: a stream of the recipe's seed, so that nothing but the data position needs to be
    /// remembered.
    fn generator(&self, scene: u64, prompt: usize) -> ChaCha8Rng {
        let mut random = ChaCha8Rng::seed_from_u64(self.recipe.data.seed);
        random.set_stream(scene << 16 | prompt as u64);
        random
    }

    fn check_length(&self, prompt: &Prompt, scene: u64) -> Result<()> {
        let (found, limit) = (prompt.tokens.ids.len(), self.recipe.rollout.max_prompt_tokens);
        if (1..=limit).contains(&found) {
            return Ok(());
        }
        let expected = format!("prompts of 1 to {limit} tokens (rollout.max_prompt_tokens)");
        Err(Error::Prompt { scene, expected, found: format!("one of {found}") })
    }

    /// A group, and its log-probabilities where a server sampled it.
    fn sample(
        &self,
        view: &View,
        settings: &RolloutSettings,
        seed: u64,
    ) -> Result<(Vec<Completion>, Option<Vec<f32>>)> {
        let View { scene, prompt, pixel_values, embeds } = *view;
        let Some(server) = self.server else {
            let completions = rollout(&self.policies.behaviour, embeds, &prompt.tokens, settings, seed)?;
            return Ok((completions, None));
        };
        let asked = Asked { scene, prompt, pixel_values, processor: self.source.processor() };
        let served = server.sample(&asked, settings, seed)?;
        let log_probs = served.iter().flat_map(|served| &served.log_probs).copied().collect();
        Ok((served.into_iter().map(|served| served.completion).collect(), Some(log_probs)))
    }

    /// G/2 completions with the frames in random order.
    fn shuffled(&self, scene: &Scene, prompt: &Prompt, random: &mut ChaCha8Rng) -> Result<Vec<Judged>> {
        let mut order: Vec<usize> = (0..2 * scene.grid_thw[0]).collect();
        order.shuffle(random);
        let values = reordered_frames(&scene.pixel_values, scene.grid_thw, &order);
        let behaviour = &self.policies.behaviour;
        let embeds = match self.server {
            Some(_) => None,
            None => embed(behaviour, pixels(scene, &values, behaviour)?.as_ref())?,
        };
        let view = View { scene, prompt, pixel_values: &values, embeds: embeds.as_ref() };
        let all = self.recipe.rollout_settings();
        let settings = RolloutSettings { group_size: all.group_size / 2, ..all };
        self.read(&self.sample(&view, &settings, random.next_u64())?.0)
    }

    fn read(&self, completions: &[Completion]) -> Result<Vec<Judged>> {
        let text = |completion: &Completion| {
            let end = completion.ids.len() - usize::from(completion.finished);
            let ids = completion.ids.get(..end).unwrap_or_default();
            Ok(Judged { text: self.source.processor().decode(ids)?, tokens: completion.ids.len() })
        };
        completions.iter().map(text).collect()
    }
}

fn pixels(scene: &Scene, values: &[f32], model: &Qwen25Vl) -> Result<Option<(Tensor, [usize; 3])>> {
    let patches = scene.grid_thw.iter().product::<usize>();
    if patches == 0 || values.is_empty() {
        return Ok(None);
    }
    Ok(Some((Tensor::from_slice(values, (patches, ()), model.device())?, scene.grid_thw)))
}

/// A prompt and the frames behind it, as one sampler or another reads them.
struct View<'a> {
    scene: &'a Scene,
    prompt: &'a Prompt,
    pixel_values: &'a [f32],
    /// What the sampler reads of the frames; none for a server, which has eyes of its own.
    embeds: Option<&'a Tensor>,
}

/// Rows for the placeholders of a prompt.
fn embed(model: &Qwen25Vl, pixels: Option<&(Tensor, [usize; 3])>) -> Result<Option<Tensor>> {
    let encode = |(values, grid): &(Tensor, [usize; 3])| Ok(model.vision(values, &[*grid])?.image_embeds);
    pixels.map(encode).transpose()
}
