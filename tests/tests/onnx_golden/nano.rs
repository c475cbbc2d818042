//! `spacer-nano`, for what only trained weights show: completions that keep to their format by themselves.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use processor::{Content, Message, ModelInputs, Processor, RgbView};
use vlm::{Engine, EngineSettings, GenerateSettings, ImageEmbeds};

pub(crate) struct Nano {
    pub(crate) processor: Processor,
    pub(crate) engine: Engine,
}

pub(crate) static NANO: LazyLock<Nano> = LazyLock::new(|| {
    let folder: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/zoo/spacer-nano");
    let processor = Processor::from_dir(&folder).expect("spacer-nano");
    let settings = EngineSettings { threads: 1, ..Default::default() };
    let engine = Engine::load(&folder.join("onnx"), processor.config(), &settings).expect("spacer-nano");
    Nano { processor, engine }
});

pub(crate) const QUESTIONS: [&str; 4] =
    ["how far is the door?", "how many chairs are there?", "how far is the table?", "how far is the bed?"];

impl Nano {
    /// A question about a room of two colours that slides by, `pairs` frame pairs.
    pub(crate) fn ask(&self, question: &str, pairs: usize) -> (ModelInputs, Vec<ImageEmbeds>) {
        let (width, height) = (224, 168);
        let frame = |time: usize| -> Vec<u8> {
            let pixel = |at: usize| {
                let (x, y) = (at % width, at / width);
                let wall = y < 90 || (x + 7 * time) % 80 < 20;
                if wall { [200, 190, 170] } else { [90 + (x / 4) as u8, 70, 50] }
            };
            (0..width * height).flat_map(pixel).collect()
        };
        let frames: Vec<Vec<u8>> = (0..2 * pairs).map(frame).collect();
        let views: Vec<RgbView> = frames.iter().map(|data| RgbView { width, height, data }).collect();
        let video = self.processor.video(&views, 2.0).expect("a video");
        let messages = [
            Message::text("system", "camera: fov 1.2 height 0.6 pitch 0.0"),
            Message::new("user", vec![Content::Video, Content::Text(question.to_owned())]),
        ];
        let inputs = self.processor.prepare(&messages, vec![], vec![video]).expect("a prompt");
        let embeds = self.engine.encode_all(&inputs).expect("image embeds");
        (inputs, embeds)
    }

    pub(crate) fn settings(&self) -> GenerateSettings {
        GenerateSettings {
            max_new_tokens: 200,
            stop: vec!["</answer>".to_owned()],
            eos_ids: self.engine.eos_ids().to_vec(),
            ..Default::default()
        }
    }
}
