//! A model directory under measurement.

use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result};
use processor::{Content, Message, ModelInputs, Processor, RgbView};
use vlm::{Engine, EngineSettings, GenerateSettings, Provider};

/// Both programs of a comparison use as many threads.
pub(super) const THREADS: usize = 2;

pub(crate) struct Model {
    pub(super) name: String,
    pub(super) processor: Processor,
    pub(super) engine: Engine,
    /// Bytes of the decoder's weights, nearly all of which every token reads.
    pub(super) decoder_bytes: u64,
    /// Bytes of the graphs and their weights.
    pub(super) file_bytes: u64,
    /// Resident memory that loading added, bytes.
    pub(super) resident_bytes: u64,
}

impl Model {
    /// On the processor.
    pub(super) fn load(folder: &Path) -> Result<Self> {
        Self::load_on(folder, vec![Provider::Cpu])
    }

    /// On the first of `providers`, or not at all.
    pub(crate) fn load_on(folder: &Path, providers: Vec<Provider>) -> Result<Self> {
        let processor = Processor::from_dir(folder)?;
        let before = resident_bytes()?;
        let require_provider = providers.first().map(|provider| provider.name().to_owned());
        let settings = EngineSettings { threads: THREADS, providers, require_provider, ..EngineSettings::default() };
        let engine = Engine::load(&folder.join("onnx"), processor.config(), &settings)?;
        let resident_bytes = resident_bytes()?.saturating_sub(before);
        let graph_bytes = engine.graph_bytes();
        let name = folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        Ok(Self {
            name,
            processor,
            engine,
            decoder_bytes: graph_bytes[2],
            file_bytes: graph_bytes.iter().sum(),
            resident_bytes,
        })
    }

    /// A prompt of `tokens` tokens without pictures.
    pub(super) fn text(&self, tokens: usize) -> ModelInputs {
        let ids = self.ids(tokens);
        let positions: Vec<i64> = (0..tokens as i64).collect();
        ModelInputs {
            input_ids: ids,
            position_ids: [positions.clone(), positions.clone(), positions],
            rope_delta: 0,
            images: Vec::new(),
            videos: Vec::new(),
        }
    }

    /// `tokens` tokens of no meaning, the same for every program.
    pub(super) fn ids(&self, tokens: usize) -> Vec<u32> {
        let usable = (self.processor.config().text.vocab_size as u32 / 2).max(1);
        (0..tokens as u32).map(|i| i.wrapping_mul(2_654_435_761) % usable).collect()
    }

    /// A question about a video of `frames`.
    pub(super) fn question(&self, frames: &[Vec<u8>], size: (usize, usize), words: &str) -> Result<ModelInputs> {
        let (width, height) = size;
        let views =
            frames.iter().map(|data| RgbView::new(width, height, data)).collect::<processor::Result<Vec<_>>>()?;
        let video = self.processor.video(&views, 2.0)?;
        let user = Message::new("user", vec![Content::Video, Content::Text(words.to_owned())]);
        Ok(self.processor.prepare(&[Message::text("system", "You see a room."), user], vec![], vec![video])?)
    }
}

/// Greedy, to the last of `tokens` tokens.
pub(super) fn greedy(tokens: usize) -> GenerateSettings {
    GenerateSettings { max_new_tokens: tokens, ..GenerateSettings::default() }
}

/// What `work` gives, and the seconds it took.
pub(super) fn timed<T>(work: impl FnOnce() -> Result<T>) -> Result<(T, f64)> {
    let start = Instant::now();
    let result = work()?;
    Ok((result, start.elapsed().as_secs_f64()))
}

/// Memory of this process in the machine's, bytes.
fn resident_bytes() -> Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("/proc/self/status has no VmRSS")?;
    Ok(line.trim_end_matches("kB").trim().parse::<u64>()? * 1024)
}
