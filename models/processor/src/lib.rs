//! Everything before tensors meet an engine: resize, patches, chat template, tokens, mrope ids.
//!
//! The one place that turns frames and messages into the inputs of a Qwen2.5-VL network, used by the ONNX Runtime
//! engine and by the trainable policy alike, so the two can't disagree. It holds no tensors of its own: pixel values are
//! row-major `Vec<f32>`, ids are `u32`, positions `i64`. It follows transformers to the token and to the id; see each
//! module for its source. Nothing here panics on bad input: every refusal is a [`ProcessorError`].
//!
//! ```no_run
//! use processor::{Content, Message, Processor, RgbView};
//! # fn main() -> processor::Result<()> {
//! let processor = Processor::from_dir("models/zoo/spacer-nano".as_ref())?;
//! let pixels = vec![0; 640 * 480 * 3];
//! let frame = RgbView::new(640, 480, &pixels)?;
//! let video = processor.video(&[frame; 4], 2.0)?;
//! let question = Message::new("user", vec![Content::Video, Content::Text("How far is the door?".into())]);
//! let inputs = processor.prepare(&[question], vec![], vec![video])?;
//! assert_eq!(inputs.input_ids.len(), inputs.position_ids[0].len());
//! # Ok(())
//! # }
//! ```

pub mod chat;
pub mod config;
pub mod error;
mod json;
pub mod mrope;
pub mod patches;
mod preprocessor_config;
pub mod resize;
pub mod rotary;
pub mod sampling;
mod template;
mod tokenizer_file;
pub mod tokens;
pub mod window;

pub use chat::{ChatTemplate, Content, Message};
pub use config::{ModelConfig, PixelLimits, PreprocessorConfig, TextConfig, TokenIds, VisionConfig};
pub use error::{ProcessorError, Result};
pub use mrope::{MropeConfig, Positions, position_ids};
pub use patches::{RgbView, VisionInput, pixel_values};
pub use resize::smart_resize;
pub use sampling::{SampledFrames, SamplingRule, sample_frames};
pub use tokens::{StreamDecoder, TextTokenizer};
pub use window::{WindowIndex, cu_seqlens, vision_positions, window_index};

use model_dir::Files;
use std::path::Path;
use tokens::Placeholder;

/// The processor of one model directory.
#[derive(Debug)]
pub struct Processor {
    config: ModelConfig,
    preprocessor: PreprocessorConfig,
    template: ChatTemplate,
    tokenizer: TextTokenizer,
}

/// What a network takes for one prompt.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelInputs {
    /// Token ids, placeholders expanded, `[len]`.
    pub input_ids: Vec<u32>,
    /// Positions in time, height and width, `[3][len]`.
    pub position_ids: Positions,
    /// Add it to a later token's index to get its position.
    pub rope_delta: i64,
    /// In order of their placeholders.
    pub images: Vec<VisionInput>,
    /// In order of their placeholders.
    pub videos: Vec<VisionInput>,
}

impl Processor {
    /// Reads a model directory in the Hugging Face layout: `config.json`, `tokenizer.json`, the preprocessor's
    /// configuration and the chat template.
    ///
    /// # Errors
    /// Whatever is missing, unreadable, or of another architecture, with file, key, expected and found.
    pub fn from_dir(dir: &Path) -> Result<Self> {
        Self::from_files(&Files::unverified(dir))
    }

    /// As [`Processor::from_dir`], of a model directory's files.
    ///
    /// # Errors
    /// As [`Processor::from_dir`].
    pub fn from_files(files: &Files) -> Result<Self> {
        let config = ModelConfig::from_files(files)?;
        let preprocessor = PreprocessorConfig::from_files(files)?;
        for (key, expected, found) in [
            ("patch_size", config.vision.patch_size, preprocessor.patch_size),
            ("merge_size", config.vision.spatial_merge_size, preprocessor.merge_size),
            ("temporal_patch_size", config.vision.temporal_patch_size, preprocessor.temporal_patch_size),
        ] {
            if expected != found {
                return Err(ProcessorError::Config {
                    file: "the preprocessor's configuration".to_owned(),
                    key: key.to_owned(),
                    expected: format!("{expected} as in config.json"),
                    found: found.to_string(),
                });
            }
        }
        let (template, tokenizer) = (ChatTemplate::from_files(files)?, TextTokenizer::from_files(files)?);
        for (key, id) in [("image_token_id", config.tokens.image), ("video_token_id", config.tokens.video)] {
            if tokenizer.inner().id_to_token(id).is_none() || id as usize >= config.text.vocab_size {
                return Err(ProcessorError::Config {
                    file: "config.json".to_owned(),
                    key: key.to_owned(),
                    expected: "a token of tokenizer.json below vocab_size".to_owned(),
                    found: id.to_string(),
                });
            }
        }
        Ok(Self { config, preprocessor, template, tokenizer })
    }

    /// An image, resized within the image limits; its grid has t = 1.
    ///
    /// # Errors
    /// A picture that is empty, lies about its length, or is too long and thin.
    pub fn image(&self, picture: &RgbView) -> Result<VisionInput> {
        self.vision_input(&[*picture], self.preprocessor.image, None)
    }

