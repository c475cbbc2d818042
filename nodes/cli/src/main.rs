//! `spacer`: the robot-side command.

mod ask;
mod bag_flags;
mod bag_frames;
mod bench;
mod doctor;
mod frames;
mod sim;
mod verify;

use std::process::ExitCode;

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
    /// Answers a question about a video, pictures or a bag, without ROS.
    Ask(ask::Arguments),
    /// Measures the hot paths, each beside what it is compared with, in one run.
    Bench(bench::Arguments),
    /// Says what this machine has of all that a robot needs, and what is missing.
    Doctor(doctor::Arguments),
    /// Simulated rooms: recorded as bags; their questions, counted, checked, drawn.
    Sim(sim::Arguments),
    /// Compares a model directory with its manifest: digests, signatures, and logits on the golden prompts.
    Verify(verify::Arguments),
}

fn main() -> ExitCode {
    match run(Arguments::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("Error: {}", msgs::with_causes(error.as_ref()));
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Ask(arguments) => ask::run(&arguments),
        Command::Bench(arguments) => bench::run(&arguments),
        Command::Doctor(arguments) => doctor::run(&arguments),
        Command::Sim(arguments) => sim::run(&arguments),
        Command::Verify(arguments) => verify::run(&arguments),
    }
}
