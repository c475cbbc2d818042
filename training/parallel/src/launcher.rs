//! What launchers tell the processes that they start, in environment variables of their own.

/// Ranks of the run, under the names of Open MPI and of MPICH's kin.
const SIZE: [&str; 2] = ["OMPI_COMM_WORLD_SIZE", "PMI_SIZE"];
/// Ranks of the run on this machine, under the same two.
const LOCAL_SIZE: [&str; 2] = ["OMPI_COMM_WORLD_LOCAL_SIZE", "MPI_LOCALNRANKS"];
/// Set by every launcher that speaks PMIx, Slurm's among them, which does not say how many ranks there are.
const RANK: &str = "PMIX_RANK";

fn number(names: &[&str]) -> Option<usize> {
    names.iter().find_map(|name| std::env::var(name).ok()?.parse().ok())
}

/// The ranks that a launcher starts, 0 if it does not say; none without a launcher.
pub(crate) fn ranks() -> Option<usize> {
    number(&SIZE).or_else(|| std::env::var_os(RANK).map(|_| 0))
}

/// Ranks that share this machine's cores with the calling one, itself included; 1 where no launcher says.
#[must_use]
pub fn ranks_on_this_machine() -> usize {
    number(&LOCAL_SIZE).unwrap_or(1)
}
