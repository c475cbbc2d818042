//! `spacer sim record`.

use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use model_dir::Prompts;
use serde_json::json;
use sim::clip::ClipSettings;
use sim::variety::Variety;
use sim_recording::ClipRecording;

use super::Split;

const SIDES_PX: std::ops::RangeInclusive<usize> = 16..=4096;
/// Below every ceiling.
const HEIGHTS_M: std::ops::RangeInclusive<f64> = 0.1..=2.2;
const RATES_HZ: std::ops::RangeInclusive<f64> = 0.1..=240.0;

/// Example: `spacer sim record --seed 7 --out episodes/sim-7`
#[derive(clap::Args)]
pub struct Arguments {
    /// Chooses room, camera and walk.
    #[arg(long)]
    seed: u64,
    /// New folder for the bag.
    #[arg(long)]
    out: PathBuf,
    /// Set of rooms.
    #[arg(long, value_enum, default_value_t = Split::Train)]
    rooms: Split,
    /// Frames.
    #[arg(long, default_value_t = 16)]
    frames: usize,
    /// Frames a second.
    #[arg(long, default_value_t = 2.0)]
    rate: f64,
    /// Pixels.
    #[arg(long, default_value_t = 640)]
    width: usize,
    /// Pixels.
    #[arg(long, default_value_t = 480)]
    height: usize,
    /// Height of the camera over the floor in metres, instead of one between 0.3 and 1.7.
    #[arg(long)]
    camera_height: Option<f64>,
    /// Record depth images too.
    #[arg(long)]
    depth: bool,
    /// Model directory whose prompts.toml words the questions.
    #[arg(long, default_value = "models/zoo/spacer-nano")]
    model: PathBuf,
    /// Print what was recorded as JSON.
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> Result<()> {
    let Arguments { seed, rooms, frames, rate, width, height, depth, .. } = arguments;
    for (name, side) in [("--width", width), ("--height", height)] {
        ensure!(
            SIDES_PX.contains(side),
            "{name}: expected {} to {} pixels, found {side}",
            SIDES_PX.start(),
            SIDES_PX.end()
        );
    }
    ensure!(RATES_HZ.contains(rate), "--rate: expected {} to {} Hz, found {rate}", RATES_HZ.start(), RATES_HZ.end());
    ensure!(*frames > 0, "--frames: expected at least 1, found 0");
    if let Some(found) = arguments.camera_height {
        ensure!(HEIGHTS_M.contains(&found), "--camera-height: expected 0.1 to 2.2 m, found {found}");
    }
    let path = arguments.model.join("prompts.toml");
    let prompts = Prompts::read(&path).with_context(|| path.display().to_string())?;
    let variety = Variety { camera_height_m: arguments.camera_height, ..Variety::default() };
    let (frames, width, height, rate_hz) = (*frames, *width, *height, *rate);
    let clip = ClipSettings { frames, width, height, rate_hz, variety, ..ClipSettings::default() };
    let recording = ClipRecording { seed: *seed, split: (*rooms).into(), clip, depth: *depth };
    let recorded = sim_recording::record(&arguments.out, &recording, &prompts)?;
    let (frames, questions) = (recorded.frames.len(), recorded.questions.len());
    if arguments.json {
        println!("{:#}", json!({"out": arguments.out, "frames": frames, "questions": questions}));
    } else {
        println!("{}: {frames} frames, {questions} questions with their truth", arguments.out.display());
    }
    Ok(())
}
