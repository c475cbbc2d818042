//! A model directory from a checkpoint that was trained elsewhere.

use std::path::Path;

use anyhow::{Context, Result};
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
/// What a directory says about itself, kept when it is made anew.
const README: &str = "README.md";

/// What a model directory is put together from.
#[derive(Clone, Copy, Debug)]
pub struct Sources<'a> {
    /// The checkpoint.
    pub checkpoint: &'a Path,
    /// The directory that will be replaced, if there is one: its README and wording stay.
    pub earlier: &'a Path,
    /// The wording, instead of the earlier directory's or SpaceR's.
    pub prompts: Option<&'a Path>,
}

/// Puts everything but weights, graphs and manifest into `out`, an empty directory.
pub fn assemble(sources: &Sources, out: &Path) -> Result<()> {
    let Sources { checkpoint, earlier, prompts } = *sources;
    // Whatever is missing or of another architecture is found before anything is written.
    Processor::from_dir(checkpoint).with_context(|| checkpoint.display().to_string())?;
    let copy = |from: &Path, name: &str| {
        std::fs::copy(from.join(name), out.join(name)).with_context(|| out.join(name).display().to_string())
    };
    for name in FILES.iter().filter(|name| checkpoint.join(name).is_file()) {
        copy(checkpoint, name)?;
    }
    if earlier.join(README).is_file() {
        copy(earlier, README)?;
    }
    std::fs::write(out.join("chat_template.jinja"), ChatTemplate::source(checkpoint)?)?;
    let own = earlier.join("prompts.toml");
    let prompts = match prompts.or_else(|| own.is_file().then_some(own.as_path())) {
        Some(path) => Prompts::read(path)?,
        None => toml::from_str(PROMPTS).context("the built-in prompts")?,
    };
    model_dir::write_prompts(out, &prompts)?;
    Ok(())
}
