//! The golden data, its model exported once for all tests, and what they compare with.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use onnx_export::{ExportRequest, Precision, export};
use processor::{
    Content, Message, ModelConfig, ModelInputs, Processor, RgbView, SamplingRule, VisionInput, sample_frames,
};
use safetensors::{SafeTensors, tensor::TensorView};
use vlm::{Engine, EngineSettings, GenerateSettings, ImageEmbeds, Sampling};

pub(crate) const CASES: [&str; 6] = ["image", "text", "video8", "video5odd", "video_sampled", "mixed"];

pub(crate) struct Golden {
    oracle: Vec<u8>,
    pub(crate) processor: Processor,
    pub(crate) engine: Engine,
    pub(crate) onnx: PathBuf,
    _folder: tempfile::TempDir,
}

pub(crate) static GOLDEN: LazyLock<Golden> = LazyLock::new(|| {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden/qwen2_5_vl_tiny");
    let checkpoint_dir = data.join("tiny-qwen2_5_vl");
    let folder = tempfile::tempdir().expect("golden data");
    let onnx = folder.path().join("onnx");
    export(&ExportRequest { checkpoint_dir: checkpoint_dir.clone(), out_dir: onnx.clone(), precision: Precision::F32 })
        .expect("golden data");
    let processor = Processor::from_dir(&checkpoint_dir).expect("golden data");
    let engine = load(&onnx, processor.config(), 1).expect("golden data");
    let oracle = std::fs::read(data.join("oracle.safetensors")).expect("golden data");
    Golden { oracle, processor, engine, onnx, _folder: folder }
});

pub(crate) fn load(onnx: &Path, config: &ModelConfig, threads: usize) -> vlm::Result<Engine> {
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
    tensor
        .data()
        .chunks_exact(height * width * 3)
        .map(|data| RgbView::new(width, height, data).expect("golden data"))
        .collect()
}

/// Largest deviation over largest magnitude.
pub(crate) fn relative_deviation(ours: &[f32], theirs: &[f32]) -> f32 {
    assert_eq!(ours.len(), theirs.len());
    let largest = theirs.iter().fold(0.0f32, |top, value| top.max(value.abs()));
    ours.iter().zip(theirs).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max) / largest
}

impl Golden {
    fn tensors(&self) -> SafeTensors<'_> {
        SafeTensors::deserialize(&self.oracle).expect("golden data")
    }

    pub(crate) fn floats(&self, name: &str) -> Vec<f32> {
        floats(&self.tensors().tensor(name).expect("golden data"))
    }

    fn integers(&self, name: &str) -> Vec<i64> {
        integers(&self.tensors().tensor(name).expect("golden data"))
    }

    /// Inputs as transformers made them.
    pub(crate) fn stored(&self, case: &str) -> ModelInputs {
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
    pub(crate) fn raw(&self, case: &str) -> ModelInputs {
        let tensors = self.tensors();
        let raw = |kind: &str| tensors.tensor(&format!("{case}.{kind}0_u8")).ok();
        let images = raw("image")
            .into_iter()
            .map(|picture| self.processor.image(&frames(&picture)[0]).expect("golden data"))
            .collect();
        let videos = raw("video").into_iter().map(|video| {
            let (frames, fps) = sampled(case, frames(&video));
            self.processor.video(&frames, fps).expect("golden data")
        });
        self.processor.prepare(&messages(case), images, videos.collect()).expect("golden data")
    }

    /// Case `case` from its stored tensors, with its vision encoded.
    pub(crate) fn encoded(&self, case: &str) -> (ModelInputs, Vec<ImageEmbeds>) {
        let inputs = self.stored(case);
        let embeds = self.engine.encode_all(&inputs).expect("golden data");
        (inputs, embeds)
    }

    pub(crate) fn greedy_reference(&self, case: &str) -> Vec<u32> {
        self.integers(&format!("{case}.greedy_legacy")).iter().map(|&id| id as u32).collect()
    }
}

pub(crate) fn messages(case: &str) -> Vec<Message> {
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
            let chosen = sample_frames(all.len(), 10.0, &SamplingRule::default()).expect("golden data");
            (chosen.indices.iter().map(|&index| all[index]).collect(), chosen.sampled_fps)
        }
        _ => (all, 1.0),
    }
}

pub(crate) fn settings(max_new_tokens: usize, sampling: Sampling) -> GenerateSettings {
    GenerateSettings { max_new_tokens, sampling, ..Default::default() }
}

pub(crate) fn tokens(
    engine: &Engine,
    (inputs, embeds): &(ModelInputs, Vec<ImageEmbeds>),
    settings: &GenerateSettings,
) -> Vec<u32> {
    engine.generate(inputs, embeds, settings, &mut |_| {}).expect("golden data").token_ids
}
