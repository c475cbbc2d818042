//! The algorithm: roll out, reward, compare within groups, pull the policy towards what was better.

use std::path::{Path, PathBuf};
use std::time::Instant;

use episodes::Split;
use optimiser::ranks::{share_state, sum_in_order};
use optimiser::{Optimiser, checkpoint, clip_global_norm};
use parallel::World;
use serde::{Deserialize, Serialize};

use crate::batch::Batch;
use crate::config::Recipe;
use crate::experience::{Actor, Experience};
use crate::importance::ImportanceFigures;
use crate::policies::Policies;
use crate::report::{Evaluation, RewardMeans, Sample, StepReport};
use crate::reward::{Judged, Reward};
use crate::scene::SceneSource;
use crate::server::Server;
use crate::threads::in_threads;
use crate::update::{Contribution, Terms, UpdateSettings, contribution};
use crate::{Error, Result};

/// Where a run stands. Random states are streams of the recipe's seed at the data position, so these numbers, the weights
/// and the optimiser's state are all that a run needs to go on exactly as if it had never stopped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// Batches of rollouts made.
    pub step: u64,
    /// Updates of the optimiser made.
    pub updates: u64,
    /// The data position: the next training scene.
    pub next_scene: u64,
    /// Seconds of training so far, over all sessions of the run.
    pub seconds: f64,
    /// The best mean reward of an evaluation; in f32, which a checkpoint's JSON gives back exactly.
    pub best_reward: Option<f32>,
    /// Evaluations since then.
    pub evaluations_since_best: u64,
}

impl checkpoint::Progress for Progress {
    fn optimiser_steps(&self) -> u64 {
        self.updates
    }
}

/// A run of SG-RLVR.
pub struct Trainer {
    recipe: Recipe,
    source: Box<dyn SceneSource>,
    policies: Policies,
    optimiser: Optimiser,
    checkpoints: PathBuf,
    progress: Progress,
    world: World,
    server: Option<Server>,
}

impl Trainer {
    /// Starts from the recipe's model, or goes on from the newest checkpoint in `checkpoints` where there is one. Rank 0's
    /// folder counts; how many ranks wrote it does not matter.
    ///
    /// # Errors
    /// When the model or the checkpoint does not fit, or the ranks have different recipes.
    pub fn new(recipe: Recipe, source: Box<dyn SceneSource>, checkpoints: &Path, world: World) -> Result<Self> {
        world.agree("recipe", &format!("{recipe:?}"))?;
        let compute = recipe.compute.open()?;
        let policies = Policies::load(&recipe.model, &recipe.trained(), recipe.objective.kl_beta > 0.0, &compute)?;
        let mut optimiser = Optimiser::new(&policies.variables, recipe.adamw(), None, recipe.data.threads)?;
        let earlier = match world.leads() {
            true => checkpoint::load_newest(checkpoints, &policies.variables, &mut optimiser, &compute.device)?,
            false => None,
        };
        let progress = earlier.unwrap_or_default();
        let progress = share_state(&world, &policies.variables, &mut optimiser, progress)?;
        let server = match &recipe.rollout.server {
            Some(url) if !recipe.trained().is_adapter() => return Err(full_weights(url)),
            Some(url) => Some(Server::connect(url, &checkpoints.with_file_name(SERVED))?),
            None => None,
        };
        Ok(Self { recipe, source, policies, optimiser, checkpoints: checkpoints.to_owned(), progress, world, server })
    }

    /// Where the run stands.
    #[must_use]
    pub fn progress(&self) -> &Progress {
        &self.progress
    }

    /// The network in its roles.
    #[must_use]
    pub fn policies(&self) -> &Policies {
        &self.policies
    }

    /// Whether the recipe's steps are all made, or its patience is at an end.
    #[must_use]
    pub fn is_done(&self) -> bool {
        let patience = self.recipe.run.patience;
        let impatient = patience > 0 && self.progress.evaluations_since_best >= patience;
        impatient || self.progress.step >= self.recipe.optimiser.steps
    }

