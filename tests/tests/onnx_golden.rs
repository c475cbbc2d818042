//! The exported graphs on ONNX Runtime equal transformers on every case of the golden data:
//! merged image embeds, logits, greedy tokens; and the engine's other promises on a real model:
//! the KV cache changes nothing, threads and repetition change nothing, broken files are named.

use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, atomic::AtomicBool};
use std::time::Instant;

use onnx_export::{ExportRequest, Precision, export};
use processor::{
    Content, Message, ModelConfig, ModelInputs, Processor, RgbView, SamplingRule, VisionInput, sample_frames,
};
use safetensors::{SafeTensors, tensor::TensorView};
use vlm::{Chunk, Engine, EngineSettings, FinishReason, GenerateSettings, ImageEmbeds, Sampling};

const CASES: [&str; 6] = ["image", "text", "video8", "video5odd", "video_sampled", "mixed"];
/// Largest deviation over largest magnitude.
const TOLERANCE: f32 = 1e-4;
/// From raw frames the pixels differ by up to 0.05 already (another resampler).
const RAW_TOLERANCE: f32 = 0.1;

struct Golden {
    oracle: Vec<u8>,
    processor: Processor,
    engine: Engine,
    onnx: PathBuf,
    _folder: tempfile::TempDir,
}

static GOLDEN: LazyLock<Golden> = LazyLock::new(|| {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden/qwen2_5_vl_tiny");
    let checkpoint_dir = data.join("tiny-qwen2_5_vl");
    let folder = tempfile::tempdir().unwrap();
    let onnx = folder.path().join("onnx");
    export(&ExportRequest { checkpoint_dir: checkpoint_dir.clone(), out_dir: onnx.clone(), precision: Precision::F32 })
        .unwrap();
    let processor = Processor::from_dir(&checkpoint_dir).unwrap();
    let engine = load(&onnx, processor.config(), 1).unwrap();
    let oracle = std::fs::read(data.join("oracle.safetensors")).unwrap();
    Golden { oracle, processor, engine, onnx, _folder: folder }
});

fn load(onnx: &Path, config: &ModelConfig, threads: usize) -> vlm::Result<Engine> {
    Engine::load(onnx, config, &EngineSettings { threads, ..Default::default() })
}

fn integers(tensor: &TensorView) -> Vec<i64> {
    tensor.data().as_chunks::<8>().0.iter().map(|bytes| i64::from_le_bytes(*bytes)).collect()
}

fn floats(tensor: &TensorView) -> Vec<f32> {
    tensor.data().as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect()
}

fn frames<'a>(tensor: &TensorView<'a>) -> Vec<RgbView<'a>> {
    let [.., height, width, 3] = *tensor.shape() else { panic!("{:?}", tensor.shape()) };
    tensor.data().chunks_exact(height * width * 3).map(|data| RgbView::new(width, height, data).unwrap()).collect()
}

fn relative_deviation(ours: &[f32], theirs: &[f32]) -> f32 {
    assert_eq!(ours.len(), theirs.len());
    let largest = theirs.iter().fold(0.0f32, |top, value| top.max(value.abs()));
    ours.iter().zip(theirs).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max) / largest
}

impl Golden {
    fn tensors(&self) -> SafeTensors<'_> {
        SafeTensors::deserialize(&self.oracle).unwrap()
    }

    fn floats(&self, name: &str) -> Vec<f32> {
        floats(&self.tensors().tensor(name).unwrap())
    }

    fn integers(&self, name: &str) -> Vec<i64> {
        integers(&self.tensors().tensor(name).unwrap())
    }

    /// Inputs as transformers made them.
    fn stored(&self, case: &str) -> ModelInputs {
        let tensors = self.tensors();
        let vision = |values: &str, grid: &str, second_per_grid: Option<f32>| -> Vec<VisionInput> {
            let Ok(pixels) = tensors.tensor(&format!("{case}.{values}")) else { return Vec::new() };
            let grid = self.integers(&format!("{case}.{grid}"));
            let grid_thw = [0, 1, 2].map(|axis| grid[axis] as usize);
            vec![VisionInput { pixel_values: floats(&pixels), grid_thw, second_per_grid }]
        };
        let seconds = tensors.tensor(&format!("{case}.second_per_grid_ts")).ok().map(|tensor| floats(&tensor)[0]);
        let ids = self.integers(&format!("{case}.input_ids"));
        let positions = self.integers(&format!("{case}.position_ids_legacy"));
        ModelInputs {
            input_ids: ids.iter().map(|&id| id as u32).collect(),
            position_ids: [0, 1, 2].map(|axis| positions[axis * ids.len()..(axis + 1) * ids.len()].to_vec()),
            rope_delta: self.integers(&format!("{case}.rope_delta_legacy"))[0],
            images: vision("pixel_values", "image_grid_thw", None),
            videos: vision("pixel_values_videos", "video_grid_thw", seconds),
        }
    }

    /// Inputs that our processor makes from the raw frames.
    fn raw(&self, case: &str) -> ModelInputs {
        let tensors = self.tensors();
        let raw = |kind: &str| tensors.tensor(&format!("{case}.{kind}0_u8")).ok();
        let images = raw("image").into_iter().map(|picture| self.processor.image(&frames(&picture)[0]).unwrap()).collect();
        let videos = raw("video").into_iter().map(|video| {
            let (frames, fps) = sampled(case, frames(&video));
            self.processor.video(&frames, fps).unwrap()
        });
        self.processor.prepare(&messages(case), images, videos.collect()).unwrap()
    }

    /// Case `case` from its stored tensors, with its vision encoded.
    fn encoded(&self, case: &str) -> (ModelInputs, Vec<ImageEmbeds>) {
        let inputs = self.stored(case);
        let embeds = self.engine.encode_all(&inputs).unwrap();
        (inputs, embeds)
    }

    fn greedy_reference(&self, case: &str) -> Vec<u32> {
        self.integers(&format!("{case}.greedy_legacy")).iter().map(|&id| id as u32).collect()
    }
}

