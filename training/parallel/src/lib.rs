//! Several processes as one run, over MPI.
//!
//! A step's work is a row of parts (scenes, shards). [`World::owners`] deals them out to ranks; whoever did a part, results
//! come back to every rank in the order of the parts, so that a run's numbers do not depend on how many ranks it has.
//! Without the feature `mpi`, and without a launcher such as `mpirun`, there is one rank and nothing is sent.
//!
//! A rank that fails or panics ends the run on all of them ([`World::conclude`]). A rank that is killed ends it too: the
//! launcher sees to that.

mod error;
mod launcher;
#[cfg_attr(not(feature = "mpi"), path = "alone.rs")]
mod ranks;
mod world;

pub use error::{Error, Result};
pub use launcher::ranks_on_this_machine;
pub use world::World;
