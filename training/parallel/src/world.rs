//! The ranks of a run.

use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::ranks::Ranks;
use crate::{Error, Result, launcher};

/// The ranks of a run, seen from one of them. Clones are the same run; the last one to go ends MPI.
#[derive(Clone, Default)]
pub struct World {
    ranks: Option<Arc<Ranks>>,
}

impl World {
    /// One rank, alone.
    #[must_use]
    pub fn single() -> Self {
        Self::default()
    }

    /// The ranks that a launcher such as `mpirun` started together with this process, or one rank without a launcher.
    ///
    /// # Errors
    /// When there is a launcher and this build has no MPI, or when MPI was started before or can't serve several threads.
    pub fn of_launcher() -> Result<Self> {
        let ranks = launcher::ranks().map(Ranks::start).transpose()?.flatten();
        Ok(Self { ranks: ranks.map(Arc::new) })
    }

    /// The number of this rank, from 0.
    #[must_use]
    pub fn rank(&self) -> usize {
        self.ranks.as_ref().map_or(0, |ranks| ranks.rank())
    }

    /// How many ranks there are.
    #[must_use]
    pub fn size(&self) -> usize {
        self.ranks.as_ref().map_or(1, |ranks| ranks.size())
    }

    /// Whether this is rank 0, the one that writes.
    #[must_use]
    pub fn leads(&self) -> bool {
        self.rank() == 0
    }

    /// The rank of each of `count` parts: neighbours together, shares as equal as they can be.
    #[must_use]
    pub fn owners(&self, count: usize) -> Vec<usize> {
        (0..count).map(|part| part * self.size() / count).collect()
    }

    /// Those of `parts` that are this rank's.
    #[must_use]
    pub fn own<T: Clone>(&self, parts: &[T], owners: &[usize]) -> Vec<T> {
        let mine = parts.iter().zip(owners).filter(|(_, owner)| **owner == self.rank());
        mine.map(|(part, _)| part.clone()).collect()
    }

    /// What every rank found for its own parts, in the order of all parts, on every rank.
    ///
    /// # Errors
    /// When a value can't be sent, or a rank brings more or fewer than its parts.
    pub fn gather<T: Serialize + DeserializeOwned>(&self, own: Vec<T>, owners: &[usize]) -> Result<Vec<T>> {
        if let Some(ranks) = &self.ranks {
            let mut by_rank = ranks.gather(&own)?.into_iter().map(|all: Vec<T>| all.into_iter()).collect::<Vec<_>>();
            let next = |&owner: &usize| by_rank.get_mut(owner).and_then(Iterator::next);
            let in_order: Vec<T> = owners.iter().map_while(next).collect();
            return counted(in_order, owners.len());
        }
        counted(own, owners.len())
    }

    /// The value that rank 0 has, on every rank.
    ///
    /// # Errors
    /// When it can't be sent.
    pub fn lead_value<T: Serialize + DeserializeOwned>(&self, value: T) -> Result<T> {
        match &self.ranks {
            Some(ranks) => ranks.broadcast(&value),
            None => Ok(value),
        }
    }

    /// Replaces `values` by those of rank `from`. All ranks must have equally many.
    pub fn broadcast(&self, from: usize, values: &mut [f32]) {
        if let Some(ranks) = &self.ranks {
            ranks.broadcast_floats(from, values);
        }
    }

    /// Sends `values` to another rank, which must [`World::receive`] as many.
    pub fn send(&self, to: usize, values: &[f32]) {
        if let Some(ranks) = &self.ranks {
            ranks.send(to, values);
        }
    }

    /// Fills `values` with what rank `from` sends.
    pub fn receive(&self, from: usize, values: &mut [f32]) {
        if let Some(ranks) = &self.ranks {
            ranks.receive(from, values);
        }
    }

    /// Makes sure that all ranks have the same `value`, called `what` in the error.
    ///
    /// # Errors
    /// On every rank, when one has another.
    pub fn agree(&self, what: &str, value: &str) -> Result<()> {
        let owners: Vec<usize> = (0..self.size()).collect();
        let all = self.gather(vec![value.to_owned()], &owners)?;
        match all.iter().position(|other| Some(other) != all.first()) {
            None => Ok(()),
            Some(rank) => Err(Error::Disagreement { what: what.to_owned(), rank }),
        }
    }

    /// Passes `result` on. If it is an error and there are other ranks, says so and ends the run on all of them, since
    /// they would wait for this one forever.
    ///
    /// # Errors
    /// The one in `result`, when this is the only rank.
    pub fn conclude<T, E: std::fmt::Display>(&self, result: std::result::Result<T, E>) -> std::result::Result<T, E> {
        if let (Some(ranks), Err(error)) = (&self.ranks, &result)
            && ranks.size() > 1
        {
            eprintln!("error: rank {} of {}: {error:#}", ranks.rank(), ranks.size());
            ranks.abort();
        }
        result
    }
}

fn counted<T>(all: Vec<T>, expected: usize) -> Result<Vec<T>> {
    match all.len() == expected {
        true => Ok(all),
        false => Err(Error::Message(format!("expected {expected} results of all ranks, found {}", all.len()))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_rank_has_everything() {
        let world = World::single();
        assert_eq!((world.rank(), world.size(), world.leads()), (0, 1, true));
        let owners = world.owners(3);
        assert_eq!(owners, [0, 0, 0]);
        assert_eq!(world.gather(world.own(&[7, 8, 9], &owners), &owners).unwrap(), [7, 8, 9]);
        assert_eq!(world.conclude::<(), _>(Err("kept")), Err("kept"));
        let short = world.gather(vec![7, 8], &owners).unwrap_err().to_string();
        assert_eq!(short, "a message between ranks: expected 3 results of all ranks, found 2");
    }
}
