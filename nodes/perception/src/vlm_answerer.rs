//! The real answerer: model directory, processor, engine.

use std::sync::Arc;
use std::time::Instant;

use frame_ring::Frame;
use grounding::{ParsedQuestion, prompt};
use model_dir::ModelDir;
use msgs::{Interval, QuestionKind, TokenCounts};
use processor::{Content, Message, ModelInputs, Processor, RgbView, VisionInput};
use vlm::{Engine, EngineSettings, FinishReason, GenerateSettings, ImageEmbeds, Prefix, Provider, TokenEvent};

use crate::answerer::{Answerer, Completion, Finish, Progress, Request, RunsOn, View};
use crate::vision_cache::{HotKey, PairKey, VisionCache};
use crate::{AnswerError, Device, Settings, parity};

/// Answers with the network of a model directory on ONNX Runtime.
#[derive(Debug)]
pub struct VlmAnswerer {
    directory: ModelDir,
    processor: Processor,
    engine: Engine,
    cache: VisionCache,
    hot: Option<Hot>,
    /// The operating point of "not seen", from the calibration.
    logit_bias: Vec<(u32, f32)>,
    parity: f64,
}

/// The window, encoded.
#[derive(Debug)]
struct Vision {
    /// Grid and seconds per step of the whole window; its pixels are encoded already.
    input: VisionInput,
    embeds: ImageEmbeds,
}

/// What the decoder has read before a question comes: the system turn and the window's frames.
#[derive(Debug)]
struct Hot {
    key: HotKey,
    vision: Vision,
    prefix: Prefix,
}

impl VlmAnswerer {
    /// Opens a model directory, compares every file with the manifest's digest, loads the graphs, and lets them pass the
    /// [parity gate](parity).
    ///
    /// # Errors
    /// [`AnswerError`] that names the file with the expected and found digest, how to get ONNX Runtime, or how far the
    /// graphs are from the checkpoint.
    pub fn load(settings: &Settings) -> Result<Self, AnswerError> {
        let directory = ModelDir::open(&settings.model)?;
        directory.verify_digests()?;
        let processor = Processor::from_dir(directory.path())?;
        let engine_settings = EngineSettings {
            threads: settings.threads,
            providers: match settings.device {
                Device::Cpu => vec![Provider::Cpu],
                Device::Cuda => Provider::cuda_or_cpu(),
            },
            require_provider: (settings.require_device && settings.device == Device::Cuda).then(|| "CUDA".to_owned()),
            library: settings.onnx_runtime.clone(),
            ..EngineSettings::default()
        };
        let engine = Engine::load(&directory.onnx_path(), processor.config(), &engine_settings)?;
        let parity = parity::check(&directory, &processor, &engine)?;
        // Room for the pairs of two windows: one that slides by a frame has other pairs.
        let cache = VisionCache::new(settings.window_frames + 2);
        let logit_bias = logit_bias(&directory, &processor)?;
        Ok(Self { directory, processor, engine, cache, hot: None, logit_bias, parity })
    }

    /// What the parity gate found at load: the largest difference of a logit over the largest reference logit.
    pub fn parity(&self) -> f64 {
        self.parity
    }

    /// Encodes the window, pair by pair: what the cache holds is not encoded again.
    fn encode(&mut self, view: &View<'_>) -> Result<Vision, AnswerError> {
        let mut embeds = ImageEmbeds::default();
        let mut input: Option<VisionInput> = None;
        for pair in view.window.frames.chunks(2) {
            let (first, second) = (&pair[0], &pair[pair.len() - 1]);
            let key = PairKey::new(first, second);
            let held = self.cache.get(key);
            // The first pair is always preprocessed: its grid is the window's.
            if held.is_none() || input.is_none() {
                let patches = self.patches(view, [first, second])?;
                let grid = [patches.grid_thw[1], patches.grid_thw[2]];
                let pair_embeds = match &held {
                    Some(pair_embeds) => Arc::clone(pair_embeds),
                    None => Arc::new(self.engine.encode_pair(&patches.pixel_values, grid)?),
                };
                append(&mut embeds, &pair_embeds);
                if held.is_none() {
                    self.cache.put(key, pair_embeds);
                }
                let none_yet = VisionInput { pixel_values: Vec::new(), grid_thw: [0, grid[0], grid[1]], ..patches };
                input.get_or_insert(none_yet);
            } else if let Some(pair_embeds) = &held {
                append(&mut embeds, pair_embeds);
            }
            if let Some(input) = &mut input {
                input.grid_thw[0] += 1;
            }
        }
        let missing = || AnswerError::Frames { expected: "at least one".to_owned(), found: "none".to_owned() };
        Ok(Vision { input: input.ok_or_else(missing)?, embeds })
    }

    fn patches(&self, view: &View<'_>, pair: [&Frame; 2]) -> Result<VisionInput, AnswerError> {
        let (width, height) = (view.window.width as usize, view.window.height as usize);
        let views = pair.map(|frame| RgbView { width, height, data: &frame.rgb });
        Ok(self.processor.video(&views, view.frame_rate_hz)?)
    }

