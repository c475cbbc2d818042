//! Exporting at every precision and profile, from one file and from shards, with an adapter; and `refusals`: what is
//! broken is named with expected and found, and no directory is left; `engine`, our engine runs every precision.
//!
//! That the graphs compute what they should is shown by `onnx_golden` (f32, our engine) and `tests/python/test_genai.py`
//! (all of them, ONNX Runtime and onnxruntime-genai).

mod checkpoint;
mod engine;
mod refusals;

use std::path::Path;

use onnx_export::{ExportOptions, ExportReport, ExportRequest, Precision, Profile, export_with};
use safetensors::Dtype;

use crate::checkpoint::{Checkpoint, bytes, floats};

/// Exports `checkpoint` to `out`.
fn run(
    checkpoint: &Path,
    out: &Path,
    precision: Precision,
    options: &ExportOptions,
) -> onnx_export::Result<ExportReport> {
    export_with(&ExportRequest { checkpoint_dir: checkpoint.into(), out_dir: out.into(), precision }, options)
}

fn data(out: &Path) -> Vec<Vec<u8>> {
    ["vision", "embedding", "model"]
        .map(|name| std::fs::read(out.join(format!("{name}.onnx.data"))).expect("an export"))
        .into()
}

#[test]
fn shards_and_nested_names_give_what_one_file_gives() {
    let folder = tempfile::tempdir().unwrap();
    let out = |name: &str, dir: &Path| {
        let out = folder.path().join(name);
        run(dir, &out, Precision::F32, &ExportOptions::default()).unwrap();
        data(&out)
    };
    let whole = out("whole", &Checkpoint::golden().write(1));
    assert_eq!(whole, out("sharded", &Checkpoint::golden().write(3)));
    assert_eq!(whole, out("nested", &Checkpoint::golden().nested().write(2)));
}

#[test]
fn fewer_bits_make_smaller_files_and_every_profile_leaves_its_marker() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/zoo/spacer-nano");
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("onnx");
    for (profile, marker) in [(Profile::Ort, "genai_config.json"), (Profile::Trt, "trt_profile.json")] {
        let precisions = [Precision::F32, Precision::F16, Precision::Int8, Precision::Int4 { symmetric: true }];
        let options = ExportOptions { profile, kv_capacity: Some(64), ..Default::default() };
        let sizes = precisions.map(|precision| {
            // Each replaces the last: both markers are taken for an earlier export.
            let report = run(&dir, &out, precision, &options).unwrap();
            assert!(out.join(marker).is_file() && out.join("tokenizer.json").is_file());
            let files = std::fs::read_dir(&out).unwrap().flatten();
            let graphs = files.filter(|file| file.file_name().to_string_lossy().contains(".onnx"));
            assert_eq!(graphs.map(|file| file.metadata().unwrap().len()).sum::<u64>(), report.bytes());
            std::fs::metadata(out.join("model.onnx.data")).unwrap().len()
        });
        assert!(sizes.is_sorted_by(|more, fewer| more > fewer), "{profile:?}: {sizes:?}");
    }
    let text = std::fs::read_to_string(out.join("trt_profile.json")).unwrap();
    let profile: serde_json::Value = serde_json::from_str(&text).unwrap();
    let decode = &profile["graphs"]["model.onnx"]["optimization_profiles"][0];
    assert_eq!(decode["inputs"]["past_key_values.1.value"]["max"], serde_json::json!([1, 2, 64, 32]));
    let options = &profile["graphs"]["model.onnx"]["provider_options"];
    assert!(options["trt_profile_max_shapes"].as_str().unwrap().contains("inputs_embeds:1x64x192"), "{options}");
}

#[test]
fn an_adapter_is_merged_as_if_the_weights_had_been() {
    let name = "model.layers.1.mlp.down_proj.weight";
    let (out, input, rank) = (64, 128, 2);
    let wave = |count: usize, step: f32| (0..count).map(|i| (i as f32 * step).sin() * 0.1).collect::<Vec<f32>>();
    let (a, b) = (wave(rank * input, 0.37), wave(out * rank, 0.71));
    let adapter = tempfile::tempdir().unwrap();
    let config = r#"{ "peft_type": "LORA", "r": 2, "lora_alpha": 6, "bias": "none" }"#;
    std::fs::write(adapter.path().join("adapter_config.json"), config).unwrap();
    let mut tensors = Checkpoint::empty();
    // Named by transformers 5's scheme, the checkpoint by the hub's.
    let module = "base_model.model.model.language_model.layers.1.mlp.down_proj";
    tensors.insert(&format!("{module}.lora_A.weight"), (Dtype::F32, vec![rank, input], bytes(&a)));
    tensors.insert(&format!("{module}.lora_B.weight"), (Dtype::F32, vec![out, rank], bytes(&b)));
    tensors.save(&adapter.path().join("adapter_model.safetensors"));

    let mut merged = Checkpoint::golden();
    let mut weight = floats(&merged.tensor(name).2);
    for row in 0..out {
        for column in 0..input {
            let delta: f32 = (0..rank).map(|r| 3.0 * b[row * rank + r] * a[r * input + column]).sum();
            weight[row * input + column] += delta;
        }
    }
    merged.tensor(name).2 = bytes(&weight);
    let folder = tempfile::tempdir().unwrap();
    let (plain, with) = (folder.path().join("plain"), folder.path().join("with"));
    run(&merged.write(1), &plain, Precision::F32, &ExportOptions::default()).unwrap();
    let options = ExportOptions { adapter_dir: Some(adapter.path().into()), ..Default::default() };
    run(&Checkpoint::golden().write(1), &with, Precision::F32, &options).unwrap();
    for (one, other) in data(&plain).iter().zip(data(&with)) {
        let pairs = floats(one).into_iter().zip(floats(&other));
        assert!(pairs.into_iter().all(|(a, b)| (a - b).abs() <= 1e-6 * a.abs().max(1.0)));
    }
    let untouched = folder.path().join("untouched");
    run(&Checkpoint::golden().write(1), &untouched, Precision::F32, &ExportOptions::default()).unwrap();
    assert_ne!(data(&untouched), data(&with));
}
