//! `spacer verify`.

use std::path::PathBuf;

use anyhow::Result;
use model_dir::ModelDir;

/// Example: `spacer verify models/zoo/spacer-nano`
#[derive(clap::Args)]
pub struct Arguments {
    /// The model directory.
    model: PathBuf,
}

/// Runs the command; a file that differs is an error that names it with the expected and the found digest.
pub fn run(arguments: &Arguments) -> Result<()> {
    let model = ModelDir::open(&arguments.model)?;
    model.verify_digests()?;
    let manifest = model.manifest();
    println!("{} {}: {} files as listed", manifest.name, manifest.version, manifest.files.len());
    Ok(())
}