    /// What has been read of `view`: system turn and frames. Read now unless it was for the question before, or ahead
    /// of this one; what a growing window already had is not read again.
    fn look(&mut self, view: &View<'_>) -> Result<Hot, AnswerError> {
        let system = prompt::system(&self.directory.prompts().system, &view.facts);
        let key = HotKey::new(view, system);
        let older = match self.hot.take() {
            Some(hot) if hot.key == key => return Ok(hot),
            older => older,
        };
        let vision = self.encode(view)?;
        let inputs = self.inputs(view, &vision, String::new())?;
        let kept = older.filter(|older| key.continues(&older.key)).map(|older| older.prefix);
        let kept = kept.filter(|prefix| prefix.shared_tokens(&inputs) == prefix.tokens());
        let mut prefix = kept.unwrap_or_else(|| self.engine.empty_prefix());
        let embeds = std::slice::from_ref(&vision.embeds);
        self.engine.extend_prefix(&mut prefix, &inputs, embeds, self.engine.vision_end(&inputs))?;
        Ok(Hot { key, vision, prefix })
    }

    /// System turn with the camera's facts, user turn with the video and `user`.
    fn inputs(&self, view: &View<'_>, vision: &Vision, user: String) -> Result<ModelInputs, AnswerError> {
        let system = prompt::system(&self.directory.prompts().system, &view.facts);
        let messages =
            [Message::text("system", system), Message::new("user", vec![Content::Video, Content::Text(user)])];
        Ok(self.processor.prepare(&messages, vec![], vec![vision.input.clone()])?)
    }

    /// A question of a known kind is put in the first wording that the model was trained on.
    fn wording(&self, question: &ParsedQuestion) -> String {
        let kind = self.directory.prompts().kinds.get(question.kind.name());
        let phrasing = kind.and_then(|kind| kind.phrasings.first());
        match (phrasing, &question.object) {
            (Some(phrasing), Some(object)) => prompt::phrase(phrasing, object),
            _ => question.text.clone(),
        }
    }
}

/// The calibration's abstention in token ids.
fn logit_bias(directory: &ModelDir, processor: &Processor) -> Result<Vec<(u32, f32)>, AnswerError> {
    let Some(abstention) = &directory.calibration().abstention else { return Ok(Vec::new()) };
    match processor.tokenizer().encode(&abstention.token)?.as_slice() {
        &[id] => Ok(vec![(id, abstention.logit_bias as f32)]),
        other => Err(AnswerError::Abstention { token: abstention.token.clone(), found: other.len() }),
    }
}

fn append(embeds: &mut ImageEmbeds, pair: &ImageEmbeds) {
    embeds.rows += pair.rows;
    embeds.hidden = pair.hidden;
    embeds.data.extend_from_slice(&pair.data);
}

impl Answerer for VlmAnswerer {
    fn model(&self) -> String {
        let manifest = self.directory.manifest();
        format!("{} {}", manifest.name, manifest.version)
    }

    fn runs_on(&self) -> RunsOn {
        let refusals = self.engine.refusals().iter().map(ToString::to_string).collect();
        RunsOn { provider: self.engine.provider().to_owned(), refusals }
    }

    fn get_ready(&mut self, view: &View<'_>) -> Result<(), AnswerError> {
        self.hot = Some(self.look(view)?);
        Ok(())
    }

    fn ready_bytes(&self) -> usize {
        self.hot.as_ref().map_or(0, |hot| hot.prefix.bytes()) + self.cache.bytes()
    }

    fn answer(
        &mut self,
        request: &Request<'_>,
        progress: &mut dyn FnMut(Progress<'_>),
    ) -> Result<Completion, AnswerError> {
        progress(Progress::Vision);
        let start = Instant::now();
        let hot = self.look(&request.view)?;
        let vision_secs = start.elapsed().as_secs_f64();
        progress(Progress::Prefill);
        let question = self.wording(request.question);
        let user = self.directory.prompts().user_text(request.question.kind.name(), &question);
        let inputs = self.inputs(&request.view, &hot.vision, user)?;
        let settings = GenerateSettings {
            max_new_tokens: request.max_new_tokens.min(self.engine.context().saturating_sub(inputs.input_ids.len())),
            logit_bias: self.logit_bias.clone(),
            stop: vec!["</answer>".to_owned()],
            eos_ids: self.engine.eos_ids().to_vec(),
            deadline: Some(request.deadline),
            cancel: Some(Arc::clone(&request.cancel)),
            ..GenerateSettings::default()
        };
        let (mut end, mut token_ends) = (0, Vec::new());
        let mut on_token = |event: &TokenEvent| {
            end += event.text_piece.len();
            token_ends.push((end, event.logprob));
            progress(Progress::Decode(&event.text_piece));
        };
        let prompt = (&inputs, std::slice::from_ref(&hot.vision.embeds));
        let generation = self.engine.generate_from(&hot.prefix, prompt, &settings, &mut on_token)?;
        self.hot = Some(hot);
        let tokens = TokenCounts {
            prompt: inputs.input_ids.len() as u32,
            cached: generation.cached_tokens as u32,
            generated: generation.token_ids.len() as u32,
        };
        Ok(Completion {
            text: generation.text,
            token_ends,
            finish: finish(generation.finish),
            vision_secs,
            prefill_secs: generation.prefill_secs,
            first_token_secs: vision_secs + generation.first_token_secs,
            decode_secs: generation.decode_secs,
            tokens,
        })
    }

    fn interval(&self, kind: QuestionKind, value: f64) -> Option<Interval> {
        let calibration = self.directory.calibration().kinds.get(kind.name())?;
        let (lower, upper) = calibration.interval(value);
        // Neither a length nor a count is negative.
        Some(Interval { lower: lower.max(0.0), upper, coverage: calibration.coverage })
    }
}

fn finish(reason: FinishReason) -> Finish {
    match reason {
        FinishReason::Eos | FinishReason::Stop | FinishReason::Length => Finish::Complete,
        FinishReason::Deadline => Finish::Deadline,
        FinishReason::Cancelled => Finish::Cancelled,
    }
}
