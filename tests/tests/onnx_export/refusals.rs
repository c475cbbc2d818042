//! What is broken is named, with expected and found, and nothing is left where the export would have been.

use std::path::{Path, PathBuf};

use onnx_export::{ExportOptions, Precision, Profile};
use safetensors::Dtype;

use crate::checkpoint::{Checkpoint, floats};
use crate::run;

const GATE: &str = "model.layers.0.mlp.gate_proj.weight";

/// The message of the error that exporting `dir` makes; the output's parent must stay empty.
fn refusal(dir: &Path, precision: Precision, options: &ExportOptions) -> String {
    let parent = tempfile::tempdir().expect("a folder");
    let error = run(dir, &parent.path().join("onnx"), precision, options).expect_err("a refusal").to_string();
    assert_eq!(parent.path().read_dir().expect("a folder").count(), 0, "{error}");
    error
}

fn refused(change: impl FnOnce(&mut Checkpoint)) -> String {
    let mut checkpoint = Checkpoint::golden();
    change(&mut checkpoint);
    refusal(&checkpoint.write(1), Precision::F32, &ExportOptions::default())
}

fn assert_says(message: &str, words: &[&str]) {
    assert!(words.iter().all(|word| message.contains(word)), "expected {words:?} in: {message}");
}

#[test]
fn missing_extra_misshapen_and_wrongly_typed_tensors() {
    let message = refused(|checkpoint| checkpoint.remove(GATE));
    assert_says(&message, &["model.layers.0.mlp.gate_proj.weight", "[128, 64]", "found none"]);
    let message = refused(|checkpoint| checkpoint.insert("model.extra.weight", (Dtype::F32, vec![1], vec![0; 4])));
    assert_says(&message, &["found 1: model.extra.weight"]);
    let message = refused(|checkpoint| checkpoint.tensor(GATE).1 = vec![64, 128]);
    assert_says(&message, &["gate_proj", "[128, 64]", "[64, 128]"]);
    let message = refused(|checkpoint| checkpoint.tensor(GATE).0 = Dtype::I32);
    assert_says(&message, &["gate_proj", "F32, F16 or BF16", "I32"]);
}

#[test]
fn weights_that_are_not_finite_or_not_of_the_type_asked_for() {
    for (value, word) in [(f32::NAN, "NaN"), (f32::INFINITY, "inf")] {
        let mut checkpoint = Checkpoint::golden();
        checkpoint.tensor(GATE).2[40..44].copy_from_slice(&value.to_le_bytes());
        let dir = checkpoint.write(1);
        for precision in [Precision::F32, Precision::Int4 { symmetric: true }] {
            let message = refusal(&dir, precision, &ExportOptions::default());
            assert_says(&message, &["gate_proj", "finite", word, "index 10"]);
        }
    }
    let mut checkpoint = Checkpoint::golden();
    checkpoint.tensor(GATE).2[40..44].copy_from_slice(&1e6f32.to_le_bytes());
    let dir = checkpoint.write(1);
    assert_says(&refusal(&dir, Precision::F16, &ExportOptions::default()), &["gate_proj", "65504", "1000000"]);
    assert!(floats(&checkpoint.tensor(GATE).2)[10] == 1e6);
}

#[test]
fn absent_and_truncated_shards() {
    let shard = |dir: &PathBuf| dir.join("model-00002-of-00003.safetensors");
    let dir = Checkpoint::golden().write(3);
    let length = std::fs::metadata(shard(&dir)).unwrap().len();
    std::fs::File::options().write(true).open(shard(&dir)).unwrap().set_len(length - 8).unwrap();
    let message = refusal(&dir, Precision::F32, &ExportOptions::default());
    assert_says(&message, &["model-00002-of-00003.safetensors", "not a valid safetensors file"]);
    std::fs::remove_file(shard(&dir)).unwrap();
    let message = refusal(&dir, Precision::F32, &ExportOptions::default());
    assert_says(&message, &["model-00002-of-00003.safetensors", "No such file"]);
    std::fs::remove_file(dir.join("model.safetensors.index.json")).unwrap();
    let message = refusal(&dir, Precision::F32, &ExportOptions::default());
    assert_says(&message, &["model.safetensors or model.safetensors.index.json", "neither"]);
}

#[test]
fn a_config_of_another_architecture() {
    let dir = Checkpoint::golden().write(1);
    let config = std::fs::read_to_string(dir.join("config.json")).unwrap();
    std::fs::write(dir.join("config.json"), config.replace("\"qwen2_5_vl\"", "\"llava\"")).unwrap();
    let message = refusal(&dir, Precision::F32, &ExportOptions::default());
    assert_says(&message, &["model_type", "qwen2_5_vl", "llava"]);
}

