//! What can go wrong between ranks.

/// The error of this crate.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A launcher started several ranks of a program that can't speak to them.
    #[error(
        "expected a build with MPI for the {ranks} ranks that the launcher starts, found one without: build with `--features mpi`"
    )]
    WithoutMpi {
        /// Ranks that the launcher starts; 0 = it does not say.
        ranks: usize,
    },
    /// The MPI library can't be used.
    #[error("MPI: expected {expected}, found {found}")]
    Library {
        /// What is needed.
        expected: &'static str,
        /// What there is.
        found: String,
    },
    /// A message can't be sent or read.
    #[error("a message between ranks: {0}")]
    Message(String),
    /// Ranks were started with different things.
    #[error("expected the same {what} on every rank, found another one on rank {rank} than on rank 0")]
    Disagreement {
        /// What differs.
        what: String,
        /// The first rank that differs.
        rank: usize,
    },
}

/// The result of this crate.
pub type Result<T> = std::result::Result<T, Error>;