fn messages(case: &str) -> Vec<Message> {
    let text = |words: &str| Content::Text(words.to_owned());
    vec![Message::new(
        "user",
        match case {
            "image" => vec![Content::Image, text("How many chairs are in the room?")],
            "text" => vec![text("turn left")],
            "video8" | "video5odd" => vec![Content::Video, text("turn right or left?")],
            "video_sampled" => vec![Content::Video, text("move forward?")],
            _ => vec![Content::Image, text("Picture."), Content::Video, text("stop?")],
        },
    )]
}

/// The frames the model sees and their rate: all of them, but for the sampled case.
fn sampled<'a>(case: &str, all: Vec<RgbView<'a>>) -> (Vec<RgbView<'a>>, f64) {
    match case {
        "video5odd" => (all, 4.0),
        "video_sampled" => {
            let chosen = sample_frames(all.len(), 10.0, &SamplingRule::default()).unwrap();
            (chosen.indices.iter().map(|&index| all[index]).collect(), chosen.sampled_fps)
        }
        _ => (all, 1.0),
    }
}

fn settings(max_new_tokens: usize, sampling: Sampling) -> GenerateSettings {
    GenerateSettings { max_new_tokens, sampling, ..Default::default() }
}

fn tokens(
    engine: &Engine,
    (inputs, embeds): &(ModelInputs, Vec<ImageEmbeds>),
    settings: &GenerateSettings,
) -> Vec<u32> {
    engine.generate(inputs, embeds, settings, &mut |_| {}).unwrap().token_ids
}

#[test]
fn image_embeds_equal_the_reference() {
    for case in CASES {
        let inputs = GOLDEN.stored(case);
        for (kind, vision) in [("image", &inputs.images), ("video", &inputs.videos)] {
            let Some(vision) = vision.first() else { continue };
            let reference = GOLDEN.floats(&format!("{case}.{kind}_embeds"));
            let deviation = relative_deviation(&GOLDEN.engine.encode(vision).unwrap().data, &reference);
            println!("{case} {kind} embeds {deviation:.1e}");
            assert!(deviation < TOLERANCE, "{case} {kind}: {deviation}");
        }
    }
}

#[test]
fn logits_equal_the_reference() {
    for case in CASES {
        let (inputs, embeds) = GOLDEN.encoded(case);
        let logits = GOLDEN.engine.prompt_logits(&inputs, &embeds, 8).unwrap();
        assert_eq!((logits.rows, logits.vocab), (8, 512), "{case}");
        let deviation = relative_deviation(&logits.data, &GOLDEN.floats(&format!("{case}.logits_legacy_last8")));
        println!("{case} logits {deviation:.1e}");
        assert!(deviation < TOLERANCE, "{case}: {deviation}");
    }
}

#[test]
fn greedy_tokens_equal_the_reference_and_the_stream_is_the_text() {
    for case in CASES {
        let (inputs, embeds) = GOLDEN.encoded(case);
        let (mut ids, mut text) = (Vec::new(), String::new());
        let generation = GOLDEN.engine.generate(&inputs, &embeds, &settings(24, Sampling::Greedy), &mut |event| {
            ids.push(event.id);
            text.push_str(&event.text_piece);
        });
        let generation = generation.unwrap();
        assert_eq!(generation.token_ids, GOLDEN.greedy_reference(case), "{case}");
        assert_eq!(ids, generation.token_ids, "{case}");
        assert!(generation.text.starts_with(&text), "{case}");
        assert_eq!(generation.text, GOLDEN.processor.decode(&ids).unwrap(), "{case}");
        assert_eq!(generation.finish, FinishReason::Length);
        assert!(generation.logprobs.iter().all(|logprob| *logprob <= 0.0));
        assert!(generation.first_token_secs >= generation.prefill_secs && generation.prefill_secs > 0.0);
    }
}

