//! `spacer bench`: the hot paths, each beside what it is compared with. The programs of a comparison take turns, so that
//! a machine that slows down slows both.

mod copy_bandwidth;
pub(crate) mod decode;
mod figure;
mod first_token;
mod frames;
mod genai;
pub(crate) mod model;

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use figure::{Aim, Figure};
use genai::Genai;
use model::Model;

/// Resident memory may exceed the files by this factor and this many bytes.
const MEMORY_ALLOWED: (f64, f64) = (1.2, 300e6);

/// Example: `spacer bench --model models/zoo/spacer-nano --json`
#[derive(clap::Args)]
pub struct Arguments {
    /// A model directory to measure decoding and time to the first token of; may be repeated.
    #[arg(long)]
    model: Vec<PathBuf>,
    /// A model directory whose memory after loading is measured, and nothing else; may be repeated.
    #[arg(long)]
    memory_of: Vec<PathBuf>,
    /// A Python interpreter that has onnxruntime-genai, to compare decoding with.
    #[arg(long)]
    genai: Option<PathBuf>,
    /// A further package that onnxruntime-genai loads, such as its own builder's export of the model; may be repeated.
    #[arg(long, requires = "genai")]
    genai_package: Vec<PathBuf>,
    /// Rounds of every comparison.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> Result<()> {
    let rounds = arguments.rounds.max(1);
    let figures = match (arguments.model.as_slice(), arguments.memory_of.as_slice()) {
        ([], []) => frames::measure(20 * rounds)?,
        ([model], []) => measure(model, arguments, rounds)?,
        ([], [model]) => vec![memory(&Model::load(model)?)],
        // A process for each model: the memory of one must not be mistaken for that of the next.
        (models, memory_of) => {
            let mut figures = frames::measure(20 * rounds)?;
            for model in models {
                figures.extend(in_process(arguments, "--model", model)?);
            }
            for model in memory_of {
                figures.extend(in_process(arguments, "--memory-of", model)?);
            }
            figures
        }
    };
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&figures)?);
    } else {
        figures.iter().for_each(|figure| println!("{figure}"));
    }
    Ok(())
}

fn measure(folder: &Path, arguments: &Arguments, rounds: usize) -> Result<Vec<Figure>> {
    let model = Model::load(folder)?;
    let mut figures = vec![memory(&model)];
    let genai = match &arguments.genai {
        Some(python) => {
            let packages: Vec<PathBuf> =
                std::iter::once(folder.join("onnx")).chain(arguments.genai_package.clone()).collect();
            let script = Path::new("scripts/bench_genai.py");
            Some(Genai::start(python, script, &model.ids(decode::PROMPT), &packages)?)
        }
        None => None,
    };
    figures.extend(decode::measure(&model, genai, rounds)?);
    figures.push(decode::measure_constraint(&model, rounds)?);
    figures.push(first_token::measure_preprocessing(&model, rounds)?);
    figures.extend(first_token::measure(&model, rounds)?);
    Ok(figures.into_iter().map(|figure| figure.of(&model.name)).collect())
}

fn memory(model: &Model) -> Figure {
    let (factor, bytes) = MEMORY_ALLOWED;
    let allowed = factor * model.file_bytes as f64 + bytes;
    let name = format!("resident memory after load, over 1.2 x {} MB of files + 300 MB", model.file_bytes / 1_000_000);
    Figure::new(name, model.resident_bytes as f64 / allowed, "x").aim(Aim::AtMost(1.0)).of(&model.name)
}

/// `spacer bench FLAG MODEL --json` in a process of its own.
fn in_process(arguments: &Arguments, flag: &str, model: &Path) -> Result<Vec<Figure>> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["bench", "--json", "--rounds", &arguments.rounds.to_string(), flag]).arg(model);
    if let Some(python) = arguments.genai.as_ref().filter(|_| flag == "--model") {
        command.arg("--genai").arg(python);
        // A builder's export belongs to the model whose name it bears.
        let name = format!("{}-builder", model.file_name().unwrap_or_default().to_string_lossy());
        let of_model = |package: &&PathBuf| package.file_name().is_some_and(|package| *package == *name);
        for package in arguments.genai_package.iter().filter(of_model) {
            command.arg("--genai-package").arg(package);
        }
    }
    let output = command.stderr(std::process::Stdio::inherit()).output()?;
    anyhow::ensure!(output.status.success(), "spacer bench {flag} {}: {}", model.display(), output.status);
    serde_json::from_slice(&output.stdout).with_context(|| format!("figures of {}", model.display()))
}
