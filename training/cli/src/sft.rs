//! `spacer-train sft`.

use std::path::PathBuf;

use anyhow::Result;
use episodes::{SampleMaker, SampleSettings, Split};
use parallel::World;
use sft::{Recipe, StepReport, Trainer};

use crate::folders::{self, RunFolder};
use crate::journal::{Journal, Opening};
use crate::stopping::StopRequest;
use crate::{changed_recipe, machine};

/// Example: `spacer-train sft training/recipes/spacer-nano.toml --run target/runs/spacer-nano`
///
/// Goes on from the run's newest checkpoint where there is one. Ctrl-C and SIGTERM write one after the step. Writes log.jsonl, TensorBoard files in tensorboard/,
/// checkpoints, and with each of them model.safetensors, or adapter/ in PEFT's format. Under `mpirun` (a build with the
/// feature `mpi`) ranks share each step's shards, and the first one writes.
#[derive(clap::Args)]
pub struct Arguments {
    /// The recipe; training/recipes/spacer-nano.toml is one.
    recipe: PathBuf,
    /// Where all that the run writes goes: a folder, or s3://bucket/folder.
    #[arg(long)]
    run: PathBuf,
    /// Checks the recipe, the model and the first clip, prints every option, and writes nothing.
    #[arg(long)]
    dry_run: bool,
    /// Stop after this many steps of this session; the run can be resumed.
    #[arg(long)]
    stop_after: Option<u64>,
    /// Goes on though the recipe is no longer the one that the run was begun with.
    #[arg(long)]
    changed_recipe: bool,
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> Result<()> {
    let recipe = Recipe::read(&arguments.recipe)?;
    machine::give_each_worker_one_thread(recipe.data.shards)?;
    let stop = StopRequest::listen()?;
    let world = World::of_launcher()?;
    let done = train(arguments, recipe, &world, &stop);
    world.conclude(done)?;
    stop.exit_if_made();
    Ok(())
}

fn train(arguments: &Arguments, written: Recipe, world: &World, stop: &StopRequest) -> Result<()> {
    let mut recipe = written.clone();
    recipe.data.episodes = recipe.data.episodes.map(|folder| folders::to_read(&folder)).transpose()?;
    let settings = SampleSettings {
        seed: recipe.data.seed,
        questions: recipe.data.questions_per_clip,
        whole_completions: recipe.data.whole_completions_per_clip,
        unknown_camera_share: recipe.data.unknown_camera_share,
        walk_share: recipe.data.walk_share,
        walks: recipe.data.walks,
        drills: recipe.data.drills_per_walk,
        roll_calls: recipe.data.roll_calls_per_walk,
        logged: recipe.data.logged().map_err(anyhow::Error::msg)?,
        extra_furniture: recipe.data.extra_furniture.as_deref().map(machine::in_cache).transpose()?,
    };
    let run = RunFolder::open(&arguments.run, world.leads() && !arguments.dry_run)?;
    let maker = SampleMaker::new(&recipe.model, settings)?;
    maker.left_out().iter().for_each(|reason| eprintln!("left out: {reason}"));
    let absent_word = maker.teacher().absent_word();
    let trainer = Trainer::new(recipe.clone(), maker, &run.local().join("checkpoints"), world.clone())?;
    if world.leads() && trainer.step_count() > 0 {
        changed_recipe::check(run.local(), &written, arguments.changed_recipe)?;
    }
    if arguments.dry_run {
        return if world.leads() { state(&recipe, &trainer) } else { Ok(()) };
    }
    let opening = Opening {
        command: &format!("spacer-train sft {} --run {}", arguments.recipe.display(), arguments.run.display()),
        seed: recipe.data.seed,
        done: trainer.step_count(),
        steps: recipe.optimiser.steps,
    };
    let journal = world.leads().then(|| Journal::open(run.local(), &opening, &written)).transpose()?;
    if journal.is_some() {
        let parameters = trainer.parameter_count();
        tracing::info!(parameters, step = opening.done, ranks = world.size(), "training");
    }
    let is_stopped = || world.lead_value(stop.is_made());
    Session { recipe, trainer, journal, run, absent_word }.train(arguments.stop_after, is_stopped)
}

/// Prints every option and what the run begins with.
fn state(recipe: &Recipe, trainer: &Trainer) -> Result<()> {
    println!("{}", toml::to_string(recipe)?);
    println!("# {} trained parameters, {} made steps", trainer.parameter_count(), trainer.step_count());
    let (_, batch) = trainer.probe(Split::Train, 0, 1)?;
    let tokens: usize = batch.blocks.iter().map(|block| block.count * block.length).sum();
    println!("# first clip: patches {:?}, {tokens} tokens, {} of them learnt", batch.grids, batch.targets.len());
    Ok(())
}

/// One session of a run with all that it writes to.
struct Session {
    recipe: Recipe,
    trainer: Trainer,
    /// None on ranks that don't write.
    journal: Option<Journal>,
    run: RunFolder,
    /// The token that begins "do not see".
    absent_word: u32,
}

impl Session {
    fn train(mut self, stop_after: Option<u64>, is_stopped: impl Fn() -> parallel::Result<bool>) -> Result<()> {
        let first = self.trainer.step_count();
        let is_open = |steps: u64| stop_after.is_none_or(|limit| steps < first + limit);
        while !self.trainer.is_done() && is_open(self.trainer.step_count()) && !is_stopped()? {
            let report = self.trainer.step()?;
            if let Some(journal) = &mut self.journal {
                journal.step(report.step, &report, gist(&report))?;
            }
            let last = report.step >= self.recipe.optimiser.steps;
            let due = |every: u64| every > 0 && (report.step.is_multiple_of(every) || last);
            if due(self.recipe.run.evaluate_every) {
                self.evaluate(report.step)?;
            }
            if due(self.recipe.run.checkpoint_every) {
                self.save()?;
            }
        }
        self.save()?;
        if let Some(journal) = &self.journal {
            journal.finish();
        }
        Ok(())
    }