    /// A video of the frames given, all of one size, resized within the video limits; nothing is sampled away.
    /// `sampled_fps` is the rate of these frames, in frames per second.
    ///
    /// # Errors
    /// Those of [`Processor::image`] for each frame, no frames, frames of several sizes, or a rate not over 0.
    pub fn video(&self, frames: &[RgbView], sampled_fps: f64) -> Result<VisionInput> {
        if !(sampled_fps.is_finite() && sampled_fps > 0.0) {
            return Err(ProcessorError::FrameRate(sampled_fps));
        }
        let seconds = self.preprocessor.temporal_patch_size as f64 / sampled_fps;
        self.vision_input(frames, self.preprocessor.video, Some(seconds as f32))
    }

    fn vision_input(&self, frames: &[RgbView], limits: PixelLimits, seconds: Option<f32>) -> Result<VisionInput> {
        let first = frames.first().ok_or(ProcessorError::NoFrames)?;
        let odd_one = frames.iter().position(|f| (f.width, f.height) != (first.width, first.height));
        if let Some(index) = odd_one {
            return Err(ProcessorError::FrameSize {
                index,
                expected: format!("{}×{} like the first frame", first.width, first.height),
                found_width: frames[index].width,
                found_height: frames[index].height,
            });
        }
        let factor = self.preprocessor.factor();
        let size = smart_resize(first.height, first.width, factor, limits.min_pixels, limits.max_pixels)?;
        let resized: Vec<_> = frames.iter().map(|frame| resize::resize(frame, size)).collect::<Result<_>>()?;
        let views: Vec<_> =
            resized.iter().map(|data| RgbView { width: size.1, height: size.0, data: data.as_ref() }).collect();
        let (pixel_values, grid_thw) = pixel_values(&views, &self.preprocessor)?;
        Ok(VisionInput { pixel_values, grid_thw, second_per_grid: seconds })
    }

    /// Renders, tokenises and positions a conversation that ends with the head of the assistant's turn. `images` and
    /// `videos` stand in the order of their places in `messages`.
    ///
    /// # Errors
    /// [`ProcessorError::Placeholders`] where places and inputs differ in number, and those of the steps.
    pub fn prepare(
        &self,
        messages: &[Message],
        images: Vec<VisionInput>,
        videos: Vec<VisionInput>,
    ) -> Result<ModelInputs> {
        self.prepare_text(&self.render(messages, true)?, images, videos)
    }

    /// [`Processor::prepare`] for text that is already rendered, such as a prompt with its completion in training.
    ///
    /// # Errors
    /// As [`Processor::prepare`].
    pub fn prepare_text(&self, text: &str, images: Vec<VisionInput>, videos: Vec<VisionInput>) -> Result<ModelInputs> {
        let grids = |inputs: &[VisionInput]| inputs.iter().map(|input| input.grid_thw).collect::<Vec<_>>();
        let (image_grids, video_grids) = (grids(&images), grids(&videos));
        let (image_counts, video_counts) = (self.token_counts(&image_grids)?, self.token_counts(&video_grids)?);
        let tokens = &self.config.tokens;
        let input_ids = self.tokenizer.encode_expanded(
            text,
            &[
                Placeholder { kind: "image", id: tokens.image, counts: &image_counts },
                Placeholder { kind: "video", id: tokens.video, counts: &video_counts },
            ],
        )?;
        let missing = |index, found| ProcessorError::SecondPerGrid { index, found };
        let seconds = videos.iter().enumerate().map(|(i, v)| v.second_per_grid.ok_or_else(|| missing(i, None)));
        let seconds: Vec<f32> = seconds.collect::<Result<_>>()?;
        let (position_ids, rope_delta) =
            position_ids(&input_ids, &image_grids, &video_grids, &seconds, &self.config.mrope())?;
        Ok(ModelInputs { input_ids, position_ids, rope_delta, images, videos })
    }

    fn token_counts(&self, grids: &[[usize; 3]]) -> Result<Vec<usize>> {
        let merge = self.config.vision.spatial_merge_size;
        grids.iter().map(|&grid| Ok(mrope::merged_grid(grid, merge)?.iter().product())).collect()
    }

    /// The conversation as text, one placeholder for each picture; control tokens written in a message are neutralised.
    ///
    /// # Errors
    /// [`ProcessorError::Template`].
    pub fn render(&self, messages: &[Message], add_generation_prompt: bool) -> Result<String> {
        let safe = |content: &Content| match content {
            Content::Text(text) => Content::Text(self.tokenizer.neutralise(text)),
            other => other.clone(),
        };
        let messages: Vec<_> = messages
            .iter()
            .map(|m| Message::new(self.tokenizer.neutralise(&m.role), m.content.iter().map(safe).collect()))
            .collect();
        self.template.render(&messages, add_generation_prompt)
    }

    /// Text of token ids, without special tokens.
    ///
    /// # Errors
    /// [`ProcessorError::Tokenizer`].
    pub fn decode(&self, ids: &[u32]) -> Result<String> {
        self.tokenizer.decode(ids, true)
    }

    /// The network's configuration.
    pub fn config(&self) -> &ModelConfig {
        &self.config
    }

    /// The preprocessor's configuration.
    pub fn preprocessor(&self) -> &PreprocessorConfig {
        &self.preprocessor
    }

    /// The tokenizer.
    pub fn tokenizer(&self) -> &TextTokenizer {
        &self.tokenizer
    }
}