#[test]
fn zero_points_for_tensorrt() {
    let dir = Checkpoint::golden().write(1);
    let options = ExportOptions { profile: Profile::Trt, ..Default::default() };
    let message = refusal(&dir, Precision::Int4 { symmetric: false }, &options);
    assert_says(&message, &["trt", "symmetric", "symmetric: false"]);
}

#[test]
fn a_cache_longer_than_the_context() {
    let dir = Checkpoint::golden().write(1);
    let context = processor::config::ModelConfig::from_dir(&dir).unwrap().text.max_position_embeddings;
    for found in [0, context + 1] {
        let options = ExportOptions { profile: Profile::Trt, kv_capacity: Some(found), ..Default::default() };
        let message = refusal(&dir, Precision::F32, &options);
        assert_says(&message, &[&format!("1 to {context} tokens"), &format!("found {found}")]);
    }
}

#[test]
fn an_adapter_that_cannot_be_kept_apart() {
    let dir = Checkpoint::golden().write(1);
    let adapter = tempfile::tempdir().unwrap();
    let config = r#"{ "peft_type": "LORA", "r": 1, "lora_alpha": 1 }"#;
    std::fs::write(adapter.path().join("adapter_config.json"), config).unwrap();
    let mut tensors = Checkpoint::empty();
    let shape = Checkpoint::golden().tensor("visual.blocks.0.attn.proj.weight").1.clone();
    for (part, shape) in [("A", vec![1, shape[1]]), ("B", vec![shape[0], 1])] {
        let length = 4 * shape.iter().product::<usize>();
        let name = format!("base_model.model.visual.blocks.0.attn.proj.lora_{part}.weight");
        tensors.insert(&name, (Dtype::F32, shape, vec![0; length]));
    }
    tensors.save(&adapter.path().join("adapter_model.safetensors"));
    let options = ExportOptions { adapter_dir: Some(adapter.path().into()), keep_adapter: true, ..Default::default() };
    assert_says(&refusal(&dir, Precision::F32, &options), &["decoder's layers", "visual.blocks.0.attn.proj.weight"]);
    let options = ExportOptions { profile: Profile::Trt, ..options };
    assert_says(&refusal(&dir, Precision::F32, &options), &["trt", "merged", "kept apart"]);
}

#[test]
fn an_adapter_of_another_kind_or_for_another_model() {
    let dir = Checkpoint::golden().write(1);
    let adapter = tempfile::tempdir().unwrap();
    let options = ExportOptions { adapter_dir: Some(adapter.path().into()), ..Default::default() };
    assert_says(&refusal(&dir, Precision::F32, &options), &["adapter_config.json", "No such file"]);
    let config = |text: &str| std::fs::write(adapter.path().join("adapter_config.json"), text).unwrap();
    config(r#"{ "peft_type": "LORA", "r": 1, "lora_alpha": 1, "use_dora": true }"#);
    assert_says(&refusal(&dir, Precision::F32, &options), &["plain LoRA", "use_dora true"]);
    config(r#"{ "peft_type": "LORA", "r": 1, "lora_alpha": 1 }"#);
    let mut tensors = Checkpoint::empty();
    for (part, shape) in [("A", vec![1, 64]), ("B", vec![100, 1])] {
        let name = format!("base_model.model.model.layers.0.mlp.gate_proj.lora_{part}.weight");
        let length = 4 * shape.iter().product::<usize>();
        tensors.insert(&name, (Dtype::F32, shape, vec![0; length]));
    }
    tensors.save(&adapter.path().join("adapter_model.safetensors"));
    assert_says(&refusal(&dir, Precision::F32, &options), &["gate_proj", "[100, 64]", "[128, 64]"]);
}

#[test]
fn an_earlier_export_survives_a_failed_one() {
    let parent = tempfile::tempdir().unwrap();
    let out = parent.path().join("onnx");
    run(&Checkpoint::golden().write(1), &out, Precision::F32, &ExportOptions::default()).unwrap();
    let before = std::fs::read(out.join("model.onnx.data")).unwrap();
    let mut broken = Checkpoint::golden();
    broken.tensor(GATE).2[0..4].copy_from_slice(&f32::NAN.to_le_bytes());
    run(&broken.write(1), &out, Precision::F32, &ExportOptions::default()).unwrap_err();
    assert_eq!(std::fs::read(out.join("model.onnx.data")).unwrap(), before);
    assert_eq!(parent.path().read_dir().unwrap().count(), 1);
}
