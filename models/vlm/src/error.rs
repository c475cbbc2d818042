//! What can go wrong between a model directory and an answer.

use std::path::PathBuf;

/// Result of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// Every failure of loading or running the engine, with expected and found.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No ONNX Runtime library could be loaded.
    #[error(
        "no usable ONNX Runtime library; looked at: {}. Get it with `make setup`, or with `pip install onnxruntime=={version}` \
         and SPACER_ORT_DYLIB=<site-packages>/onnxruntime/capi/libonnxruntime.so.{version}",
        looked_at.join("; ")
    )]
    NoRuntime {
        /// Every place tried, each with the reason it was refused.
        looked_at: Vec<String>,
        /// The release to get.
        version: &'static str,
    },
    /// ONNX Runtime was loaded but its environment could not be made.
    #[error("ONNX Runtime {library} loaded, but its environment failed: {reason}")]
    Environment {
        /// Library that was loaded.
        library: String,
        /// ONNX Runtime's message.
        reason: String,
    },
    /// A file of the model directory is not there.
    #[error("missing model file {path}: expected {expected}, found nothing")]
    MissingFile {
        /// Where it should be.
        path: PathBuf,
        /// What it should hold.
        expected: &'static str,
    },
    /// A file beside the graphs can't be read.
    #[error("{path}: expected {expected}, found: {found}")]
    MalformedFile {
        /// The file.
        path: PathBuf,
        /// What it should hold.
        expected: &'static str,
        /// Why that can't be read.
        found: String,
    },
    /// A file can't be read, or is not the one that the manifest lists.
    #[error(transparent)]
    File(#[from] model_dir::Error),
    /// The weights are larger than free memory.
    #[error("{folder}: expected at most {found} bytes of weights, which is what memory has free, found {expected}")]
    Memory {
        /// Folder of the graphs.
        folder: PathBuf,
        /// Bytes of the weights of one graph.
        expected: u64,
        /// Free memory in bytes.
        found: u64,
    },
    /// ONNX Runtime refused a graph: truncated, tampered, too new, or its external data is not there.
    #[error(
        "cannot load {path}: expected a complete ONNX graph, found {found_bytes} bytes and {data_bytes} bytes of external \
         data that ONNX Runtime refuses: {reason}"
    )]
    Load {
        /// The graph file.
        path: PathBuf,
        /// Its size on disk in bytes.
        found_bytes: u64,
        /// Size of its external data in bytes; 0 where there is none.
        data_bytes: u64,
        /// ONNX Runtime's message.
        reason: String,
    },
    /// A graph's inputs or outputs are not those of this architecture and configuration.
    #[error("{graph}: {what}: expected {expected}, found {found}")]
    Signature {
        /// File name of the graph.
        graph: &'static str,
        /// Which input or output.
        what: String,
        /// Expected element type and shape.
        expected: String,
        /// Type and shape in the file.
        found: String,
    },
    /// A tensor given to the engine has the wrong size.
    #[error("{what}: expected {expected}, found {found}")]
    Shape {
        /// Which tensor or count.
        what: &'static str,
        /// Expected size.
        expected: String,
        /// Size given.
        found: String,
    },
    /// A prompt (with the tokens to generate) over the model's context.
    #[error("prompt too long: expected at most {expected} tokens with the completion, found {found}")]
    TooLong {
        /// The model's context length in tokens.
        expected: usize,
        /// Prompt plus completion in tokens.
        found: usize,
    },
    /// A graph failed while running.
    #[error("{graph} failed: {reason}")]
    Run {
        /// File name of the graph.
        graph: &'static str,
        /// ONNX Runtime's message.
        reason: String,
    },
    /// Logits without a finite maximum: broken weights or an overflow.
    #[error("logits: expected finite values, found {found}")]
    NonFinite {
        /// The offending value and its token id.
        found: String,
    },
    /// A prompt that doesn't begin with what a prefix has read.
    #[error("prefix: expected a prompt that begins with its {expected} tokens and positions, found {found} in common")]
    Prefix {
        /// Tokens of the prefix.
        expected: usize,
        /// Tokens that the prompt shares with it.
        found: usize,
    },
    /// A grammar that is malformed, too large or too ambiguous.
    #[error("constraint: expected a grammar that llguidance can follow, found: {reason}")]
    Constraint {
        /// llguidance's message.
        reason: String,
    },
    /// An execution provider that was required is not the one in use.
    #[error("execution provider: expected {expected}, found refusals: {refusals}")]
    Provider {
        /// What was required.
        expected: String,
        /// Every provider tried, each with its reason.
        refusals: String,
    },
    /// A setting out of its range.
    #[error("setting {name}: expected {expected}, found {found}")]
    Setting {
        /// Name of the setting.
        name: &'static str,
        /// Allowed range.
        expected: &'static str,
        /// Value given.
        found: String,
    },
    /// Tokenizer or configuration refused by the processor.
    #[error(transparent)]
    Processor(#[from] processor::ProcessorError),
}
