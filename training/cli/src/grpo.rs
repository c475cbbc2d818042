//! `spacer-train grpo`.

use std::path::{Path, PathBuf};

use anyhow::Result;
use episodes::{SampleSettings, Split};
use grpo::report::RewardMeans;
use grpo::scene::SceneSource;
use grpo::{Evaluation, Recipe, Simulation, StepReport, Trainer};
use parallel::World;

use crate::folders::{self, RunFolder};
use crate::journal::{Journal, Opening};
use crate::run_log::RunLog;
use crate::stopping::StopRequest;
use crate::{changed_recipe, machine};

/// Example: `spacer-train grpo training/recipes/spacer-nano-grpo.toml --run target/runs/spacer-nano-grpo`
///
/// Goes on from the run's newest checkpoint where there is one. Ctrl-C and SIGTERM write one after the step. Writes log.jsonl and samples.jsonl, TensorBoard files in
/// tensorboard/, checkpoints, and in the end model.safetensors, or adapter/ in PEFT's format. Under `mpirun` (a build with
/// the feature `mpi`) all ranks share each step's scenes, and the first one writes.
#[derive(clap::Args)]
pub struct Arguments {
    /// The recipe; training/recipes/spacer-nano-grpo.toml is one.
    recipe: PathBuf,
    /// Where all that the run writes goes: a folder, or s3://bucket/folder.
    #[arg(long)]
    run: PathBuf,
    /// Checks the recipe, the model and the first scene, prints every option, and writes nothing.
    #[arg(long)]
    dry_run: bool,
    /// An OpenAI-compatible server that samples, such as vLLM, instead of the recipe's rollout.server: http://host:port.
    #[arg(long)]
    rollout_server: Option<String>,
    /// Stop after this many steps of this session; the run can be resumed.
    #[arg(long)]
    stop_after: Option<u64>,
    /// Goes on though the recipe is no longer the one that the run was begun with.
    #[arg(long)]
    changed_recipe: bool,
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> Result<()> {
    let mut recipe = Recipe::read(&arguments.recipe)?;
    if arguments.rollout_server.is_some() {
        recipe.rollout.server.clone_from(&arguments.rollout_server);
    }
    machine::give_each_worker_one_thread(recipe.data.threads)?;
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
    let data = &recipe.data;
    let settings = SampleSettings {
        seed: data.seed,
        questions: data.questions_per_scene,
        // Completions are the policy's own.
        whole_completions: 0.0,
        unknown_camera_share: data.unknown_camera_share,
        walk_share: data.walk_share,
        walks: 0,
        logged: data.logged().map_err(anyhow::Error::msg)?,
        extra_furniture: data.extra_furniture.as_deref().map(machine::in_cache).transpose()?,
        ..SampleSettings::default()
    };
    let source = Simulation::new(&recipe.model, settings, data.epoch_scenes)?;
    let first = source.scene(Split::Train, 0)?;
    let run = RunFolder::open(&arguments.run, world.leads() && !arguments.dry_run)?;
    let checkpoints = run.local().join("checkpoints");
    let trainer = Trainer::new(recipe.clone(), Box::new(source), &checkpoints, world.clone())?;
    if world.leads() && trainer.progress().step > 0 {
        changed_recipe::check(run.local(), &written, arguments.changed_recipe)?;
    }
    if arguments.dry_run {
        if !world.leads() {
            return Ok(());
        }
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
    let is_stopped = || world.lead_value(stop.is_made());
    Session::start(arguments, (&written, recipe), (trainer, run), world)?.train(arguments.stop_after, is_stopped)
}

/// One session of a run with all that it writes to.
struct Session {
    recipe: Recipe,
    trainer: Trainer,
    run: RunFolder,
    /// None on ranks that don't write.
    records: Option<Records>,
}

/// What a session writes: the journal, and some completions.
struct Records {
    journal: Journal,
    samples: RunLog,
}

impl Session {
    fn start(
        arguments: &Arguments,
        (written, recipe): (&Recipe, Recipe),
        (trainer, run): (Trainer, RunFolder),
        world: &World,
    ) -> Result<Self> {
        let opening = Opening {
            command: &format!("spacer-train grpo {} --run {}", arguments.recipe.display(), arguments.run.display()),
            seed: recipe.data.seed,
            done: trainer.progress().step,
            steps: recipe.optimiser.steps,
        };
        let open = || -> Result<Records> {
            let journal = Journal::open(run.local(), &opening, written)?;
            Ok(Records { journal, samples: RunLog::open(&run.local().join("samples.jsonl"), opening.done)? })
        };
        let records = world.leads().then(open).transpose()?;
        if records.is_some() {
            let parameters = trainer.policies().parameter_count();
            tracing::info!(parameters, step = opening.done, ranks = world.size(), "training");
        }
        Ok(Self { recipe, trainer, run, records })
    }

    fn train(mut self, stop_after: Option<u64>, is_stopped: impl Fn() -> parallel::Result<bool>) -> Result<()> {
        let first = self.trainer.progress().step;
        if first == 0 && self.recipe.run.evaluate_every > 0 {
            self.evaluate()?;
        }
        let is_open = |steps: u64| stop_after.is_none_or(|limit| steps < first + limit);
        while !self.trainer.is_done() && is_open(self.trainer.progress().step) && !is_stopped()? {
            let report = self.trainer.step()?;
            if let Some(records) = &mut self.records {
                records.journal.step(report.step, &report, gist(&report))?;
            }
            let last = report.step >= self.recipe.optimiser.steps;
            let due = |every: u64| every > 0 && (report.step.is_multiple_of(every) || last);
            if due(self.recipe.run.evaluate_every) {
                self.evaluate()?;
            }
            if due(self.recipe.run.checkpoint_every) {
                self.trainer.save_checkpoint()?;
                self.run.publish()?;
            }
        }
        if self.trainer.progress().step > first {
            self.trainer.save_checkpoint()?;
        }
        let Some(records) = self.records else { return Ok(()) };
        records.journal.finish();
        let folder = self.run.local();
        let to = if self.recipe.trained().is_adapter() { folder.join("adapter") } else { folder.to_owned() };
        self.trainer.policies().write(&to, Path::new(&self.recipe.model))?;
        self.run.publish()
    }

    /// Judges the policy on held-out scenes.
    fn evaluate(&mut self) -> Result<()> {
        let evaluation = self.trainer.evaluate()?;
        self.records.as_mut().map_or(Ok(()), |records| records.evaluation(evaluation))
    }
}

impl Records {
    /// The figures go to the log, some completions to samples.jsonl.
    fn evaluation(&mut self, evaluation: Evaluation) -> Result<()> {
        let Evaluation { step, samples, rewards, questions, completion_tokens } = evaluation;
        for sample in &samples {
            self.samples.write(&serde_json::json!({"step": step, "sample": sample}))?;
        }
        let mut figures = serde_json::to_value(rewards)?;
        figures["questions"] = questions.into();
        figures["completion_tokens"] = completion_tokens.into();
        let shown = samples.first().map(|sample| sample.completion.as_str()).unwrap_or_default();
        let RewardMeans { reward, accuracy, map, .. } = rewards;
        let gist = format!("reward {reward:.3}, accuracy {accuracy:.3}, map {map:.3}: {shown}");
        self.journal.evaluation(step, &figures, &gist)
    }
}

fn gist(report: &StepReport) -> String {
    let RewardMeans { reward, accuracy, map, .. } = report.rewards;
    format!("reward {reward:.3}, accuracy {accuracy:.3}, map {map:.3}, KL {:.4}", report.kl)
}
