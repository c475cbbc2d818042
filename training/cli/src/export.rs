//! `spacer-train export`.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::ValueEnum;
use model_dir::{LossPoint, Manifest, Parity, Precision, Training};
use onnx_export::{ExportOptions, ExportRequest};
use perception::{Settings, VlmAnswerer};
use serde_json::Value;

use crate::assemble::assemble;
use crate::parity;

/// Steps between the points of the loss curve in the manifest.
const CURVE_STEPS: u64 = 100;

/// Examples: `spacer-train export --model models/zoo/spacer-nano --run target/runs/spacer-nano --version 0.1.0`,
/// `spacer-train export --checkpoint ~/SpaceR-7B --precision int4 --out models/zoo/spacer-7b-int4`
#[derive(clap::Args)]
pub struct Arguments {
    /// The model directory: config.json, tokenizer, prompts; weights where no run is given.
    #[arg(long, required_unless_present = "checkpoint", conflicts_with = "checkpoint")]
    model: Option<PathBuf>,
    /// A training run, whose weights and record are taken into the model directory first.
    #[arg(long, requires = "model")]
    run: Option<PathBuf>,
    /// A checkpoint in Hugging Face's layout, of which `--out` becomes a model directory.
    #[arg(long, requires = "out")]
    checkpoint: Option<PathBuf>,
    /// The model directory to make.
    #[arg(long, requires = "checkpoint")]
    out: Option<PathBuf>,
    /// The wording of a model directory made of a checkpoint, instead of SpaceR's.
    #[arg(long, requires = "checkpoint")]
    prompts: Option<PathBuf>,
    /// Type of the decoder's weights.
    #[arg(long, value_enum, default_value_t = Weights::F32)]
    precision: Weights,
    /// Type of the vision tower's weights, where it is not to follow from `--precision`.
    #[arg(long, value_enum)]
    vision_precision: Option<Weights>,
    /// Version of the weights, for the manifest.
    #[arg(long, default_value = "0.1.0")]
    version: String,
    /// SPDX identifier of the weights' licence, for the manifest.
    #[arg(long, default_value = "Apache-2.0")]
    licence: String,
    /// Largest difference of a logit from the checkpoint's, over the largest logit, that robots accept; 1e-3 for f32,
    /// 1e-2 for f16, 5e-2 for int8 and 0.3 for int4 unless given.
    #[arg(long)]
    parity_tolerance: Option<f64>,
}

/// Types of weights.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Weights {
    /// 32-bit floats.
    F32,
    /// 16-bit floats.
    F16,
    /// 8-bit integers, a scale for every 32.
    Int8,
    /// 4-bit integers with zero points, a scale for every 32.
    Int4,
    /// 4-bit integers without zero points.
    Int4Symmetric,
}

impl Weights {
    fn exported(self) -> onnx_export::Precision {
        match self {
            Self::F32 => onnx_export::Precision::F32,
            Self::F16 => onnx_export::Precision::F16,
            Self::Int8 => onnx_export::Precision::Int8,
            Self::Int4 => onnx_export::Precision::Int4 { symmetric: false },
            Self::Int4Symmetric => onnx_export::Precision::Int4 { symmetric: true },
        }
    }

    fn stated(self) -> Precision {
        match self {
            Self::F32 => Precision::F32,
            Self::F16 => Precision::F16,
            Self::Int8 => Precision::Int8,
            Self::Int4 | Self::Int4Symmetric => Precision::Int4,
        }
    }

    fn usual_tolerance(self) -> f64 {
        match self.stated() {
            Precision::F32 => 1e-3,
            Precision::F16 => 1e-2,
            Precision::Int8 => 5e-2,
            Precision::Int4 => 0.3,
        }
    }
}