    fn actor(&self) -> Actor<'_> {
        let (source, server) = (self.source.as_ref(), self.server.as_ref());
        Actor { policies: &self.policies, source, recipe: &self.recipe, server }
    }

    /// Makes one step: a batch of rollouts, and the updates on it. All ranks make it together and end with the same
    /// weights; the report is the same on all but for seconds.
    ///
    /// # Errors
    /// When a scene can't be made, nothing has a signal, or the gradients are no longer finite.
    pub fn step(&mut self) -> Result<StepReport> {
        let began = Instant::now();
        self.serve()?;
        let (first, step) = (self.progress.next_scene, self.progress.step);
        let mut batch = Batch::roll_out(&self.actor(), &self.world, first, step)?;
        self.progress.next_scene += batch.tried as u64;
        let settings = UpdateSettings {
            objective: self.recipe.objective_settings(),
            groups: batch.groups(),
            importance_cap: self.recipe.rollout.importance_cap,
            gradient_checkpointing: self.recipe.optimiser.gradient_checkpointing,
        };
        let mut report = batch.report();
        for update in 0..self.recipe.objective.updates_per_rollout {
            let threads = self.recipe.data.threads;
            let contribute = |experience: &Experience| contribution(&self.policies, experience, &settings);
            let parts = in_threads(&batch.experiences, threads, contribute)?;
            if update == 0 {
                remember_log_probs(&mut batch.experiences, &parts);
            }
            self.update(parts, &batch.owners, &mut report)?;
        }
        report.completion_tokens /= batch.completions() as f64;
        self.progress.step += 1;
        let seconds = began.elapsed().as_secs_f64();
        self.progress.seconds += seconds;
        report.step = self.progress.step;
        report.scenes = self.progress.next_scene;
        report.seconds = self.progress.seconds;
        report.tokens_per_second = report.completion_tokens * batch.sampled() as f64 / seconds;
        Ok(report)
    }

    /// Gives the server, where there is one, the policy as it is now; on rank 0, and the others learn its name.
    fn serve(&mut self) -> Result<()> {
        let Some(server) = &mut self.server else { return Ok(()) };
        let name = match self.world.leads() {
            true => server.publish(&self.policies, self.progress.updates)?,
            false => String::new(),
        };
        server.follow(self.world.lead_value(name)?);
        Ok(())
    }

    /// One update of the optimiser from the contributions of all scenes on all ranks, added in order.
    fn update(&mut self, parts: Vec<Contribution>, owners: &[usize], report: &mut StepReport) -> Result<()> {
        let (own, gradients): (Vec<_>, Vec<_>) = parts.into_iter().map(|part| (part.terms, part.gradients)).unzip();
        let mut terms = Terms::default();
        self.world.gather(own, owners)?.into_iter().for_each(|part| terms.add(part));
        let mut sum = sum_in_order(&self.world, &self.policies.variables, gradients, owners)?;
        report.loss = terms.loss;
        report.gradient_norm = clip_global_norm(&mut sum, self.recipe.optimiser.clip_norm)?;
        if !report.gradient_norm.is_finite() {
            return Err(Error::Diverged { step: self.progress.step, norm: report.gradient_norm });
        }
        report.learning_rate = self.recipe.schedule().rate(self.progress.updates);
        report.kl = terms.kl / terms.tokens.max(1) as f64;
        report.clipped = terms.clipped as f64 / terms.tokens.max(1) as f64;
        let ImportanceFigures { tokens, ratios, truncated } = terms.importance;
        report.importance_ratio = (tokens > 0).then(|| ratios / tokens as f64);
        report.importance_truncated = (tokens > 0).then(|| truncated as f64 / tokens as f64);
        report.completion_tokens = terms.tokens as f64;
        self.optimiser.step(&sum, report.learning_rate)?;
        self.progress.updates += 1;
        Ok(())
    }

    /// Judges the policy on the first held-out scenes, shared by all ranks, and remembers whether it is the best so far.
    ///
    /// # Errors
    /// When a scene can't be made.
    pub fn evaluate(&mut self) -> Result<Evaluation> {
        let indices: Vec<u64> = (0..self.recipe.run.evaluation_scenes).collect();
        let (actor, owners) = (self.actor(), self.world.owners(indices.len()));
        let own = in_threads(&self.world.own(&indices, &owners), self.recipe.data.threads, |index| {
            actor.examine(Split::Heldout, *index)
        })?;
        let answers = indices.into_iter().zip(self.world.gather(own, &owners)?);
        let answers: Vec<_> = answers.flat_map(|(i, all)| all.into_iter().map(move |one| (i, one))).collect();
        let rewards: Vec<Reward> = answers.iter().map(|(_, (_, reward, _))| *reward).collect();
        let rewards = RewardMeans::of(&rewards);
        let questions = answers.len();
        let tokens = answers.iter().map(|(_, (judged, ..))| judged.tokens).sum::<usize>();
        let sample = |(scene, answer): (u64, (Judged, Reward, String))| {
            let (judged, reward, solution) = answer;
            Sample { scene, completion: judged.text, solution, reward }
        };
        let samples = answers.into_iter().take(self.recipe.run.samples).map(sample).collect();
        let reward = rewards.reward as f32;
        if self.progress.best_reward.is_none_or(|best| reward > best) {
            self.progress.best_reward = Some(reward);
            self.progress.evaluations_since_best = 0;
        } else {
            self.progress.evaluations_since_best += 1;
        }
        let completion_tokens = tokens as f64 / questions.max(1) as f64;
        Ok(Evaluation { step: self.progress.step, rewards, questions, completion_tokens, samples })
    }

    /// Writes a checkpoint that [`Trainer::new`] goes on from, and removes the oldest ones; on rank 0, others do nothing.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn save_checkpoint(&self) -> Result<()> {
        if !self.world.leads() {
            return Ok(());
        }
        let (folder, kept) = (&self.checkpoints, self.recipe.run.checkpoints_kept);
        Ok(checkpoint::save_step(folder, kept, &self.policies.variables, &self.optimiser, &self.progress)?)
    }
}

/// The folder beside the checkpoints that a server reads adapters from.
const SERVED: &str = "served";

fn full_weights(url: &str) -> Error {
    Error::Server {
        url: url.to_owned(),
        expected: "a recipe with [lora] or adapter, which a server can load at each step".into(),
        found: "one that trains every weight".into(),
    }
}

/// From the second update on a batch, ratios are taken to the policy that sampled it: its log-probabilities are those of
/// the first update, before which nothing had changed.
fn remember_log_probs(batch: &mut [Experience], parts: &[Contribution]) {
    for (experience, part) in batch.iter_mut().zip(parts) {
        for (group, log_probs) in experience.groups.iter_mut().zip(&part.log_probs) {
            group.rollout = Some(log_probs.clone());
        }
    }
}
