//! The on-disk contract between training and the robot: one directory is one model.
//!
//! ```text
//! config.json tokenizer.json preprocessor_config.json chat_template.jinja …   Hugging Face's files
//! onnx/                                                                        the exported graphs
//! prompts.toml calibration.toml                                                words and interval widths
//! manifest.toml                                                                what it is, and every file's digest
//! ```
//!
//! [`ModelDir::open`] reads and validates the TOML files and checks that the layout is there; it doesn't read weights.
//! [`ModelDir::verify_digests`] reads every byte; [`ModelDir::files`] hands out bytes that were compared with the manifest,
//! so that what runs is what was verified, and [`ModelDir::stamps`] tells later whether files have changed. A directory may
//! hold anything: reading it never waits, ends, and takes no more memory than its files may have. [`write_manifest`] is what training ends with. Unknown keys are
//! errors everywhere, so that a misspelt one can't be silently ignored. Nothing here knows an engine.
//!
//! ```no_run
//! use model_dir::ModelDir;
//!
//! let model = ModelDir::open("models/zoo/spacer-nano".as_ref())?;
//! model.verify_digests()?;
//! println!("{} {}", model.manifest().name, model.manifest().version);
//! # Ok::<(), model_dir::Error>(())
//! ```

mod calibration;
mod directory;
mod error;
mod files;
mod manifest;
mod memory;
mod parity;
mod prompts;
mod tree;

pub use calibration::{Abstention, Calibration, CurvePoint, KindCalibration, Width};
pub use directory::{ModelDir, write_calibration, write_manifest, write_prompts};
pub use error::{Error, Result};
pub use files::{FileReader, Files, digest_file};
pub use manifest::{Evaluation, FileDigest, LossPoint, Manifest, Parity, Precision, Profile, Training};
pub use memory::available_memory;
pub use parity::{PARITY_FILE, ParityCase, ParityFrames, parity_of, read_parity, write_parity};
pub use prompts::{FREE_FORM, Form, KindPrompts, PromptWindow, Prompts, fill};
pub use tree::Stamps;
