//! `spacer-train grpo`.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use episodes::{LoggedShare, Split};
use grpo::scene::SceneSource;
use grpo::{Evaluation, Recipe, Simulation, SimulationSettings, StepReport, Trainer};
use indicatif::{ProgressBar, ProgressStyle};

use crate::machine;
use crate::run_log::RunLog;
use crate::tensorboard::TensorBoard;

/// Example: `spacer-train grpo training/recipes/spacer-nano-grpo.toml --run target/runs/spacer-nano-grpo`
///
/// Goes on from the run's newest checkpoint where there is one. Writes log.jsonl and samples.jsonl, TensorBoard files in
/// tensorboard/, checkpoints, and in the end model.safetensors, or adapter/ in PEFT's format.
#[derive(clap::Args)]
pub struct Arguments {
    /// The recipe; training/recipes/spacer-nano-grpo.toml is one.
    recipe: PathBuf,
    /// Where all that the run writes goes.
    #[arg(long)]
    run: PathBuf,
    /// Checks the recipe, the model and the first scene, prints every option, and writes nothing.
    #[arg(long)]
    dry_run: bool,
    /// Stop after this many steps of this session; the run can be resumed.
    #[arg(long)]
    stop_after: Option<u64>,
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> Result<()> {
    let recipe = Recipe::read(&arguments.recipe)?;
    machine::give_each_worker_one_thread(recipe.data.threads)?;
    let data = &recipe.data;
    let settings = SimulationSettings {
        seed: data.seed,
        questions: data.questions_per_scene,
        epoch_scenes: data.epoch_scenes,
        unknown_camera_share: data.unknown_camera_share,
        walk_share: data.walk_share,
        logged: data.episodes.clone().map(|folder| LoggedShare { folder, share: data.episode_share }),
        extra_furniture: data.extra_furniture.as_deref().map(machine::in_cache).transpose()?,
    };
    let source = Simulation::new(&recipe.model, settings)?;
    let first = source.scene(Split::Train, 0)?;
    let trainer = Trainer::new(recipe.clone(), Box::new(source), &arguments.run.join("checkpoints"))?;
    if arguments.dry_run {
        println!("{}", toml::to_string(&recipe)?);
        let tokens: Vec<usize> = first.prompts.iter().map(|prompt| prompt.tokens.ids.len()).collect();
        println!(
            "# {} trained parameters, {} made steps",
            trainer.policies().parameter_count(),
            trainer.progress().step
        );
        println!("# first scene: patches {:?}, prompts of {tokens:?} tokens", first.grid_thw);
        return Ok(());
    }
    Session::start(arguments, recipe, trainer)?.train(arguments.stop_after)
}

/// One session of a run with all that it writes to.
struct Session {
    recipe: Recipe,
    trainer: Trainer,
    run: PathBuf,
    log: RunLog,
    samples: RunLog,
    board: TensorBoard,
    bar: ProgressBar,
}

impl Session {
    fn start(arguments: &Arguments, recipe: Recipe, trainer: Trainer) -> Result<Self> {
        let run = arguments.run.clone();
        std::fs::create_dir_all(&run).with_context(|| run.display().to_string())?;
        let command = format!("spacer-train grpo {} --run {}", arguments.recipe.display(), arguments.run.display());
        let record = serde_json::json!({"command": command, "seed": recipe.data.seed, "recipe": &recipe});
        std::fs::write(run.join("run.json"), serde_json::to_string_pretty(&record)?)?;
        let step = trainer.progress().step;
        tracing::info!(parameters = trainer.policies().parameter_count(), step, "training");
        let style = "{bar:30} {pos}/{len} steps, {elapsed} gone, {eta} to go  {msg}";
        let bar = ProgressBar::new(recipe.optimiser.steps).with_style(ProgressStyle::with_template(style)?);
        bar.set_position(step);
        bar.reset_eta();
        Ok(Self {
            log: RunLog::open(&run.join("log.jsonl"), step)?,
            samples: RunLog::open(&run.join("samples.jsonl"), step)?,
            board: TensorBoard::create(&run.join("tensorboard"), step)?,
            recipe,
            trainer,
            run,
            bar,
        })
    }

    fn train(mut self, stop_after: Option<u64>) -> Result<()> {
        let first = self.trainer.progress().step;
        if first == 0 && self.recipe.run.evaluate_every > 0 {
            self.evaluate()?;
        }
        while !self.trainer.is_done() && stop_after.is_none_or(|limit| self.trainer.progress().step < first + limit) {
            let report = self.trainer.step()?;
            self.announce(&report)?;
            let last = report.step >= self.recipe.optimiser.steps;
            let due = |every: u64| every > 0 && (report.step.is_multiple_of(every) || last);
            if due(self.recipe.run.evaluate_every) {
                self.evaluate()?;
            }
            if due(self.recipe.run.checkpoint_every) {
                self.trainer.save_checkpoint()?;
            }
        }
        if self.trainer.progress().step > first {
            self.trainer.save_checkpoint()?;
        }
        self.bar.finish();
        let to = if self.recipe.lora.is_some() { self.run.join("adapter") } else { self.run.clone() };
        Ok(self.trainer.policies().write(&to, Path::new(&self.recipe.model))?)
    }

    fn announce(&mut self, report: &StepReport) -> Result<()> {
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

    /// Judges the policy on held-out scenes; the figures go to the log, some completions to samples.jsonl.
    fn evaluate(&mut self) -> Result<()> {
        let Evaluation { step, samples, rewards, questions, completion_tokens } = self.trainer.evaluate()?;
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
}
