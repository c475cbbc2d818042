//! `spacer-train export`.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use model_dir::{LossPoint, Manifest, Parity, Training};
use onnx_export::{ExportOptions, ExportRequest, Staging};
use perception::{AnswerError, Settings, VlmAnswerer};
use serde_json::Value;

use crate::assemble::{Sources, assemble};
use crate::forms::{Profile, Weights};
use crate::parity;

const MANIFEST: &str = "manifest.toml";
/// The weights of a checkpoint.
const WEIGHTS: &str = "model.safetensors";
/// What a directory must hold one of to be replaced by a model directory: an earlier manifest, or the wording for one.
const MARKERS: &[&str] = &[MANIFEST, "prompts.toml"];

/// Steps between the points of the loss curve in the manifest.
const CURVE_STEPS: u64 = 100;

/// Examples: `spacer-train export --model models/zoo/spacer-nano --run target/runs/spacer-nano --version 0.1.0`,
/// `spacer-train export --checkpoint ~/SpaceR-7B --precision int4 --out models/zoo/spacer-7b-int4`
#[derive(Clone, clap::Args)]
pub struct Arguments {
    /// The model directory: config.json, tokenizer, prompts; weights where no run is given.
    #[arg(long, required_unless_present = "checkpoint", conflicts_with = "checkpoint")]
    model: Option<PathBuf>,
    /// A training run, whose weights and record are taken into the model directory first; an adapter that it trained is
    /// merged.
    #[arg(long, requires = "model")]
    run: Option<PathBuf>,
    /// A checkpoint in Hugging Face's layout, of which `--out` becomes a model directory.
    #[arg(long, requires = "out")]
    checkpoint: Option<PathBuf>,
    /// The model directory to make; one that is there is replaced, but for its README.md and prompts.toml.
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
    /// Type of the output layer's and the token table's weights, where it is not to follow from `--precision`; int4 has
    /// int8 there, the more exact form, and int4-symmetric is the faster.
    #[arg(long, value_enum)]
    output_precision: Option<Weights>,
    /// Engines that the graphs are for.
    #[arg(long, value_enum, default_value_t = Profile::Ort)]
    profile: Profile,
    /// Tokens that the fixed KV cache of `--profile trt` holds; the context length, at most 8192, unless given.
    #[arg(long)]
    kv_capacity: Option<usize>,
    /// A LoRA adapter in PEFT's format, to merge into the weights.
    #[arg(long)]
    adapter: Option<PathBuf>,
    /// Leave the adapter out of the weights: it becomes `onnx/adapter.onnx_adapter`, and the graphs run with or without
    /// it. Golden logits are those without it.
    #[arg(long, requires = "adapter")]
    keep_adapter: bool,
    /// Name of the model, for the manifest; that of its folder unless given.
    #[arg(long)]
    name: Option<String>,
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

/// Writes the ONNX graphs, the golden prompts and the manifest. Of an export in place with f32 weights for ONNX Runtime the
/// graphs read the weights that training starts from, which then lie in `onnx`. A model directory made of a checkpoint appears complete or
/// not at all; one that is exported in place does not open until the new manifest is there.
pub fn run(arguments: &Arguments) -> Result<()> {
    if arguments.profile == Profile::Ort && arguments.kv_capacity.is_some() {
        bail!("--kv-capacity: expected --profile trt, whose cache has a fixed length, found ort");
    }
    if let (Some(checkpoint), Some(out)) = (&arguments.checkpoint, &arguments.out) {
        parity::check_memory(checkpoint)?;
        let staging = Staging::begin(out, MARKERS)?;
        let sources = Sources { checkpoint, earlier: out, prompts: arguments.prompts.as_deref() };
        assemble(&sources, staging.path())?;
        fill(arguments, &Places { model: staging.path(), checkpoint, shown: out })?;
        return Ok(staging.publish()?);
    }
    let model = arguments.model.as_deref().context("expected --model or --checkpoint")?;
    bring_out(model)?;
    let trained = arguments.run.as_deref().map(|run| take(run, model)).transpose()?.flatten();
    let arguments = Arguments { adapter: trained.or_else(|| arguments.adapter.clone()), ..arguments.clone() };
    parity::check_memory(model)?;
    let removed = fill(&arguments, &Places { model, checkpoint: model, shown: model });
    removed.or_else(|error| remove(&model.join(MANIFEST)).and(Err(error)))
}

/// Puts the weights beside `onnx`, which will be replaced, where they are nowhere else.
fn bring_out(model: &Path) -> Result<()> {
    let (own, shared) = (model.join(WEIGHTS), model.join("onnx").join(WEIGHTS));
    if !own.exists() && shared.is_file() {
        std::fs::copy(&shared, &own).with_context(|| shared.display().to_string())?;
    }
    Ok(())
}

/// Whether the graphs of an export in place can read the weights as they are: f32 for all, for ONNX Runtime.
fn shares_weights(arguments: &Arguments, places: &Places) -> onnx_export::Result<bool> {
    let others = [arguments.vision_precision, arguments.output_precision].into_iter().flatten();
    let is_f32 = std::iter::once(arguments.precision).chain(others).all(|precision| precision == Weights::F32);
    let is_whole = arguments.adapter.is_none() && places.model.join(WEIGHTS).is_file();
    let is_possible = arguments.profile == Profile::Ort && is_f32 && is_whole && places.model == places.checkpoint;
    if is_possible { onnx_export::can_share_weights(places.checkpoint) } else { Ok(false) }
}

/// Takes the weights of a run into the model directory; of a run that trained an adapter, which leaves them as they were,
/// the folder with that.
fn take(run: &Path, model: &Path) -> Result<Option<PathBuf>> {
    let (weights, adapter) = (run.join(WEIGHTS), run.join("adapter"));
    if !weights.exists() && adapter.is_dir() {
        return Ok(Some(adapter));
    }
    std::fs::copy(&weights, model.join(WEIGHTS)).with_context(|| weights.display().to_string())?;
    Ok(None)
}

/// Where an export reads and writes.
struct Places<'a> {
    /// The model directory, maybe under another name than it will have.
    model: &'a Path,
    checkpoint: &'a Path,
    /// The model directory as the user knows it.
    shown: &'a Path,
}

