//! A model directory from a checkpoint that was trained elsewhere.

use std::path::Path;

use anyhow::{Context, Result, bail};
use model_dir::Prompts;
use processor::{ChatTemplate, Processor};

/// What checkpoints bring besides weights; copied where present.
const FILES: [&str; 7] = [
    "config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "preprocessor_config.json",
    "processor_config.json",
    "video_preprocessor_config.json",
    "generation_config.json",
];

/// The wording for checkpoints that come without one.
const PROMPTS: &str = include_str!("../../../models/zoo/spacer-7b/prompts.toml");

/// Puts everything but weights, graphs and manifest of the checkpoint `from` into `out`, which may hold an earlier
/// export; without its manifest the directory does not open until the export is done.
pub fn assemble(from: &Path, out: &Path, prompts: Option<&Path>) -> Result<()> {
    // Whatever is missing or of another architecture is found before anything is written.
    Processor::from_dir(from).with_context(|| from.display().to_string())?;
    if out.is_dir() && out.read_dir()?.next().is_some() && !out.join("manifest.toml").is_file() {
        bail!("{}: expected a model directory or nothing, found other files", out.display());
    }
    std::fs::create_dir_all(out).with_context(|| out.display().to_string())?;
    let manifest = out.join("manifest.toml");
    if manifest.exists() {
        std::fs::remove_file(&manifest)?;
    }
    for name in FILES.iter().filter(|name| from.join(name).is_file()) {
        std::fs::copy(from.join(name), out.join(name)).with_context(|| out.join(name).display().to_string())?;
    }
    std::fs::write(out.join("chat_template.jinja"), ChatTemplate::source(from)?)?;
    let prompts = match prompts {
        Some(path) => Prompts::read(path)?,
        None => toml::from_str(PROMPTS).context("the built-in prompts")?,
    };
    model_dir::write_prompts(out, &prompts)?;
    Ok(())
}
