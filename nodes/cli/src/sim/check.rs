//! `spacer sim check`.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result, bail};
use indicatif::ProgressBar;
use sim::catalogue::Catalogue;
use sim::raster::Renderer;
use sim::truth::agreement::{Agreement, check_scene, tolerance};
use sim::watch::WatchSettings;
use sim::world::RoomSplit;

use super::Split;

/// Example: `spacer sim check --questions 100000 --jobs 2`
#[derive(clap::Args)]
pub struct Arguments {
    /// Checks scenes, from the first seed on, until so many questions were asked.
    #[arg(long, default_value_t = 2000)]
    questions: usize,
    /// First seed.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Which rooms.
    #[arg(long, value_enum, default_value_t = Split::Train)]
    split: Split,
    /// Scenes at the same time.
    #[arg(long, default_value = "1")]
    jobs: NonZeroUsize,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Runs the command; a disagreement is an error. One scene a job is held at a time.
pub fn run(arguments: &Arguments) -> Result<()> {
    let catalogue = Catalogue::bundled()?;
    let seeds = AtomicU64::new(arguments.seed);
    let sum = Mutex::new(Agreement::default());
    let bar = ProgressBar::new(arguments.questions as u64);
    std::thread::scope(|scope| {
        let workers = (0..arguments.jobs.get()).map(|index| {
            let work = || check(arguments, catalogue, &seeds, &sum, &bar);
            std::thread::Builder::new().name(format!("check {index}")).spawn_scoped(scope, work)
        });
        let workers = workers.collect::<Result<Vec<_>, _>>().context("starting a thread")?;
        workers.into_iter().try_for_each(|worker| worker.join().unwrap_or_else(|_| bail!("a worker panicked")))
    })?;
    bar.finish_and_clear();
    let agreement = sum.into_inner().unwrap_or_else(PoisonError::into_inner);
    match arguments.json {
        true => println!("{}", serde_json::to_string_pretty(&agreement)?),
        false => print(&agreement),
    }
    if agreement.disagreements > 0 {
        bail!("expected no disagreement, found {} in {} questions", agreement.disagreements, agreement.questions);
    }
    Ok(())
}

fn check(
    arguments: &Arguments,
    catalogue: &Catalogue,
    seeds: &AtomicU64,
    sum: &Mutex<Agreement>,
    bar: &ProgressBar,
) -> Result<()> {
    let (settings, split) = (WatchSettings::default(), RoomSplit::from(arguments.split));
    let mut renderer = Renderer::new();
    while sum.lock().unwrap_or_else(PoisonError::into_inner).questions < arguments.questions {
        let seed = seeds.fetch_add(1, Ordering::Relaxed);
        let scene = check_scene(seed, split, catalogue, &settings, &mut renderer)?;
        bar.inc(scene.questions as u64);
        sum.lock().unwrap_or_else(PoisonError::into_inner).merge(scene);
    }
    Ok(())
}

fn print(agreement: &Agreement) {
    let Agreement { scenes, questions, disagreements, .. } = agreement;
    println!("{questions} questions in {scenes} scenes, {disagreements} disagreements");
    println!(
        "{:26} {:>9} {:>13}  worst difference, as a share of the tolerance",
        "topic", "questions", "disagreements"
    );
    for (topic, figures) in &agreement.topics {
        let allowed = tolerance(*topic);
        let allowed = match allowed.absolute + allowed.share {
            0.0 => "exact".to_owned(),
            _ => format!("{:.2} of {} and {} %", figures.worst, allowed.absolute, 100.0 * allowed.share),
        };
        println!("{:26} {:>9} {:>13}  {allowed}", topic.name(), figures.questions, figures.disagreements);
    }
    for example in &agreement.examples {
        println!("{example}");
    }
}
