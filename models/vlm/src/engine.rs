//! The loaded model: three graphs whose signatures fit the configuration, and the tokenizer.

use std::path::{Path, PathBuf};

use model_dir::Files;
use processor::config::ModelConfig;
use processor::tokens::TextTokenizer;

use crate::constraint::Grammars;
use crate::error::{Error, Result};
use crate::fixed::FixedShapes;
use crate::graph::Graph;
use crate::ports::{self, layer_names};
use crate::providers::{self, Provider, Refusal};
use crate::runtime;
use crate::tensor::Place;

/// How to load and run.
#[derive(Debug, Clone, PartialEq)]
pub struct EngineSettings {
    /// Threads for one operation; 0 is one for each core.
    pub threads: usize,
    /// Lets threads wait for the next operation of a run by spinning, which makes decoding about a tenth faster; between
    /// runs they sleep.
    pub spin: bool,
    /// The ONNX Runtime library; `None` searches (see [`runtime::init`]).
    pub library: Option<PathBuf>,
    /// Folder of `tokenizer.json`; `None` takes the model directory that `onnx/` lies in,
    /// or `onnx/` itself, where an export puts a copy.
    pub tokenizer_dir: Option<PathBuf>,
    /// Execution providers, the best first; by default the processor alone. See [`Provider::ladder`].
    pub providers: Vec<Provider>,
    /// Name of the provider ([`Provider::name`]) without which loading is an error; `None` takes the first that works.
    pub require_provider: Option<String>,
}

impl Default for EngineSettings {
    fn default() -> Self {
        Self {
            threads: 0,
            spin: true,
            library: None,
            tokenizer_dir: None,
            providers: vec![Provider::Cpu],
            require_provider: None,
        }
    }
}

/// Sizes that the graphs must agree on.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Dimensions {
    pub(crate) hidden: usize,
    pub(crate) layers: usize,
    pub(crate) kv_heads: usize,
    pub(crate) head_dim: usize,
    pub(crate) vocab: usize,
    /// Context length in tokens.
    pub(crate) context: usize,
    /// Patches per merge block's side.
    pub(crate) merge: usize,
    /// Values of one flattened patch: channels · frames · side².
    pub(crate) patch_values: usize,
    pub(crate) image_token_id: u32,
    pub(crate) video_token_id: u32,
}

impl Dimensions {
    fn from_config(config: &ModelConfig) -> Self {
        let text = &config.text;
        Self {
            hidden: text.hidden_size,
            layers: text.num_hidden_layers,
            kv_heads: text.num_key_value_heads,
            head_dim: text.head_dim,
            vocab: text.vocab_size,
            context: text.max_position_embeddings,
            merge: config.vision.spatial_merge_size,
            patch_values: config.vision.patch_dim(),
            image_token_id: config.tokens.image,
            video_token_id: config.tokens.video,
        }
    }
}

/// Input of `model.onnx`, \[1\] i64: how many of the last positions get logits, all at 0.
pub(crate) const LOGITS_TO_KEEP: &str = "logits_to_keep";

/// The export profile of the graphs.
#[derive(Debug)]
pub(crate) enum Profile {
    /// `ort`: positions and mask in, a cache of any length.
    Growing,
    /// `trt`: shapes that don't change.
    Fixed(Box<FixedShapes>),
}

impl Profile {
    /// Length of every cache, where the graphs fix it.
    pub(crate) fn fixed_capacity(&self) -> Option<usize> {
        match self {
            Self::Growing => None,
            Self::Fixed(fixed) => Some(fixed.capacity),
        }
    }
}

/// A model on ONNX Runtime. Shared by reference: its methods take `&self`, and
/// vision and decoder may run at the same time on two threads.
#[derive(Debug)]
pub struct Engine {
    pub(crate) vision: Graph,
    pub(crate) embedding: Graph,
    pub(crate) model: Graph,
    pub(crate) dims: Dimensions,
    pub(crate) profile: Profile,
    /// Where KV caches live.
    pub(crate) kv_place: Place,
    pub(crate) tokens: TextTokenizer,
    pub(crate) grammars: Grammars,
    eos_ids: Vec<u32>,
    providers: Vec<Provider>,
    refusals: Vec<Refusal>,
    /// `past_key_values.N.key`, `.value` in the order of a KV cache.
    pub(crate) past_names: Vec<String>,
    /// `present.N.key`, `.value` in the same order.
    pub(crate) present_names: Vec<String>,
    /// Their output indices in `model`.
    pub(crate) present: Vec<usize>,
    /// Output indices of `logits`, `image_features`, `inputs_embeds` in their graphs.
    pub(crate) logits: usize,
    pub(crate) image_features: usize,
    pub(crate) inputs_embeds: usize,
    /// Whether `model.onnx` gives logits for each position, not only for the last.
    pub(crate) logits_of_all: bool,
    /// Whether `model.onnx` can be told how many of the last positions need logits.
    pub(crate) keeps_logits: bool,
}

impl Engine {
    /// Loads `vision.onnx`, `embedding.onnx` and `model.onnx` of `onnx_dir` and checks
    /// their inputs and outputs against `config`.
    ///
    /// # Errors
    /// As [`Engine::load_files`]; `Processor` (tokenizer).
    pub fn load(onnx_dir: &Path, config: &ModelConfig, settings: &EngineSettings) -> Result<Self> {
        let tokens = load_tokens(onnx_dir, settings)?;
        Self::load_files(&Files::unverified(onnx_dir), config, tokens, settings)
    }