#[test]
fn from_raw_frames_ids_and_positions_are_equal_and_logits_close() {
    for case in CASES {
        let (raw, stored) = (GOLDEN.raw(case), GOLDEN.stored(case));
        assert_eq!(
            (&raw.input_ids, &raw.position_ids, raw.rope_delta),
            (&stored.input_ids, &stored.position_ids, stored.rope_delta),
            "{case}"
        );
        let embeds = GOLDEN.engine.encode_all(&raw).unwrap();
        let logits = GOLDEN.engine.prompt_logits(&raw, &embeds, 8).unwrap();
        let deviation = relative_deviation(&logits.data, &GOLDEN.floats(&format!("{case}.logits_legacy_last8")));
        let ids = tokens(&GOLDEN.engine, &(raw, embeds), &settings(24, Sampling::Greedy));
        let same = ids.iter().zip(GOLDEN.greedy_reference(case)).take_while(|(ours, theirs)| **ours == *theirs).count();
        println!("{case} from raw frames: logits {deviation:.1e}, {same} of 24 tokens");
        assert!(deviation < RAW_TOLERANCE, "{case}: {deviation}");
    }
}

#[test]
fn decode_with_the_kv_cache_equals_a_full_forward() {
    let (mut inputs, embeds) = GOLDEN.encoded("mixed");
    let mut state = GOLDEN.engine.prefill(&inputs, &embeds).unwrap();
    for token in GOLDEN.greedy_reference("mixed") {
        let position = state.next_position();
        GOLDEN.engine.step(&mut state, token, position).unwrap();
        inputs.input_ids.push(token);
        inputs.position_ids.iter_mut().for_each(|axis| axis.push(position));
        let full = GOLDEN.engine.prompt_logits(&inputs, &embeds, 1).unwrap();
        assert!(relative_deviation(state.logits(), &full.data) < 1e-5);
    }
}

#[test]
fn a_prefix_read_in_two_stretches_and_forked_equals_one_prefill() {
    let engine = &GOLDEN.engine;
    let (inputs, embeds) = GOLDEN.encoded("mixed");
    let whole = engine.prefill(&inputs, &embeds).unwrap();
    // The cut lies behind the picture and before the video.
    let cut = inputs.input_ids.iter().position(|id| *id == engine_video_token()).unwrap();
    let stretch = |range: std::ops::Range<usize>, image_embeds| Chunk {
        input_ids: &inputs.input_ids[range.clone()],
        position_ids: [0, 1, 2].map(|axis| &inputs.position_ids[axis][range.clone()]),
        image_embeds,
    };
    let mut prefix = engine.empty_state().unwrap();
    engine.extend(&mut prefix, &stretch(0..cut, &embeds[..1])).unwrap();
    for _ in 0..2 {
        let mut fork = prefix.clone();
        engine.extend(&mut fork, &stretch(cut..inputs.input_ids.len(), &embeds[1..])).unwrap();
        fork.set_rope_delta(inputs.rope_delta);
        assert!(relative_deviation(fork.logits(), whole.logits()) < 1e-5);
        let generation = engine.complete(&mut fork, &settings(24, Sampling::Greedy), &mut |_| {}).unwrap();
        assert_eq!(generation.token_ids, GOLDEN.greedy_reference("mixed"));
    }
}

fn engine_video_token() -> u32 {
    GOLDEN.processor.config().tokens.video
}

#[test]
fn one_and_two_threads_and_repetition_give_the_same_tokens() {
    let two = load(&GOLDEN.onnx, GOLDEN.processor.config(), 2).unwrap();
    for case in CASES {
        let inputs = GOLDEN.stored(case);
        let [one, two, again] = [&GOLDEN.engine, &two, &two].map(|engine| {
            let embeds = engine.encode_all(&inputs).unwrap();
            tokens(engine, &(inputs.clone(), embeds), &settings(24, Sampling::Greedy))
        });
        assert_eq!(one, two, "{case}");
        assert_eq!(two, again, "{case}");
    }
}

#[test]
fn sampled_tokens_repeat_with_the_seed() {
    let encoded = GOLDEN.encoded("video8");
    let sample = |seed| {
        tokens(
            &GOLDEN.engine,
            &encoded,
            &settings(24, Sampling::TopP { temperature: 1.5, top_p: 0.95, top_k: 50, seed }),
        )
    };
    assert_eq!(sample(7), sample(7));
    assert_ne!(sample(7), sample(8));
}

