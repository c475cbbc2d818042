//! `spacer sim`: simulated rooms.

mod record;

use anyhow::Result;
use clap::{Args, Subcommand};

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
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> Result<()> {
    match &arguments.command {
        Command::Record(arguments) => record::run(arguments),
    }
}
