//! `spacer-train sft`.

use std::fs::File;
use std::io::Write;
use std::path::PathBuf;

use anyhow::{Context, Result};
use episodes::{SampleMaker, SampleSettings, Split};
use parallel::World;
use sft::{Recipe, StepReport, Trainer, probe};

use crate::machine;

/// Example: `spacer-train sft --recipe training/recipes/spacer-nano.toml --model models/zoo/spacer-nano --run
/// target/runs/spacer-nano`
///
/// Under `mpirun` (a build with the feature `mpi`) ranks share each step's shards, and the first one writes.
#[derive(clap::Args)]
pub struct Arguments {
    /// The recipe.
    #[arg(long)]
    recipe: PathBuf,
    /// Directory with config.json, tokenizer.json, prompts.toml and the preprocessor's configuration.
    #[arg(long)]
    model: PathBuf,
    /// Model directory whose weights are the beginning; it may have fewer layers and another vocabulary.
    #[arg(long)]
    from: Option<PathBuf>,
    /// Where checkpoints, the log (log.jsonl) and the weights (model.safetensors) go.
    #[arg(long)]
    run: PathBuf,
    /// Steps between checkpoints; the weights and a probe on held-out rooms are written with each.
    #[arg(long, default_value_t = 250)]
    every: u64,
    /// Stop after this many steps of this session; the run can be resumed.
    #[arg(long)]
    stop_after: Option<u64>,
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> Result<()> {
    let recipe = Recipe::read(&arguments.recipe)?;
    machine::give_each_worker_one_thread(recipe.data.shards)?;
    let world = World::of_launcher()?;
    let done = train(arguments, recipe, &world);
    world.conclude(done)
}

fn train(arguments: &Arguments, recipe: Recipe, world: &World) -> Result<()> {
    let settings = SampleSettings {
        seed: recipe.data.seed,
        questions: recipe.data.questions_per_clip,
        whole_completions: recipe.data.whole_completions_per_clip,
        unknown_camera_share: recipe.data.unknown_camera_share,
        walk_share: recipe.data.walk_share,
        logged: recipe.data.logged(),
        extra_furniture: recipe.data.extra_furniture.as_deref().map(machine::in_cache).transpose()?,
    };
    let mut log = world.leads().then(|| start_log(arguments, &recipe)).transpose()?;
    let maker = SampleMaker::new(&arguments.model, settings)?;
    let absent_word = maker.teacher().absent_word();
    let from = arguments.from.as_deref();
    let mut trainer = Trainer::new(recipe, maker, &arguments.run.join("checkpoint"), from, world.clone())?;
    if log.is_some() {
        tracing::info!(parameters = trainer.parameter_count(), step = trainer.step_count(), "training");
    }
    let first = trainer.step_count();
    while !trainer.is_done() && arguments.stop_after.is_none_or(|limit| trainer.step_count() < first + limit) {
        let report = trainer.step()?;
        let Some(log) = &mut log else { continue };
        writeln!(log, "{}", serde_json::to_string(&report)?)?;
        announce(&report);
        if report.step.is_multiple_of(arguments.every) || trainer.is_done() {
            trainer.save_checkpoint()?;
            trainer.save_policy(&arguments.run.join("model.safetensors"))?;
            let seen = probe::probe(&trainer, Split::Heldout, 0, 96, absent_word)?;
            tracing::info!(step = report.step, "held-out probe {}", serde_json::to_string(&seen)?);
            writeln!(log, "{}", serde_json::json!({"step": report.step, "probe": seen}))?;
        }
    }
    if log.is_none() {
        return Ok(());
    }
    if trainer.step_count() > first {
        trainer.save_checkpoint()?;
    }
    Ok(trainer.save_policy(&arguments.run.join("model.safetensors"))?)
}

/// Writes down what is run, and opens the log.
fn start_log(arguments: &Arguments, recipe: &Recipe) -> Result<File> {
    std::fs::create_dir_all(&arguments.run).with_context(|| arguments.run.display().to_string())?;
    let command = format!(
        "spacer-train sft --recipe {} --model {} --run {}",
        arguments.recipe.display(),
        arguments.model.display(),
        arguments.run.display()
    );
    let record = serde_json::json!({"command": command, "seed": recipe.data.seed, "recipe": recipe});
    std::fs::write(arguments.run.join("run.json"), serde_json::to_string_pretty(&record)?)?;
    Ok(File::options().create(true).append(true).open(arguments.run.join("log.jsonl"))?)
}

fn announce(report: &StepReport) {
    if report.step.is_multiple_of(25) {
        let loss = report.loss;
        tracing::info!(
            step = report.step,
            loss = loss.total,
            tokens = loss.tokens,
            patch_class = loss.patch_class,
            patch_range = loss.patch_range,
            patch_place = loss.patch_place,
            norm = report.gradient_norm,
            seconds = report.seconds.round(),
        );
    }
}
