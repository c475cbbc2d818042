//! What can go wrong while exporting; every message names the file or tensor, what was expected and what was found.

use std::path::{Path, PathBuf};

use safetensors::Dtype;
use thiserror::Error;

/// Result of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// A failed export. No error leaves an output directory behind.
#[derive(Debug, Error)]
pub enum Error {
    /// A file could not be read or written (missing, unreadable, disk full).
    #[error("{path}: {source}")]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// A JSON file of the checkpoint does not parse.
    #[error("{path}: not valid JSON: {source}")]
    Json {
        /// The file.
        path: PathBuf,
        /// Where and why.
        source: serde_json::Error,
    },
    /// `config.json` is absent or does not describe a Qwen2.5-VL model; the message has key, expected and found.
    #[error(transparent)]
    Config(#[from] processor::ProcessorError),
    /// The index of a sharded checkpoint lacks its table.
    #[error("{path}: expected an object weight_map, found none")]
    ShardIndex {
        /// The index file.
        path: PathBuf,
    },
    /// A safetensors shard has a broken header or a wrong length.
    #[error("{path}: not a valid safetensors file: {source}")]
    Safetensors {
        /// The shard.
        path: PathBuf,
        /// What its header lacks.
        source: safetensors::SafeTensorError,
    },
    /// The directory holds no weights.
    #[error("{dir}: expected model.safetensors or model.safetensors.index.json, found neither")]
    NoWeights {
        /// The checkpoint directory.
        dir: PathBuf,
    },
    /// A tensor that the architecture needs is absent.
    #[error("expected tensor {name} of shape {expected:?}, found none among the checkpoint's {count} tensors")]
    MissingTensor {
        /// Hub name of the tensor.
        name: String,
        /// Its shape by `config.json`.
        expected: Vec<usize>,
        /// Number of tensors in the checkpoint.
        count: usize,
    },
    /// Two tensors of the checkpoint are the same one under two naming schemes, or in two shards.
    #[error("tensor {name}: expected once, found in {first} and again in {second}")]
    DuplicateTensor {
        /// Hub name of the tensor.
        name: String,
        /// Shard that has it first.
        first: PathBuf,
        /// Shard that has it again.
        second: PathBuf,
    },
    /// A tensor has another shape than `config.json` implies.
    #[error("tensor {name}: expected shape {expected:?}, found {found:?}")]
    Shape {
        /// Hub name of the tensor.
        name: String,
        /// Shape by `config.json`.
        expected: Vec<usize>,
        /// Shape in the shard.
        found: Vec<usize>,
    },
    /// A tensor is stored in a type that is not a float this exporter reads.
    #[error("tensor {name}: expected dtype F32, F16 or BF16, found {found}")]
    Dtype {
        /// Hub name of the tensor.
        name: String,
        /// Type in the shard.
        found: String,
    },
    /// A weight is NaN or infinite.
    #[error("tensor {name}: expected finite weights, found {found} at flat index {index}")]
    NotFinite {
        /// Hub name of the tensor.
        name: String,
        /// The value.
        found: f32,
        /// Row-major index in the checkpoint's layout.
        index: usize,
    },
    /// A weight does not fit into the type it is to be stored in.
    #[error("tensor {name}: expected magnitudes up to 65504 for f16, found {found} at index {index} of its block")]
    Overflow {
        /// Hub name of the tensor.
        name: String,
        /// The value.
        found: f32,
        /// Index within the block being written.
        index: usize,
    },
    /// The adapter is not a LoRA that can be merged.
    #[error("{path}: expected {expected}, found {found}")]
    Adapter {
        /// Its configuration.
        path: PathBuf,
        /// What can be merged.
        expected: String,
        /// What it is.
        found: String,
    },
    /// The profile has no form for this precision.
    #[error("profile {profile}: expected {expected}, found {found}")]
    Unsupported {
        /// The profile asked for.
        profile: &'static str,
        /// What it supports.
        expected: &'static str,
        /// The precision asked for.
        found: String,
    },
    /// The static KV cache would be empty or longer than the model's context.
    #[error("expected a KV capacity of 1 to {expected} tokens, the model's context, found {found}")]
    KvCapacity {
        /// The context length.
        expected: usize,
        /// The capacity asked for.
        found: usize,
    },
    /// The disk has no room for the export, by an estimate made before the first byte is written.
    #[error("{path}: expected {expected} bytes of free disk space for the export, found {found}")]
    DiskSpace {
        /// Directory on that disk.
        path: PathBuf,
        /// Bytes the export takes.
        expected: u64,
        /// Bytes free.
        found: u64,
    },
    /// Too little memory is free, by an estimate made before anything large is allocated.
    #[error("expected {expected} bytes of free memory for the export's largest tensor, found {found}")]
    Memory {
        /// Bytes the export takes at its peak.
        expected: u64,
        /// Bytes available.
        found: u64,
    },
    /// The checkpoint has tensors that the architecture does not use.
    #[error("expected no tensors beyond the architecture's, found {count}: {}", names.join(", "))]
    ExtraTensors {
        /// How many there are.
        count: usize,
        /// The first few names.
        names: Vec<String>,
    },
    /// The output path exists and is not an earlier export, so it is not replaced.
    #[error("{path}: expected an absent, empty or earlier exported directory, found something else there")]
    OutputOccupied {
        /// The output directory asked for.
        path: PathBuf,
    },
}

impl Error {
    /// `Dtype` unless a tensor is of a float type this exporter reads.
    pub(crate) fn check_float(name: &str, dtype: Dtype) -> Result<()> {
        if matches!(dtype, Dtype::F32 | Dtype::F16 | Dtype::BF16) {
            return Ok(());
        }
        Err(Self::Dtype { name: name.to_owned(), found: format!("{dtype:?}") })
    }

    /// Adapter for `map_err`: attaches `path` to an I/O error.
    pub(crate) fn io(path: &Path) -> impl FnOnce(std::io::Error) -> Error {
        let path = path.to_path_buf();
        move |source| Error::Io { path, source }
    }

    /// Adapter for `map_err`: attaches `path` to a JSON error.
    pub(crate) fn json(path: &Path) -> impl FnOnce(serde_json::Error) -> Error {
        let path = path.to_path_buf();
        move |source| Error::Json { path, source }
    }
}