#[test]
fn eos_stop_strings_deadline_and_cancellation_end_a_completion() {
    let encoded = GOLDEN.encoded("text");
    let finish =
        |settings: &GenerateSettings| GOLDEN.engine.generate(&encoded.0, &encoded.1, settings, &mut |_| {}).unwrap();
    let free = finish(&settings(24, Sampling::Greedy));

    let eos = finish(&GenerateSettings { eos_ids: vec![free.token_ids[5]], ..settings(24, Sampling::Greedy) });
    assert_eq!(eos.finish, FinishReason::Eos);
    assert_eq!(eos.token_ids.last(), Some(&free.token_ids[5]));

    let word: String = free.text.chars().skip(4).take(3).collect();
    let stop = finish(&GenerateSettings { stop: vec![word.clone()], ..settings(24, Sampling::Greedy) });
    assert_eq!(stop.finish, FinishReason::Stop);
    assert!(stop.text.ends_with(&word) && free.text.starts_with(&stop.text), "{:?} {:?}", stop.text, free.text);

    let late = finish(&GenerateSettings { deadline: Some(Instant::now()), ..settings(24, Sampling::Greedy) });
    assert_eq!((late.finish, late.token_ids.len()), (FinishReason::Deadline, 0));

    let cancel = Arc::new(AtomicBool::new(false));
    let settings = GenerateSettings { cancel: Some(cancel.clone()), ..settings(24, Sampling::Greedy) };
    let mut stop_now = |_: &vlm::TokenEvent| cancel.store(true, std::sync::atomic::Ordering::Relaxed);
    let cancelled = GOLDEN.engine.generate(&encoded.0, &encoded.1, &settings, &mut stop_now).unwrap();
    assert_eq!((cancelled.finish, cancelled.token_ids.len()), (FinishReason::Cancelled, 1));
}

/// A copy of the exported graphs to break.
fn copy() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(&GOLDEN.onnx).unwrap().flatten() {
        std::fs::copy(entry.path(), folder.path().join(entry.file_name())).unwrap();
    }
    folder
}

#[test]
fn missing_truncated_and_foreign_files_are_named() {
    let config = GOLDEN.processor.config();
    for file in ["vision.onnx", "embedding.onnx", "model.onnx"] {
        let folder = copy();
        let path = folder.path().join(file);
        let whole = std::fs::read(&path).unwrap();
        std::fs::write(&path, &whole[..whole.len() / 2]).unwrap();
        let error = load(folder.path(), config, 1).unwrap_err();
        assert!(matches!(error, vlm::Error::Load { .. }) && error.to_string().contains(file), "{error}");
        std::fs::remove_file(&path).unwrap();
        let error = load(folder.path(), config, 1).unwrap_err();
        assert!(matches!(error, vlm::Error::MissingFile { .. }) && error.to_string().contains(file), "{error}");
    }
    for cut in [Some(100), None] {
        let folder = copy();
        let data = folder.path().join("model.onnx.data");
        match cut {
            Some(length) => std::fs::File::options().write(true).open(&data).unwrap().set_len(length).unwrap(),
            None => std::fs::remove_file(&data).unwrap(),
        }
        let error = load(folder.path(), config, 1).unwrap_err().to_string();
        assert!(error.contains("model.onnx"), "{error}");
    }
}

#[test]
fn graphs_of_another_configuration_are_refused_with_expected_and_found() {
    let mut config = GOLDEN.processor.config().clone();
    config.text.num_hidden_layers += 1;
    let error = load(&GOLDEN.onnx, &config, 1).unwrap_err().to_string();
    assert!(error.contains("past_key_values.2.key") && error.contains("found absent"), "{error}");
    let mut config = GOLDEN.processor.config().clone();
    config.text.vocab_size = 513;
    let error = load(&GOLDEN.onnx, &config, 1).unwrap_err().to_string();
    assert!(error.contains("513") && error.contains("512"), "{error}");
}

#[test]
fn inputs_that_do_not_fit_are_refused() {
    let engine = &GOLDEN.engine;
    let (mut inputs, embeds) = GOLDEN.encoded("video8");
    assert!(engine.prefill(&inputs, &[]).unwrap_err().to_string().contains("found 0"));
    let too_long = engine.generate(&inputs, &embeds, &settings(100_000, Sampling::Greedy), &mut |_| {}).unwrap_err();
    assert!(matches!(too_long, vlm::Error::TooLong { expected: 2048, .. }), "{too_long}");
    inputs.videos[0].pixel_values.pop();
    assert!(matches!(engine.encode_all(&inputs), Err(vlm::Error::Shape { what: "pixel_values", .. })));
    inputs.input_ids[0] = 512;
    assert!(engine.prefill(&inputs, &embeds).unwrap_err().to_string().contains("ids below 512"));
}