/// Graphs, golden prompts, manifest. An old calibration does not outlive the weights it was measured on.
fn fill(arguments: &Arguments, places: &Places) -> Result<()> {
    let Places { model, checkpoint, shown } = *places;
    remove(&model.join(MANIFEST))?;
    remove(&model.join("calibration.toml"))?;
    model_dir::write_calibration(model, &model_dir::Calibration::default())?;
    let request = ExportRequest {
        checkpoint_dir: checkpoint.to_owned(),
        out_dir: model.join("onnx"),
        precision: arguments.precision.exported(),
    };
    let options = ExportOptions {
        profile: arguments.profile.exported(),
        vision_precision: arguments.vision_precision.map(Weights::exported),
        output_precision: arguments.output_precision.map(Weights::exported),
        kv_capacity: arguments.kv_capacity,
        adapter_dir: arguments.adapter.clone(),
        keep_adapter: arguments.keep_adapter,
        share_weights: shares_weights(arguments, places)?,
    };
    let report = onnx_export::export_with(&request, &options)?;
    parity::write(model, checkpoint, arguments.adapter.as_deref().filter(|_| !arguments.keep_adapter))?;
    if options.share_weights {
        // They stand in `onnx` now.
        remove(&model.join(WEIGHTS))?;
    }
    let found = sign(arguments, places)?;
    let found =
        found.map_or_else(|| "parity not measured".to_owned(), |found| format!("{found:.1e} from the checkpoint"));
    println!("{} bytes of ONNX in {}, {found}", report.bytes(), shown.display());
    println!("next: spacer-train calibrate --model {}", shown.display());
    Ok(())
}

fn remove(path: &Path) -> Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| path.display().to_string())
        }
        _ => Ok(()),
    }
}

