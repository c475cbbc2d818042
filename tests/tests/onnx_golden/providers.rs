//! The ladder of execution providers: what is refused is said with its reason, and is an error where it is required.

use std::path::Path;

use vlm::providers::{CudaSettings, ShapeProfile, TensorRtSettings};
use vlm::{Engine, EngineSettings, Error, Provider, Sampling};

use crate::golden::{GOLDEN, settings, tokens};

fn load(settings: EngineSettings) -> vlm::Result<Engine> {
    Engine::load(&GOLDEN.onnx, GOLDEN.processor.config(), &EngineSettings { threads: 1, ..settings })
}

fn ladder() -> Vec<Provider> {
    let shape = |step, past| [vec![1, step, 64], vec![1, 2, past, 16]];
    let [min, max] = [shape(1, 0), shape(512, 2047)];
    let profile = |input: &str, at: usize| ShapeProfile {
        graph: "model.onnx".into(),
        input: input.into(),
        min: min[at].clone(),
        opt: min[at].clone(),
        max: max[at].clone(),
    };
    Provider::ladder(TensorRtSettings {
        device_id: 0,
        engine_cache: std::env::temp_dir().join("spacer-trt-cache"),
        fp16: false,
        profiles: vec![profile("inputs_embeds", 0), profile("past_key_values.0.key", 1)],
    })
}

fn has_gpu() -> bool {
    Path::new("/proc/driver/nvidia/version").exists()
}

#[test]
fn without_a_gpu_each_refusal_has_its_reason_and_the_processor_answers() {
    if has_gpu() {
        println!("not run: this machine has a GPU");
        return;
    }
    let engine = load(EngineSettings { providers: ladder(), ..Default::default() }).unwrap();
    let refused: Vec<&str> = engine.refusals().iter().map(|refusal| refusal.provider).collect();
    assert_eq!((engine.provider(), refused.as_slice()), ("CPU", ["TensorRT", "CUDA"].as_slice()));
    for refusal in engine.refusals() {
        println!("{refusal}");
        assert!(refusal.reason.contains("not enabled in this build"), "{refusal}");
    }
    let encoded = GOLDEN.encoded("video8");
    assert_eq!(tokens(&engine, &encoded, &settings(24, Sampling::Greedy)), GOLDEN.greedy_reference("video8"));
}

#[test]
fn a_required_provider_that_is_refused_is_an_error_with_every_reason() {
    if has_gpu() {
        println!("not run: this machine has a GPU");
        return;
    }
    for required in ["TensorRT", "CUDA"] {
        let settings =
            EngineSettings { providers: ladder(), require_provider: Some(required.into()), ..Default::default() };
        let error = load(settings).unwrap_err();
        assert!(matches!(&error, Error::Provider { expected, .. } if expected == required), "{error}");
        let text = error.to_string();
        assert!(text.contains("TensorRT: ") && text.contains("CUDA: ") && text.contains("CPU in use"), "{text}");
    }
    let alone = vec![Provider::Cuda(CudaSettings::default())];
    let error = load(EngineSettings { providers: alone, ..Default::default() }).unwrap_err();
    assert!(matches!(&error, Error::Provider { refusals, .. } if refusals.contains("CUDA: ")), "{error}");
}

#[test]
fn the_processor_is_the_default_and_can_be_required() {
    let engine = load(EngineSettings { require_provider: Some("CPU".into()), ..Default::default() }).unwrap();
    assert_eq!((engine.provider(), engine.refusals().len()), ("CPU", 0));
    let error = load(EngineSettings { require_provider: Some("CUDA".into()), ..Default::default() }).unwrap_err();
    assert!(error.to_string().contains("expected CUDA") && error.to_string().contains("CPU in use"), "{error}");
    let none = load(EngineSettings { providers: Vec::new(), ..Default::default() }).unwrap_err();
    assert!(matches!(none, Error::Provider { .. }), "{none}");
}

#[test]
fn a_broken_graph_is_the_files_fault_on_any_ladder() {
    let folder = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(&GOLDEN.onnx).unwrap().flatten() {
        std::fs::copy(entry.path(), folder.path().join(entry.file_name())).unwrap();
    }
    std::fs::write(folder.path().join("model.onnx"), b"not a graph").unwrap();
    let settings = EngineSettings { providers: ladder(), ..Default::default() };
    let error = Engine::load(folder.path(), GOLDEN.processor.config(), &settings).unwrap_err();
    assert!(matches!(&error, Error::MalformedFile { .. }), "{error}");
}