/// Writes the ONNX graphs, the golden prompts and the manifest. An old calibration does not outlive the weights it was
/// measured on.
pub fn run(arguments: &Arguments) -> Result<()> {
    let (model, checkpoint) = directories(arguments)?;
    let calibration = model.join("calibration.toml");
    if calibration.exists() {
        std::fs::remove_file(&calibration)?;
    }
    model_dir::write_calibration(model, &model_dir::Calibration::default())?;
    let request = ExportRequest {
        checkpoint_dir: checkpoint.to_owned(),
        out_dir: model.join("onnx"),
        precision: arguments.precision.exported(),
    };
    let options = ExportOptions {
        vision_precision: arguments.vision_precision.map(Weights::exported),
        ..ExportOptions::default()
    };
    let report = onnx_export::export_with(&request, &options)?;
    parity::write(model, checkpoint)?;
    let found = sign(arguments, model)?;
    println!("{} bytes of ONNX in {}, {found:.1e} from the checkpoint", report.bytes(), model.display());
    println!("next: spacer-train calibrate --model {}", model.display());
    Ok(())
}

/// The model directory, and where its weights are read from.
fn directories(arguments: &Arguments) -> Result<(&Path, &Path)> {
    if let (Some(checkpoint), Some(out)) = (&arguments.checkpoint, &arguments.out) {
        assemble(checkpoint, out, arguments.prompts.as_deref())?;
        return Ok((out, checkpoint));
    }
    let model = arguments.model.as_deref().context("expected --model or --checkpoint")?;
    if let Some(run) = &arguments.run {
        let weights = run.join("model.safetensors");
        std::fs::copy(&weights, model.join("model.safetensors")).with_context(|| weights.display().to_string())?;
    }
    Ok((model, model))
}

/// Writes the manifest, loads the directory as a robot does, and records how far the graphs are from the checkpoint;
/// past the tolerance the directory is refused here too.
fn sign(arguments: &Arguments, model: &Path) -> Result<f64> {
    let tolerance = arguments.parity_tolerance.unwrap_or_else(|| arguments.precision.usual_tolerance());
    let name = model.canonicalize()?.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let mut manifest = Manifest {
        name,
        version: arguments.version.clone(),
        licence: arguments.licence.clone(),
        precision: arguments.precision.stated(),
        training: arguments.run.as_deref().map(training_record).transpose()?,
        evaluation: Vec::new(),
        parity: Some(Parity { tolerance, found: 0.0 }),
        files: std::collections::BTreeMap::new(),
    };
    manifest = model_dir::write_manifest(model, manifest)?;
    let found = VlmAnswerer::load(&Settings::new(model))?.parity();
    manifest.parity = Some(Parity { tolerance, found });
    model_dir::write_manifest(model, manifest)?;
    Ok(found)
}

/// Command, seed, time and loss curve of a run, from what the run itself wrote down.
fn training_record(run: &Path) -> Result<Training> {
    let read = |name: &str| {
        let path = run.join(name);
        std::fs::read_to_string(&path).with_context(|| path.display().to_string())
    };
    let record: Value = serde_json::from_str(&read("run.json")?)?;
    let mut seconds = 0.0;
    let mut curve: std::collections::BTreeMap<u64, f64> = std::collections::BTreeMap::new();
    for line in read("log.jsonl")?.lines() {
        // A session that was killed may have left half a line, and steps that its successor made again.
        let Ok(entry) = serde_json::from_str::<Value>(line) else { continue };
        let (Some(step), Some(loss)) = (entry["step"].as_u64(), entry["loss"]["tokens"].as_f64()) else { continue };
        seconds = entry["seconds"].as_f64().unwrap_or(seconds);
        if step == 1 || step.is_multiple_of(CURVE_STEPS) {
            curve.insert(step, loss);
        }
    }
    Ok(Training {
        command: record["command"].as_str().unwrap_or_default().to_owned(),
        seed: record["seed"].as_u64().unwrap_or_default(),
        seconds,
        loss_curve: curve.into_iter().map(|(step, loss)| LossPoint { step, loss }).collect(),
    })
}