/// Writes the manifest, loads the directory as a robot does, and records how far the graphs are from the checkpoint;
/// past the tolerance the directory is refused here too. Graphs for TensorRT need no engine here that runs them.
fn sign(arguments: &Arguments, places: &Places) -> Result<Option<f64>> {
    let tolerance = arguments.parity_tolerance.unwrap_or_else(|| arguments.precision.usual_tolerance());
    let folder = std::path::absolute(places.shown)?;
    let of_folder = || folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let mut manifest = Manifest {
        name: arguments.name.clone().unwrap_or_else(of_folder),
        version: arguments.version.clone(),
        licence: arguments.licence.clone(),
        precision: arguments.precision.stated(),
        profile: arguments.profile.stated(),
        training: arguments.run.as_deref().map(training_record).transpose()?,
        evaluation: Vec::new(),
        parity: Some(Parity { tolerance, found: None }),
        files: std::collections::BTreeMap::new(),
    };
    manifest = model_dir::write_manifest(places.model, manifest)?;
    let found = match VlmAnswerer::load(&Settings::new(places.model)) {
        Ok(answerer) => Some(answerer.parity()),
        Err(AnswerError::Engine(error)) if arguments.profile == Profile::Trt => {
            tracing::warn!("parity not measured here, only at the robot's start: {error}");
            None
        }
        Err(error) => return Err(error.into()),
    };
    manifest.parity = Some(Parity { tolerance, found });
    model_dir::write_manifest(places.model, manifest)?;
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
        seconds = entry["seconds"].as_f64().unwrap_or(seconds);
        // Only supervised steps have one.
        let (Some(step), Some(loss)) = (entry["step"].as_u64(), entry["loss"]["tokens"].as_f64()) else { continue };
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

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/golden/qwen2_5_vl_tiny/tiny-qwen2_5_vl");

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        arguments: Arguments,
    }

    fn export(checkpoint: &Path, out: &Path, options: &[&str]) -> Result<()> {
        let paths = ["export", "--checkpoint", &checkpoint.to_string_lossy(), "--out", &out.to_string_lossy()]
            .map(ToOwned::to_owned);
        run(&Line::parse_from(paths.into_iter().chain(options.iter().map(|&word| word.to_owned()))).arguments)
    }

    /// The golden checkpoint without the last bytes of its weights.
    fn truncated(dir: &Path) {
        for entry in std::fs::read_dir(GOLDEN).expect("a golden checkpoint").flatten() {
            std::fs::copy(entry.path(), dir.join(entry.file_name())).expect("a writable folder");
        }
        let weights = dir.join("model.safetensors");
        let length = weights.metadata().expect("weights").len();
        std::fs::File::options().write(true).open(weights).and_then(|file| file.set_len(length - 8)).expect("weights");
    }

    #[test]
    fn a_failed_export_leaves_nothing_or_what_was_there() {
        let (folder, broken) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        truncated(broken.path());
        let out = folder.path().join("model");
        let error = export(broken.path(), &out, &[]).unwrap_err().to_string();
        assert!(error.contains("model.safetensors: not a valid safetensors file"), "{error}");
        assert_eq!(folder.path().read_dir().unwrap().count(), 0);

        std::fs::create_dir(&out).unwrap();
        std::fs::write(out.join(MANIFEST), "an earlier one").unwrap();
        export(broken.path(), &out, &[]).unwrap_err();
        assert_eq!(std::fs::read_to_string(out.join(MANIFEST)).unwrap(), "an earlier one");
        assert_eq!((folder.path().read_dir().unwrap().count(), out.read_dir().unwrap().count()), (1, 1));
    }

    #[test]
    fn parity_past_the_tolerance_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let error = export(Path::new(GOLDEN), &folder.path().join("model"), &["--parity-tolerance", "1e-12"]);
        assert!(error.unwrap_err().to_string().contains("expected logits within 1.0e-12"));
        assert_eq!(folder.path().read_dir().unwrap().count(), 0);
    }

    #[test]
    fn folders_of_other_things_and_options_that_do_not_go_together_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("thesis.tex"), "").unwrap();
        let error = export(Path::new(GOLDEN), folder.path(), &[]).unwrap_err().to_string();
        assert!(error.contains("expected an absent, empty or earlier exported directory"), "{error}");
        let error = export(Path::new(GOLDEN), &folder.path().join("model"), &["--kv-capacity", "64"]);
        assert!(error.unwrap_err().to_string().contains("expected --profile trt"));
    }

    #[test]
    fn graphs_for_tensorrt_name_their_profile_and_keep_the_wording() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("model");
        std::fs::create_dir(&out).unwrap();
        std::fs::write(out.join("README.md"), "about it").unwrap();
        let prompts = concat!(env!("CARGO_MANIFEST_DIR"), "/../../models/zoo/spacer-nano/prompts.toml");
        std::fs::copy(prompts, out.join("prompts.toml")).unwrap();
        let options = ["--profile", "trt", "--kv-capacity", "64", "--precision", "int4-symmetric", "--name", "tiny"];
        export(Path::new(GOLDEN), &out, &options).unwrap();
        let model = model_dir::ModelDir::open(&out).unwrap();
        model.verify_digests().unwrap();
        assert_eq!((model.manifest().name.as_str(), model.manifest().profile), ("tiny", model_dir::Profile::Trt));
        assert_eq!(model_dir::read_parity(&out).unwrap().len(), 3);
        assert_eq!(std::fs::read_to_string(out.join("README.md")).unwrap(), "about it");
        assert_eq!(*model.prompts(), model_dir::Prompts::read(Path::new(prompts)).unwrap());
        let profile = std::fs::read_to_string(out.join("onnx/trt_profile.json")).unwrap();
        assert!(profile.contains("\"kv_capacity\": 64"), "{profile}");
    }

    #[test]
    fn an_adapter_is_merged_into_graphs_and_reference_alike() {
        let (folder, run_folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let trained = run_folder.path().join("adapter");
        std::fs::create_dir(&trained).unwrap();
        write_adapter(&trained);
        let adapter = trained.to_string_lossy();
        let logits_of = |out: &Path| {
            let found = model_dir::ModelDir::open(out).unwrap().manifest().parity.and_then(|parity| parity.found);
            assert!(found.is_some_and(|found| found < 1e-4), "{}: {found:?}", out.display());
            model_dir::read_parity(out).unwrap().swap_remove(0).logits
        };
        let logits = |name: &str, options: &[&str]| {
            let out = folder.path().join(name);
            export(Path::new(GOLDEN), &out, options).unwrap();
            logits_of(&out)
        };
        let base = logits("base", &[]);
        let merged = logits("merged", &["--adapter", &adapter]);
        assert_ne!(merged, base);
        assert_eq!(logits("kept", &["--adapter", &adapter, "--keep-adapter"]), base);
        assert!(folder.path().join("kept/onnx/adapter.onnx_adapter").is_file());

        std::fs::write(run_folder.path().join("run.json"), r#"{ "command": "spacer-train sft", "seed": 1 }"#).unwrap();
        std::fs::write(run_folder.path().join("log.jsonl"), "").unwrap();
        let model = folder.path().join("base");
        std::fs::copy(Path::new(GOLDEN).join("model.safetensors"), model.join("model.safetensors")).unwrap();
        let run_path = run_folder.path().to_string_lossy();
        let paths = ["export", "--model", &model.to_string_lossy(), "--run", &run_path].map(ToOwned::to_owned);
        run(&Line::parse_from(paths).arguments).unwrap();
        assert_eq!(logits_of(&model), merged);
    }

    /// A LoRA of rank 1 on one layer of the golden checkpoint.
    fn write_adapter(dir: &Path) {
        let config = r#"{ "peft_type": "LORA", "r": 1, "lora_alpha": 1 }"#;
        std::fs::write(dir.join("adapter_config.json"), config).expect("a writable folder");
        let bytes: Vec<u8> = (0..128).flat_map(|i| (0.3 + (i % 7) as f32 * 0.1).to_le_bytes()).collect();
        let view = |shape: [usize; 2]| {
            let length = 4 * shape.iter().product::<usize>();
            safetensors::tensor::TensorView::new(safetensors::Dtype::F32, shape.to_vec(), &bytes[..length])
                .expect("a view")
        };
        let name = |part: &str| format!("base_model.model.model.layers.0.mlp.gate_proj.lora_{part}.weight");
        let tensors = [(name("A"), view([1, 64])), (name("B"), view([128, 1]))];
        let file = safetensors::serialize(tensors, None).expect("tensors");
        std::fs::write(dir.join("adapter_model.safetensors"), file).expect("a writable folder");
    }
}