    /// Judges the policy on held-out clips.
    fn evaluate(&mut self, step: u64) -> Result<()> {
        let seen = self.trainer.evaluate(self.absent_word)?;
        let gist = format!(
            "loss {:.3}, numbers off by {:.1} %, places by {:.2} m, words {:.1} %, answers {:.1} %, drills {:.1} %, headings off by {:.0} degrees, absent {:.1} %, missed {:.1} %",
            seen.loss,
            100.0 * seen.median_relative_error,
            seen.median_place_error_m,
            100.0 * seen.value_accuracy,
            100.0 * seen.answer_accuracy,
            100.0 * seen.drill_accuracy,
            seen.median_heading_error_deg,
            100.0 * seen.true_not_seen,
            100.0 * seen.false_not_seen
        );
        let Some(journal) = &mut self.journal else { return Ok(()) };
        journal.evaluation(step, &serde_json::to_value(seen)?, &gist)
    }

    /// Every rank has the same weights; the first one writes them.
    fn save(&mut self) -> Result<()> {
        if self.journal.is_none() {
            return Ok(());
        }
        if self.trainer.step_count() > 0 {
            self.trainer.save_checkpoint()?;
        }
        let adapter = self.recipe.trained().is_adapter();
        let folder = self.run.local();
        self.trainer.write(&if adapter { folder.join("adapter") } else { folder.to_owned() })?;
        self.run.publish()
    }
}

fn gist(report: &StepReport) -> String {
    let loss = report.loss;
    format!(
        "loss {:.3}, tokens {:.3}, patch class {:.3}, range {:.3}, place {:.3}, name {:.3}, norm {:.2}",
        loss.total,
        loss.tokens,
        loss.patch_class,
        loss.patch_range,
        loss.patch_place,
        loss.token_name,
        report.gradient_norm
    )
}
