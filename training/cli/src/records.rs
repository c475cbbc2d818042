//! What a run of reinforcement learning writes while it goes, and what it shows.

use std::path::Path;

use anyhow::{Context, Result};
use grpo::{Evaluation, Recipe, StepReport};
use indicatif::{ProgressBar, ProgressStyle};

use crate::run_log::RunLog;
use crate::tensorboard::TensorBoard;

/// A run's log, samples, TensorBoard file and progress bar.
pub struct Records {
    log: RunLog,
    samples: RunLog,
    board: TensorBoard,
    bar: ProgressBar,
}

impl Records {
    /// Opens the records of the run in the folder `run`, which goes on after `step`; `command` started it.
    pub fn open(run: &Path, recipe: &Recipe, command: &str, step: u64) -> Result<Self> {
        std::fs::create_dir_all(run).with_context(|| run.display().to_string())?;
        let record = serde_json::json!({"command": command, "seed": recipe.data.seed, "recipe": recipe});
        std::fs::write(run.join("run.json"), serde_json::to_string_pretty(&record)?)?;
        let style = "{bar:30} {pos}/{len} steps, {elapsed} gone, {eta} to go  {msg}";
        let bar = ProgressBar::new(recipe.optimiser.steps).with_style(ProgressStyle::with_template(style)?);
        bar.set_position(step);
        bar.reset_eta();
        Ok(Self {
            log: RunLog::open(&run.join("log.jsonl"), step)?,
            samples: RunLog::open(&run.join("samples.jsonl"), step)?,
            board: TensorBoard::create(&run.join("tensorboard"), step)?,
            bar,
        })
    }

    /// Takes a step down.
    pub fn step(&mut self, report: &StepReport) -> Result<()> {
        self.log.write(report)?;
        self.board.scalars(report.step, "train", &serde_json::to_value(report)?)?;
        let rewards = &report.rewards;
        self.bar.set_position(report.step);
        self.bar.set_message(format!(
            "reward {:.3}, accuracy {:.3}, KL {:.4}",
            rewards.reward, rewards.accuracy, report.kl
        ));
        if self.bar.is_hidden() && report.step.is_multiple_of(10) {
            tracing::info!(
                step = report.step,
                reward = rewards.reward,
                accuracy = rewards.accuracy,
                map = rewards.map,
                kl = report.kl,
                tokens = report.completion_tokens,
                seconds = report.seconds.round(),
            );
        }
        Ok(())
    }

    /// Takes an evaluation down: the figures in the log, some completions in samples.jsonl.
    pub fn evaluation(&mut self, evaluation: Evaluation) -> Result<()> {
        let Evaluation { step, samples, rewards, questions, completion_tokens } = evaluation;
        for sample in &samples {
            self.samples.write(&serde_json::json!({"step": step, "sample": sample}))?;
        }
        let mut figures = serde_json::to_value(rewards)?;
        figures["questions"] = questions.into();
        figures["completion_tokens"] = completion_tokens.into();
        self.board.scalars(step, "evaluation", &figures)?;
        self.log.write(&serde_json::json!({"step": step, "evaluation": figures}))?;
        let shown = samples.first().map(|sample| sample.completion.as_str()).unwrap_or_default();
        self.bar.suspend(|| {
            tracing::info!(
                step,
                reward = rewards.reward,
                accuracy = rewards.accuracy,
                map = rewards.map,
                "held out: {shown}"
            );
        });
        Ok(())
    }

    /// Leaves the progress bar as it is.
    pub fn finish(&self) {
        self.bar.finish();
    }
}
