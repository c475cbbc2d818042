//! What a training run shows and writes while it goes: progress bar, log, TensorBoard's files, and what it was started with.

use std::path::Path;

use anyhow::{Context, Result};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use crate::run_log::RunLog;
use crate::tensorboard::TensorBoard;

/// Steps between lines where there is no terminal for a bar.
const LINE_EVERY: u64 = 10;

/// A session as it begins.
#[derive(Clone, Debug)]
pub struct Opening<'a> {
    /// What was called.
    pub command: &'a str,
    /// The recipe's seed.
    pub seed: u64,
    /// Steps made by earlier sessions.
    pub done: u64,
    /// Steps of the whole run.
    pub steps: u64,
}

/// The journal of a run.
pub struct Journal {
    log: RunLog,
    board: TensorBoard,
    bar: ProgressBar,
}

impl Journal {
    /// Opens the journal in the folder `run`: `log.jsonl`, `tensorboard/`, and `run.json` with the command, the seed
    /// and the recipe.
    pub fn open(run: &Path, opening: &Opening, recipe: &impl Serialize) -> Result<Self> {
        let Opening { command, seed, done, steps } = *opening;
        std::fs::create_dir_all(run).with_context(|| run.display().to_string())?;
        let record = serde_json::json!({"command": command, "seed": seed, "recipe": recipe});
        std::fs::write(run.join("run.json"), serde_json::to_string_pretty(&record)?)?;
        let style = "{bar:30} {pos}/{len} steps, {elapsed} gone, {eta} to go  {msg}";
        let bar = ProgressBar::new(steps).with_style(ProgressStyle::with_template(style)?);
        bar.set_position(done);
        bar.reset_eta();
        let log = RunLog::open(&run.join("log.jsonl"), done)?;
        Ok(Self { log, board: TensorBoard::create(&run.join("tensorboard"), done)?, bar })
    }

    /// A step was made: its report, and the gist of it for whoever watches.
    pub fn step(&mut self, step: u64, report: &impl Serialize, gist: String) -> Result<()> {
        self.log.write(report)?;
        self.board.scalars(step, "train", &serde_json::to_value(report)?)?;
        self.bar.set_position(step);
        if self.bar.is_hidden() && step.is_multiple_of(LINE_EVERY) {
            tracing::info!(step, "{gist}");
        }
        self.bar.set_message(gist);
        Ok(())
    }

    /// The policy was judged on held-out data.
    pub fn evaluation(&mut self, step: u64, figures: &serde_json::Value, gist: &str) -> Result<()> {
        self.board.scalars(step, "evaluation", figures)?;
        self.log.write(&serde_json::json!({"step": step, "evaluation": figures}))?;
        self.bar.suspend(|| tracing::info!(step, "held out: {gist}"));
        Ok(())
    }

    /// The session is over.
    pub fn finish(&self) {
        self.bar.finish();
    }
}
