//! `spacer-train export`.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use model_dir::{LossPoint, Manifest, Parity, Precision, Training};
use onnx_export::ExportRequest;
use perception::{Settings, VlmAnswerer};
use serde_json::Value;

use crate::parity;

/// Steps between the points of the loss curve in the manifest.
const CURVE_STEPS: u64 = 100;

/// Example: `spacer-train export --model models/zoo/spacer-nano --run target/runs/spacer-nano --version 0.1.0`
#[derive(clap::Args)]
pub struct Arguments {
    /// The model directory: config.json, tokenizer, prompts; weights where no run is given.
    #[arg(long)]
    model: PathBuf,
    /// A training run, whose weights and record are taken into the model directory first.
    #[arg(long)]
    run: Option<PathBuf>,
    /// Version of the weights, for the manifest.
    #[arg(long, default_value = "0.1.0")]
    version: String,
    /// SPDX identifier of the weights' licence, for the manifest.
    #[arg(long, default_value = "Apache-2.0")]
    licence: String,
    /// Largest difference of a logit from the checkpoint's, over the largest logit, that robots accept.
    #[arg(long, default_value_t = 1e-3)]
    parity_tolerance: f64,
}

/// Writes the ONNX graphs and the manifest. An old calibration does not outlive the weights it was measured on.
pub fn run(arguments: &Arguments) -> Result<()> {
    let model = &arguments.model;
    if let Some(run) = &arguments.run {
        let weights = run.join("model.safetensors");
        std::fs::copy(&weights, model.join("model.safetensors")).with_context(|| weights.display().to_string())?;
    }
    let calibration = model.join("calibration.toml");
    if calibration.exists() {
        std::fs::remove_file(&calibration)?;
    }
    model_dir::write_calibration(model, &model_dir::Calibration::default())?;
    let report = onnx_export::export(&ExportRequest {
        checkpoint_dir: model.clone(),
        out_dir: model.join("onnx"),
        precision: onnx_export::Precision::F32,
    })?;
    let name = model.canonicalize()?.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let training = arguments.run.as_deref().map(training_record).transpose()?;
    let manifest = Manifest {
        name,
        version: arguments.version.clone(),
        licence: arguments.licence.clone(),
        precision: Precision::F32,
        training,
        evaluation: Vec::new(),
        parity: Some(Parity { tolerance: arguments.parity_tolerance, found: 0.0 }),
        files: std::collections::BTreeMap::new(),
    };
    parity::write(model)?;
    let mut manifest = model_dir::write_manifest(model, manifest)?;
    // Loaded as a robot does: past the tolerance the directory is refused here too.
    let found = VlmAnswerer::load(&Settings::new(model))?.parity();
    manifest.parity = Some(Parity { tolerance: arguments.parity_tolerance, found });
    model_dir::write_manifest(model, manifest)?;
    println!("{} bytes of ONNX in {}, {found:.1e} from the checkpoint", report.bytes(), model.display());
    println!("next: spacer-train calibrate --model {}", model.display());
    Ok(())
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
