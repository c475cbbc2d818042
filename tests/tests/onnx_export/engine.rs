//! Our engine loads and runs what every precision of the `ort` profile gives.

use std::path::PathBuf;

use onnx_export::{ExportOptions, Precision, Profile};
use processor::{Content, Message, Processor};
use vlm::providers::TensorRtSettings;
use vlm::{Engine, EngineSettings, GenerateSettings, Sampling};

use crate::checkpoint::{Checkpoint, golden_dir};
use crate::run;

#[test]
fn every_precision_runs_and_is_as_near_to_f32_as_its_bits_allow() {
    let dir = Checkpoint::golden().write(1);
    let processor = Processor::from_dir(&golden_dir()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let picture = vec![90; 56 * 84 * 3];
    let image = processor.image(&processor::RgbView::new(84, 56, &picture).unwrap()).unwrap();
    let message = Message::new("user", vec![Content::Image, Content::Text("turn left".into())]);
    let inputs = processor.prepare(&[message], vec![image], Vec::new()).unwrap();
    let mut exact: Option<Vec<f32>> = None;
    // The golden weights are random, which is hard on few bits: 1.6e-2 and 0.18 were seen for 8 and 4.
    for (precision, tolerance) in [
        (Precision::F32, 0.0),
        (Precision::F16, 5e-3),
        (Precision::Int8, 5e-2),
        (Precision::Int4 { symmetric: true }, 0.3),
        (Precision::Int4 { symmetric: false }, 0.3),
    ] {
        let out = folder.path().join(format!("{precision:?}"));
        run(&dir, &out, precision, &ExportOptions::default()).unwrap();
        let settings = EngineSettings { threads: 1, ..Default::default() };
        let engine = Engine::load(&out, processor.config(), &settings).unwrap();
        let embeds = engine.encode_all(&inputs).unwrap();
        let logits = engine.prompt_logits(&inputs, &embeds, 4).unwrap().data;
        let exact = exact.get_or_insert_with(|| logits.clone());
        let largest = exact.iter().fold(0.0f32, |top, value| top.max(value.abs()));
        let deviation = logits.iter().zip(&*exact).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max) / largest;
        println!("{precision:?}: logits {deviation:.1e}");
        assert!(deviation <= tolerance, "{precision:?}: {deviation}");
    }
}

#[test]
fn weights_that_stand_once_give_the_same_logits_and_the_same_bytes_twice() {
    let (dir, folder) = (Checkpoint::golden().write(1), tempfile::tempdir().unwrap());
    let processor = Processor::from_dir(&golden_dir()).unwrap();
    let message = Message::new("user", vec![Content::Text("turn left".into())]);
    let inputs = processor.prepare(&[message], Vec::new(), Vec::new()).unwrap();
    let [own, once, again] = [("own", false), ("once", true), ("again", true)].map(|(name, share_weights)| {
        let out = folder.path().join(name);
        let options = ExportOptions { share_weights, ..Default::default() };
        let report = run(&dir, &out, Precision::F32, &options).unwrap();
        let settings = EngineSettings { threads: 1, ..Default::default() };
        let engine = Engine::load(&out, processor.config(), &settings).unwrap();
        let embeds = engine.encode_all(&inputs).unwrap();
        (out, report.bytes(), engine.prompt_logits(&inputs, &embeds, 4).unwrap().data)
    });
    assert_eq!(own.2, once.2);
    assert!(once.1 < own.1 - 100_000, "{} {}", once.1, own.1);
    let names = |out: &PathBuf| {
        let mut names: Vec<_> = std::fs::read_dir(out).unwrap().flatten().map(|entry| entry.file_name()).collect();
        names.sort();
        names
    };
    assert_eq!(names(&once.0), names(&again.0));
    for name in names(&once.0) {
        assert!(std::fs::read(once.0.join(&name)).unwrap() == std::fs::read(again.0.join(&name)).unwrap(), "{name:?}");
    }
    let weights = |dir: &std::path::Path| std::fs::read(dir.join("model.safetensors")).unwrap();
    assert!(weights(&once.0) == weights(&dir) && !own.0.join("model.safetensors").exists());
}

