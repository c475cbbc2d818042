//! `spacer-train export`.

use std::path::PathBuf;

use anyhow::Result;
use onnx_export::{ExportRequest, Precision};

/// Example: `spacer-train export --checkpoint models/zoo/spacer-nano --out models/zoo/spacer-nano/onnx`
#[derive(clap::Args)]
pub struct Arguments {
    /// Directory with config.json, model.safetensors and the tokenizer's files.
    #[arg(long)]
    checkpoint: PathBuf,
    /// The folder for the graphs, `onnx` in a model directory; an earlier export there is replaced.
    #[arg(long)]
    out: PathBuf,
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> Result<()> {
    let report = onnx_export::export(&ExportRequest {
        checkpoint_dir: arguments.checkpoint.clone(),
        out_dir: arguments.out.clone(),
        precision: Precision::F32,
    })?;
    println!("{} bytes in {}", report.bytes(), arguments.out.display());
    Ok(())
}
