//! `spacer sim stats`: how many questions simulated scenes give, and what is right how often.

use anyhow::Result;
use indicatif::ProgressBar;
use sim::catalogue::Catalogue;
use sim::questions::stats::{Collection, Figures, TopicFigures};
use sim::questions::walk::examine;
use sim::raster::Renderer;
use sim::watch::WatchSettings;

use super::Split;

/// Example: `spacer sim stats --scenes 200`
#[derive(clap::Args)]
pub(super) struct Arguments {
    /// Scenes.
    #[arg(long, default_value_t = 100)]
    scenes: u64,
    /// First seed.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Which rooms.
    #[arg(long, value_enum, default_value_t = Split::Train)]
    split: Split,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub(super) fn run(arguments: &Arguments) -> Result<()> {
    let (catalogue, settings, split) = (Catalogue::bundled()?, WatchSettings::default(), arguments.split.into());
    let mut renderer = Renderer::new();
    let mut collection = Collection::default();
    for seed in
        ProgressBar::new(arguments.scenes).wrap_iter(arguments.seed..arguments.seed.saturating_add(arguments.scenes))
    {
        let scene = settings.scene(seed, split, catalogue);
        let walk = examine(&scene, &settings, &mut split.rng(seed, "exam"), &mut renderer)?;
        collection.add(walk.exams);
    }
    let figures = collection.figures();
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&figures)?);
    } else {
        print(&figures);
    }
    Ok(())
}

fn print(figures: &Figures) {
    println!("{} questions in {} scenes, {:.1} a scene", figures.questions, figures.scenes, figures.per_scene);
    println!(
        "{:26} {:>7} {:>7} {:>9} {:>11} {:>7} {:>9} {:>9}",
        "topic", "number", "a scene", "most freq", "letters off", "chance", "constant", "text only"
    );
    for topic in &figures.topics {
        println!(
            "{:26} {:>7} {:>7.2} {:>8.0}% {:>10.1}% {:>6.0}% {:>8.0}% {:>8.0}%",
            topic.topic,
            topic.questions,
            topic.per_scene,
            100.0 * topic.most_frequent,
            100.0 * topic.letters_off,
            100.0 * topic.chance,
            100.0 * topic.best_constant,
            100.0 * topic.text_only
        );
    }
    for presence in &figures.presence {
        println!(
            "{}: of {} questions {:.0}% are about what is not seen; their words alone tell {:.0}% (chance 50%)",
            presence.topic,
            presence.questions,
            100.0 * presence.not_seen,
            100.0 * presence.text_only
        );
    }
    for topic in &figures.topics {
        println!("\n{}: answers {}", topic.topic, common(topic));
        let dropped: Vec<String> = topic.dropped.iter().map(|(filter, count)| format!("{filter} {count}")).collect();
        println!("    dropped: {}", if dropped.is_empty() { "none".to_owned() } else { dropped.join("; ") });
    }
}

/// The most frequent answers.
fn common(topic: &TopicFigures) -> String {
    let mut answers: Vec<(&String, &usize)> = topic.answers.iter().collect();
    answers.sort_by(|a, b| b.1.cmp(a.1).then(a.0.cmp(b.0)));
    let shown: Vec<String> = answers.iter().take(9).map(|(answer, count)| format!("{answer} {count}")).collect();
    shown.join(", ")
}