    /// As [`Engine::load`], of the files of an export as they were verified, with the tokenizer `tokens`.
    ///
    /// # Errors
    /// [`crate::Error`]: `NoRuntime`, `MissingFile`, `File` (not what the manifest lists), `MalformedFile`, `Memory` (more
    /// weights than fit), `Load` (truncated or too new), `Signature` (another checkpoint's graph), `Provider` (one required
    /// and refused, or all refused).
    pub fn load_files(
        files: &Files,
        config: &ModelConfig,
        tokens: TextTokenizer,
        settings: &EngineSettings,
    ) -> Result<Self> {
        runtime::init(settings.library.as_deref())?;
        let mut dims = Dimensions::from_config(config);
        let probed = providers::probe(&settings.providers)?;
        let ([vision, embedding, model], providers, refusals) = providers::load_graphs(probed, |usable| {
            let load = |name, settings| Graph::load(files, name, settings, usable);
            // A table look-up gains nothing from threads, and waking them costs every token.
            let one_thread = EngineSettings { threads: 1, ..settings.clone() };
            Ok([load("vision.onnx", settings)?, load("embedding.onnx", &one_thread)?, load("model.onnx", settings)?])
        })?;
        check_required(settings, &providers, &refusals)?;
        let fixed = FixedShapes::of(&model, config);
        let profile = fixed.map_or(Profile::Growing, |fixed| Profile::Fixed(Box::new(fixed)));
        dims.context = dims.context.min(profile.fixed_capacity().unwrap_or(usize::MAX));
        ports::check(&dims, &profile, [&vision, &embedding, &model])?;
        let present_names = layer_names("present", dims.layers);
        let logits = model.output_index("logits")?;
        Ok(Self {
            logits,
            logits_of_all: model.outputs[logits].dtype.tensor_shape().is_none_or(|shape| shape.get(1) != Some(&1)),
            keeps_logits: model.has_optional(LOGITS_TO_KEEP),
            image_features: vision.output_index("image_features")?,
            inputs_embeds: embedding.output_index("inputs_embeds")?,
            present: present_names.iter().map(|name| model.output_index(name)).collect::<Result<_>>()?,
            past_names: layer_names("past_key_values", dims.layers),
            present_names,
            kv_place: kv_place(&profile, &providers),
            profile,
            vision,
            embedding,
            model,
            dims,
            tokens,
            grammars: Grammars::default(),
            eos_ids: config.tokens.eos.clone(),
            providers,
            refusals,
        })
    }

    /// Name of the execution provider in use: the first of the settings that wasn't refused.
    pub fn provider(&self) -> &'static str {
        self.providers.first().map_or("none", Provider::name)
    }

    /// Providers of the settings that were refused, with their reasons.
    pub fn refusals(&self) -> &[Refusal] {
        &self.refusals
    }

    /// Bytes of vision tower, token table and decoder, each with its weights; what two of them share counts twice.
    pub fn graph_bytes(&self) -> [u64; 3] {
        [&self.vision, &self.embedding, &self.model].map(|graph| graph.bytes)
    }

    /// The tokenizer that completions are decoded with.
    pub fn tokens(&self) -> &TextTokenizer {
        &self.tokens
    }

    /// Tokens that end a completion according to the configuration; for
    /// `GenerateSettings::eos_ids`.
    pub fn eos_ids(&self) -> &[u32] {
        &self.eos_ids
    }

    /// Whether `id` stands for a picture's or a video's vision tokens.
    pub(crate) fn is_placeholder(&self, id: u32) -> bool {
        id == self.dims.image_token_id || id == self.dims.video_token_id
    }

    /// Context length in tokens, prompt and completion together; the configuration's, or the cache's where the graphs fix it.
    pub fn context(&self) -> usize {
        self.dims.context
    }
}

/// Graphs of the `ort` profile append in place, so on CUDA their caches stay on the device.
fn kv_place(profile: &Profile, providers: &[Provider]) -> Place {
    match (profile, providers.first()) {
        (Profile::Growing, Some(Provider::Cuda(settings))) => Place::Cuda { device_id: settings.device_id },
        _ => Place::Host,
    }
}

fn check_required(settings: &EngineSettings, providers: &[Provider], refusals: &[Refusal]) -> Result<()> {
    let Some(required) = &settings.require_provider else { return Ok(()) };
    let used = providers.first().map_or("none", Provider::name);
    if used == required {
        return Ok(());
    }
    let refusals = match refusals {
        [] => format!("none, and {used} in use, the first of the settings"),
        some => format!("{}; {used} in use", providers::list(some)),
    };
    Err(Error::Provider { expected: required.clone(), refusals })
}

fn load_tokens(onnx_dir: &Path, settings: &EngineSettings) -> Result<TextTokenizer> {
    let beside = onnx_dir.parent().filter(|folder| folder.join("tokenizer.json").is_file());
    let folder = settings.tokenizer_dir.as_deref().or(beside).unwrap_or(onnx_dir);
    Ok(TextTokenizer::from_dir(folder)?)
}
