//! The ranks of MPI, through `mpi` (rsmpi).

use std::sync::{Mutex, PoisonError};

use mpi::Threading;
use mpi::collective::{CommunicatorCollectives, Root};
use mpi::datatype::PartitionMut;
use mpi::environment::Universe;
use mpi::point_to_point::{Destination, Source};
use mpi::topology::{Communicator, SimpleCommunicator};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{Error, Result};

/// The exit code of a run that a rank ended.
const FAILED: i32 = 1;

/// A started MPI. Its calls are made one at a time, by whichever thread.
pub(crate) struct Ranks {
    rank: usize,
    size: usize,
    universe: Mutex<Universe>,
}

impl Ranks {
    /// Starts MPI, which knows itself how many ranks there are.
    pub(crate) fn start(_: usize) -> Result<Option<Self>> {
        let refuse = |expected, found: String| Error::Library { expected, found };
        let started = mpi::initialize_with_threading(Threading::Serialized);
        let (universe, provided) = started.ok_or_else(|| refuse("to start it", "started already".into()))?;
        if provided < Threading::Serialized {
            return Err(refuse("calls from any thread, one at a time", format!("{provided:?}")));
        }
        let world = universe.world();
        let count = |number: i32| usize::try_from(number).map_err(|_| refuse("a rank", number.to_string()));
        let (rank, size) = (count(world.rank())?, count(world.size())?);
        Ok(Some(Self { rank, size, universe: Mutex::new(universe) }))
    }

    pub(crate) fn rank(&self) -> usize {
        self.rank
    }

    pub(crate) fn size(&self) -> usize {
        self.size
    }

    fn call<R>(&self, f: impl FnOnce(&SimpleCommunicator) -> R) -> R {
        let universe = self.universe.lock().unwrap_or_else(PoisonError::into_inner);
        f(&universe.world())
    }

    /// What each rank has, by rank.
    pub(crate) fn gather<T: Serialize, R: DeserializeOwned>(&self, own: &T) -> Result<Vec<R>> {
        let own = written(own)?;
        let mut counts = vec![0i32; self.size];
        let length = count(own.len())?;
        self.call(|world| world.all_gather_into(&length, &mut counts[..]));
        let starts: Vec<i32> = counts
            .iter()
            .scan(0i32, |end, &count| {
                let start = *end;
                *end = end.saturating_add(count);
                Some(start)
            })
            .collect();
        let total = counts.iter().map(|&count| count as usize).sum::<usize>();
        count(total)?;
        let mut bytes = vec![0u8; total];
        {
            let mut partition = PartitionMut::new(&mut bytes[..], &counts[..], &starts[..]);
            self.call(|world| world.all_gather_varcount_into(&own[..], &mut partition));
        }
        let part = |(&start, &count): (&i32, &i32)| {
            let (start, count) = (start as usize, count as usize);
            read(bytes.get(start..start + count).unwrap_or_default())
        };
        starts.iter().zip(&counts).map(part).collect()
    }

    /// Rank 0's value.
    pub(crate) fn broadcast<T: Serialize + DeserializeOwned>(&self, value: &T) -> Result<T> {
        let mut bytes = written(value)?;
        let mut length = count(bytes.len())?;
        self.call(|world| world.process_at_rank(0).broadcast_into(&mut length));
        bytes.resize(length as usize, 0);
        self.call(|world| world.process_at_rank(0).broadcast_into(&mut bytes[..]));
        read(&bytes)
    }

    pub(crate) fn broadcast_floats(&self, from: usize, values: &mut [f32]) {
        self.call(|world| world.process_at_rank(from as i32).broadcast_into(values));
    }

    pub(crate) fn send(&self, to: usize, values: &[f32]) {
        self.call(|world| world.process_at_rank(to as i32).send(values));
    }

    pub(crate) fn receive(&self, from: usize, values: &mut [f32]) {
        self.call(|world| world.process_at_rank(from as i32).receive_into(values));
    }

    /// Ends the run on every rank.
    pub(crate) fn abort(&self) -> ! {
        self.call(|world| world.abort(FAILED))
    }
}

impl Drop for Ranks {
    /// A rank that panics must not wait, in MPI's own end, for those that wait for it.
    fn drop(&mut self) {
        if std::thread::panicking() && self.size > 1 {
            self.abort();
        }
    }
}

fn written(value: &impl Serialize) -> Result<Vec<u8>> {
    postcard::to_allocvec(value).map_err(|error| Error::Message(error.to_string()))
}

fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    postcard::from_bytes(bytes).map_err(|error| Error::Message(error.to_string()))
}

/// A length as MPI counts.
fn count(length: usize) -> Result<i32> {
    i32::try_from(length).map_err(|_| Error::Message(format!("expected at most {} bytes, found {length}", i32::MAX)))
}