#[test]
fn the_trt_profile_gives_the_same_tokens_and_logits_and_ends_at_its_capacity() {
    let dir = Checkpoint::golden().write(1);
    let folder = tempfile::tempdir().unwrap();
    let processor = Processor::from_dir(&golden_dir()).unwrap();
    let engine = |profile, name: &str| {
        let out = folder.path().join(name);
        let options = ExportOptions { profile, kv_capacity: Some(CAPACITY), ..ExportOptions::default() };
        run(&dir, &out, Precision::F32, &options).unwrap();
        Engine::load(&out, processor.config(), &EngineSettings { threads: 1, ..Default::default() }).unwrap()
    };
    const CAPACITY: usize = 320;
    let (ort, trt) = (engine(Profile::Ort, "ort"), engine(Profile::Trt, "trt"));
    let tensorrt = TensorRtSettings::of_export(&folder.path().join("trt"), PathBuf::new()).unwrap();
    assert!(tensorrt.profiles.iter().any(|profile| profile.graph == "model.onnx" && profile.holds(&[1, 1, 64])));
    assert!(TensorRtSettings::of_export(&folder.path().join("ort"), PathBuf::new()).unwrap().profiles.is_empty());
    assert_eq!(trt.context(), CAPACITY);
    // A grid whose last windows are cut off, and two frame pairs.
    let frames: Vec<Vec<u8>> =
        (0..4u32).map(|shift| (0..140 * 84 * 3u32).map(|i| ((i * 7 + shift * 31) % 251) as u8).collect()).collect();
    let views: Vec<_> = frames.iter().map(|frame| processor::RgbView::new(140, 84, frame).unwrap()).collect();
    let video = processor.video(&views, 2.0).unwrap();
    let message = Message::new("user", vec![Content::Video, Content::Text("turn left".into())]);
    let inputs = processor.prepare(&[message], Vec::new(), vec![video]).unwrap();
    let settings = GenerateSettings { max_new_tokens: 16, ..Default::default() };
    let [expected, found] = [&ort, &trt].map(|engine| {
        let embeds = engine.encode_all(&inputs).unwrap();
        let mut prefix = engine.empty_prefix();
        engine.extend_prefix(&mut prefix, &inputs, &embeds, engine.vision_end(&inputs)).unwrap();
        let state = engine.fork(&prefix, &inputs, &embeds).unwrap();
        let sampling = Sampling::TopP { temperature: 1.2, top_p: 0.9, top_k: 40, seed: 3 };
        let sampled = GenerateSettings { sampling, ..settings.clone() };
        let samples = engine.complete_samples(&state, &sampled, 3, &mut |_, _| {}).unwrap();
        let greedy = engine.generate(&inputs, &embeds, &settings, &mut |_| {}).unwrap();
        let samples: Vec<_> = samples.into_iter().map(|sample| sample.token_ids).collect();
        (embeds, state.logits().to_vec(), greedy.token_ids, samples)
    });
    let largest = |values: &[f32]| values.iter().fold(0.0f32, |top, value| top.max(value.abs()));
    let deviation = |a: &[f32], b: &[f32]| {
        assert_eq!(a.len(), b.len());
        a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max) / largest(a)
    };
    let (embeds, logits) = (deviation(&expected.0[0].data, &found.0[0].data), deviation(&expected.1, &found.1));
    println!("image embeds {embeds:.1e}, logits {logits:.1e}");
    assert!(embeds < 1e-5 && logits < 1e-5);
    assert_eq!((expected.2, expected.3), (found.2, found.3));
    let long = GenerateSettings { max_new_tokens: CAPACITY, ..settings };
    let error = trt.generate(&inputs, &found.0, &long, &mut |_| {}).unwrap_err().to_string();
    assert!(error.contains(&CAPACITY.to_string()), "{error}");
}
