//! A step's batch: rollouts in as many scenes as the recipe wants, dealt out to the ranks of the run.

use parallel::World;
use serde::{Deserialize, Serialize};

use crate::config::Recipe;
use crate::experience::{Actor, Experience, Group};
use crate::report::{GroupMeans, RewardMeans, StepReport};
use crate::reward::Reward;
use crate::threads::in_threads;
use crate::{Error, Result};

/// What every rank must know about a group, whoever sampled it.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Outcome {
    rewards: Vec<Reward>,
    /// Completions that ended by themselves.
    finished: usize,
    /// Whether it is learnt from.
    kept: bool,
}

/// The scenes of a step.
#[derive(Default)]
pub struct Batch {
    /// This rank's scenes.
    pub experiences: Vec<Experience>,
    /// The rank of each scene of the whole batch.
    pub owners: Vec<usize>,
    /// Scenes tried for it, on all ranks.
    pub tried: usize,
    /// Every group that was sampled, on all ranks, also those passed over.
    outcomes: Vec<Outcome>,
}

impl Batch {
    /// Acts in the scenes from `first` on until the batch is full; each rank acts in its share of them. The same on every
    /// rank but for the experiences.
    ///
    /// # Errors
    /// When a scene can't be made, or nothing has a signal.
    pub fn roll_out(actor: &Actor, world: &World, first: u64, step: u64) -> Result<Self> {
        let Recipe { data, advantage, .. } = actor.recipe;
        let (wanted, limit) = (data.scenes_per_step, advantage.dynamic_sampling_scenes);
        let mut batch = Self::default();
        loop {
            let next = first + batch.tried as u64;
            let indices: Vec<u64> = (next..next + (wanted - batch.owners.len()) as u64).collect();
            let owners = world.owners(indices.len());
            let mut found = in_threads(&world.own(&indices, &owners), data.threads, |index| actor.act(*index))?;
            let keeps = |group: &Group| limit == 0 || group.has_signal();
            let outcome = |group: &Group| Outcome {
                rewards: group.rewards.clone(),
                finished: group.finished,
                kept: keeps(group),
            };
            let own = found.iter().map(|experience| experience.groups.iter().map(outcome).collect::<Vec<_>>());
            let outcomes = world.gather(own.collect(), &owners)?;
            found.iter_mut().for_each(|experience| experience.groups.retain(keeps));
            found.retain(|experience| !experience.groups.is_empty());
            batch.experiences.append(&mut found);
            let used = |groups: &[Outcome]| groups.iter().any(|group| group.kept);
            batch
                .owners
                .extend(owners.iter().zip(&outcomes).filter(|(_, groups)| used(groups)).map(|(owner, _)| owner));
            batch.outcomes.extend(outcomes.into_iter().flatten());
            batch.tried += indices.len();
            if batch.owners.len() == wanted || batch.tried >= limit.max(1) && !batch.owners.is_empty() {
                return Ok(batch);
            }
            if batch.tried >= limit.max(1) {
                return Err(Error::NoSignal { step, tried: batch.tried });
            }
        }
    }

    fn kept(&self) -> impl Iterator<Item = &Outcome> {
        self.outcomes.iter().filter(|outcome| outcome.kept)
    }

    /// Groups that are learnt from, on all ranks.
    #[must_use]
    pub fn groups(&self) -> usize {
        self.kept().count()
    }

    /// Completions that are learnt from, on all ranks; at least 1.
    #[must_use]
    pub fn completions(&self) -> usize {
        self.kept().map(|outcome| outcome.rewards.len()).sum::<usize>().max(1)
    }

    /// Completions that were sampled, on all ranks; at least 1.
    #[must_use]
    pub fn sampled(&self) -> usize {
        self.outcomes.iter().map(|outcome| outcome.rewards.len()).sum::<usize>().max(1)
    }

    /// A report of what is known before the first update.
    #[must_use]
    pub fn report(&self) -> StepReport {
        let rewards: Vec<Vec<Reward>> = self.outcomes.iter().map(|outcome| outcome.rewards.clone()).collect();
        let finished = self.kept().map(|outcome| outcome.finished).sum::<usize>();
        StepReport {
            rewards: RewardMeans::of(&rewards.concat()),
            groups: GroupMeans::of(&rewards),
            finished: finished as f64 / self.completions() as f64,
            ..StepReport::default()
        }
    }
}
