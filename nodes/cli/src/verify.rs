//! `spacer verify`.

use std::path::PathBuf;

use anyhow::Result;
use model_dir::ModelDir;
use perception::{Settings, VlmAnswerer};

/// Example: `spacer verify models/zoo/spacer-nano`
#[derive(clap::Args)]
pub struct Arguments {
    /// The model directory.
    model: PathBuf,
}

/// Runs the command. A file that differs from its digest, a graph with another signature, or logits further from the
/// checkpoint's than the manifest allows are an error with what was expected and found.
pub fn run(arguments: &Arguments) -> Result<()> {
    let model = ModelDir::open(&arguments.model)?;
    // Loading compares digests and signatures and runs the golden prompts, as a node does at its start.
    let parity = VlmAnswerer::load(&Settings::new(&arguments.model))?.parity();
    let manifest = model.manifest();
    println!("{} {}: {} files as listed", manifest.name, manifest.version, manifest.files.len());
    if let Some(stated) = manifest.parity {
        println!("logits within {parity:.1e} of the checkpoint's, {:.1e} allowed", stated.tolerance);
    }
    Ok(())
}
