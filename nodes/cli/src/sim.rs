//! `spacer sim`: simulated rooms recorded, and questions about them looked at, counted, checked.

mod canvas;
mod check;
mod preview;
mod record;
mod stats;

use anyhow::Result;
use clap::{Args, Subcommand, ValueEnum};
use sim::world::RoomSplit;

/// What to do with simulated rooms.
#[derive(Args)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Records a clip as a bag, without ROS: pictures, calibration, odometry, TF, questions and truth.
    Record(record::Arguments),
    /// Prints how many questions scenes give, what each filter drops, which answers are right, and blind scores.
    Stats(stats::Arguments),
    /// Asks two independent implementations of the truth and reports where they differ.
    Check(check::Arguments),
    /// Draws one scene: frames, ids, depth, plan with path and map, questions with answers.
    Preview(preview::Arguments),
}

/// [`RoomSplit`] on the command line.
#[derive(Clone, Copy, ValueEnum)]
enum Split {
    Train,
    Heldout,
    Novel,
    Calibration,
}

impl From<Split> for RoomSplit {
    fn from(split: Split) -> Self {
        match split {
            Split::Train => Self::Train,
            Split::Heldout => Self::Heldout,
            Split::Novel => Self::Novel,
            Split::Calibration => Self::Calibration,
        }
    }
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> Result<()> {
    match &arguments.command {
        Command::Record(arguments) => record::run(arguments),
        Command::Stats(arguments) => stats::run(arguments),
        Command::Check(arguments) => check::run(arguments),
        Command::Preview(arguments) => preview::run(arguments),
    }
}
