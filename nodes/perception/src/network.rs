//! A loaded model directory: the words around a question, the vision tower, the decoder.

use frame_ring::Window;
use grounding::{ParsedQuestion, prompt};
use model_dir::{Calibration, ModelDir, parity_of};
use processor::{Content, Message, ModelInputs, Processor, RgbView, VisionInput};
use vlm::providers::TensorRtSettings;
use vlm::{Engine, EngineSettings, ImageEmbeds, Provider};

use crate::answerer::View;
use crate::vision::PairEncoder;
use crate::{AnswerError, Device, Settings, parity, room, taught};

/// Shared by the thread that sees and the thread that answers.
#[derive(Debug)]
pub(crate) struct Network {
    pub directory: ModelDir,
    pub processor: Processor,
    pub engine: Engine,
    /// What the parity gate found at load.
    pub parity: f64,
}

impl Network {
    /// As [`crate::VlmAnswerer::load`].
    pub fn load(settings: &Settings) -> Result<Self, AnswerError> {
        let directory = ModelDir::open(&settings.model)?;
        taught::check(directory.prompts())?;
        // Each file is compared with the manifest as it is read: what runs is what was verified.
        let files = directory.files();
        let processor = Processor::from_files(&files)?;
        room::check(&processor, settings.window_frames.max(directory.prompts().window.frames))?;
        let engine_settings = EngineSettings {
            threads: settings.threads,
            providers: providers(settings.device, &directory)?,
            require_provider: settings.require_device.then(|| settings.device.provider().to_owned()),
            library: settings.onnx_runtime.clone(),
            ..EngineSettings::default()
        };
        let tokens = processor.tokenizer().clone();
        let engine = Engine::load_files(&files.below("onnx"), processor.config(), tokens, &engine_settings)?;
        let parity = parity::check(&directory, &parity_of(&files)?, (&processor, &engine))?;
        directory.verify_rest(&files)?;
        Ok(Self { directory, processor, engine, parity })
    }

    /// The system turn with the camera's facts and its path.
    pub fn system(&self, view: &View<'_>) -> String {
        prompt::system(&self.directory.prompts().system, &view.facts, view.cameras().as_deref())
    }

    /// System turn, user turn with the video and `user`. The video is the whole window of `view`, whose pixels are
    /// encoded elsewhere.
    pub fn inputs(&self, view: &View<'_>, user: String) -> Result<ModelInputs, AnswerError> {
        let messages = [
            Message::text("system", self.system(view)),
            Message::new("user", vec![Content::Video, Content::Text(user)]),
        ];
        Ok(self.processor.prepare(&messages, vec![], vec![self.video(view)?])?)
    }

    /// The window's grid, without pixels.
    fn video(&self, view: &View<'_>) -> Result<VisionInput, AnswerError> {
        let preprocessor = self.processor.preprocessor();
        let (height, width) = preprocessor.video_size(view.window.height as usize, view.window.width as usize)?;
        let grid = [height, width].map(|side| side / preprocessor.patch_size);
        let seconds = preprocessor.temporal_patch_size as f64 / view.frame_rate_hz;
        let grid_thw = [view.window.frames.len().div_ceil(2), grid[0], grid[1]];
        Ok(VisionInput { pixel_values: Vec::new(), grid_thw, second_per_grid: Some(seconds as f32) })
    }

    /// An open question of a known kind is put in the first wording that the model was trained on.
    pub fn user(&self, question: &ParsedQuestion) -> String {
        let prompts = self.directory.prompts();
        let kind = question.kind.name();
        let phrasing = prompts.kinds.get(kind).and_then(|kind| kind.phrasings.first());
        let wording = match (phrasing, &question.object) {
            (Some(phrasing), Some(object)) if question.options.is_empty() => prompt::phrase(phrasing, object),
            _ => question.text.clone(),
        };
        prompts.user_text(kind, &wording)
    }

    /// See [`model_dir::Prompts::states_answers`].
    pub fn states_answers(&self) -> bool {
        self.directory.prompts().states_answers
    }

    /// A calibration's abstention in token ids.
    pub fn logit_bias(&self, calibration: &Calibration) -> Result<Vec<(u32, f32)>, AnswerError> {
        let Some(abstention) = &calibration.abstention else { return Ok(Vec::new()) };
        match self.processor.tokenizer().encode(&abstention.token)?.as_slice() {
            &[id] => Ok(vec![(id, abstention.logit_bias as f32)]),
            other => Err(AnswerError::Abstention { token: abstention.token.clone(), found: other.len() }),
        }
    }
}

/// The execution providers from `device` down to the processor, for the graphs in `directory`.
///
/// # Errors
/// [`AnswerError::Engine`] for a malformed `trt_profile.json`.
pub fn providers(device: Device, directory: &ModelDir) -> Result<Vec<Provider>, AnswerError> {
    Ok(match device {
        Device::Cpu => vec![Provider::Cpu],
        Device::Cuda => Provider::cuda_or_cpu(),
        Device::TensorRt => {
            // TensorRT names an engine by the graph, not by its weights.
            let files = &directory.manifest().files;
            let weights = ["onnx/vision.onnx.data", "onnx/model.onnx.data"].map(|name| match files.get(name) {
                Some(file) => file.sha256.get(..16).unwrap_or_default(),
                None => "",
            });
            let engines = weights.join("-");
            // Without a home the temporary folder: engines are built anew after a reboot.
            let cache = vlm::runtime::cache_folder().unwrap_or_else(std::env::temp_dir).join("tensorrt").join(engines);
            Provider::ladder(TensorRtSettings::of_export(&directory.onnx_path(), cache)?)
        }
    })
}

impl PairEncoder for Network {
    fn encode(&self, pair: &Window) -> Result<ImageEmbeds, AnswerError> {
        let (width, height) = (pair.width as usize, pair.height as usize);
        let views: Vec<_> = pair.frames.iter().map(|frame| RgbView { width, height, data: &frame.rgb }).collect();
        // The rate gives positions, which are no matter of one pair's pixels.
        let patches = self.processor.video(&views, 1.0)?;
        let [_, rows, columns] = patches.grid_thw;
        Ok(self.engine.encode_pair(&patches.pixel_values, [rows, columns])?)
    }
}
