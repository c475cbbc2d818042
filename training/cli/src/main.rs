//! `spacer-train`: makes, exports and judges models.

mod assemble;
mod calibrate;
mod changed_recipe;
mod episodes;
mod evaluate;
mod exam;
mod export;
mod folders;
mod forms;
mod gate;
mod grpo;
mod journal;
mod machine;
mod parity;
mod plan;
mod run_log;
mod sft;
mod stopping;
mod tensorboard;
mod tokenizer;

use std::io::IsTerminal;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use tracing::{Level, Metadata};
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// What is logged where `RUST_LOG` says nothing else: of ONNX Runtime only what is wrong.
const DEFAULT_LOG: &str = "info,ort=warn";

/// Candle's op-by-op training allocates and frees large tensors all the time; the system allocator returns them to the
/// kernel each time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Makes, exports and judges models for spatial questions.
#[derive(Parser)]
#[command(version, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Makes training data of bags and of SpaceR's files.
    Episodes(Box<episodes::Arguments>),
    /// Trains the nano model's tokenizer and writes it into a model directory.
    Tokenizer(tokenizer::Arguments),
    /// Supervised fine-tuning on streamed simulated clips; resumes exactly where its last checkpoint ends.
    Sft(sft::Arguments),
    /// SG-RLVR: GRPO with verifiable rewards and a map reward; resumes exactly where its last checkpoint ends.
    Grpo(grpo::Arguments),
    /// States parameters, memory by part and hours of a run before it is made.
    Plan(plan::Arguments),
    /// Writes the ONNX files of a checkpoint.
    Export(export::Arguments),
    /// Judges a model directory as the robot runs it.
    Evaluate(evaluate::Arguments),
    /// Compares two models' answers to one exam; fails where the new one is worse beyond noise.
    Gate(gate::Arguments),
    /// Measures how wide intervals must be, on rooms of their own, and writes that into a model directory.
    Calibrate(calibrate::Arguments),
}

/// An object store's addresses are signed, so whoever has one may read or write there for an hour, and the HTTP client
/// logs each of them at its lower levels.
fn is_no_secret(metadata: &Metadata<'_>) -> bool {
    !metadata.target().starts_with("ureq") || *metadata.level() <= Level::INFO
}

fn main() -> ExitCode {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| DEFAULT_LOG.into());
    let stderr = std::io::stderr;
    let lines =
        tracing_subscriber::fmt::layer().with_target(false).with_ansi(stderr().is_terminal()).with_writer(stderr);
    tracing_subscriber::registry().with(filter).with(filter_fn(is_no_secret)).with(lines).init();
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
        Command::Episodes(arguments) => episodes::run(&arguments),
        Command::Tokenizer(arguments) => tokenizer::run(&arguments),
        Command::Sft(arguments) => sft::run(&arguments),
        Command::Grpo(arguments) => grpo::run(&arguments),
        Command::Plan(arguments) => plan::run(&arguments),
        Command::Export(arguments) => export::run(&arguments),
        Command::Evaluate(arguments) => evaluate::run(&arguments),
        Command::Gate(arguments) => gate::run(&arguments),
        Command::Calibrate(arguments) => calibrate::run(&arguments),
    }
}
