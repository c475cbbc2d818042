//! `spacer`: the robot-side command.

mod bench;
mod verify;

use clap::{Parser, Subcommand};

/// Checks and measures what a robot needs to answer spatial questions.
#[derive(Parser)]
#[command(version, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Measures the hot paths, each beside what it is compared with, in one run.
    Bench(bench::Arguments),
    /// Compares every file of a model directory with its manifest.
    Verify(verify::Arguments),
}

fn main() -> anyhow::Result<()> {
    match Arguments::parse().command {
        Command::Bench(arguments) => bench::run(&arguments),
        Command::Verify(arguments) => verify::run(&arguments),
    }
}
