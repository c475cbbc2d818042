//! Settings, validated.

use std::path::PathBuf;

use frame_ring::StillSettings;
use model_dir::Prompts;

use crate::StartError;

/// What graphs run on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Device {
    /// The processor.
    #[default]
    Cpu,
    /// An NVIDIA GPU through CUDA, else the processor.
    Cuda,
    /// An NVIDIA GPU through TensorRT, for graphs of the `trt` profile, else through CUDA, else the processor. Engines are
    /// built at the first start, for minutes, and kept in the user's cache.
    TensorRt,
}

impl Device {
    /// The execution provider that it stands for, by ONNX Runtime's name.
    pub fn provider(self) -> &'static str {
        match self {
            Self::Cpu => "CPU",
            Self::Cuda => "CUDA",
            Self::TensorRt => "TensorRT",
        }
    }
}

impl std::str::FromStr for Device {
    type Err = StartError;

    fn from_str(name: &str) -> Result<Self, StartError> {
        match name.to_ascii_lowercase().as_str() {
            "cpu" => Ok(Self::Cpu),
            "cuda" => Ok(Self::Cuda),
            "tensorrt" => Ok(Self::TensorRt),
            _ => {
                let expected = "cpu, cuda or tensorrt";
                Err(StartError::Setting { name: "device", expected, found: name.to_owned() })
            }
        }
    }
}

/// Settings of a pipeline.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// The model directory.
    pub model: PathBuf,
    /// ONNX Runtime library; `None` searches the usual places.
    pub onnx_runtime: Option<PathBuf>,
    /// Threads of the engine; 0 = one for each core.
    pub threads: usize,
    /// What the graphs are to run on.
    pub device: Device,
    /// Refuse the model where that device can't be had, instead of running it on the processor.
    pub require_device: bool,
    /// Questions that may wait; more are refused with `BUSY` (`reject_new`).
    pub queue_capacity: usize,
    /// Frames that an answer looks at, newest last; 0 = as many as the model was trained on. While the next window is being
    /// read ahead, up to `hop_frames` more.
    pub window_frames: usize,
    /// Frames that leave a full window when the next one comes; even, as `window_frames` must be then. A window so has
    /// `window_frames - hop_frames + 1` to `window_frames` frames, most of which are read when a question comes. 0 is
    /// the whole window: it is always the newest `window_frames`, and is read anew with every frame.
    pub hop_frames: usize,
    /// Most frames kept per second; 0 = the rate that the model was trained on.
    pub frame_rate_hz: f64,
    /// Which of these show nothing new and are left out; `None` keeps all. A still scene is kept again after half of
    /// `stale_after_secs` at the latest, so that it never goes stale.
    pub still: Option<StillSettings>,
    /// The newest frame may be this old, seconds since it was received.
    pub stale_after_secs: f64,
    /// Deadline of questions that state none, seconds.
    pub deadline_secs: f64,
    /// Longest completion, tokens.
    pub max_new_tokens: usize,
    /// Encode frames and read the prompt up to them as they come, not when a question does.
    pub hot_prefix: bool,
    /// Let completions be nothing but `<think>…<map>…</map></think><answer>…</answer>` with an answer of the kind that
    /// is asked for.
    pub constrained: bool,
    /// Draft tokens that stood in the prompt or the completion before; pays for models larger than `spacer-nano`.
    pub draft: bool,
}

impl Settings {
    /// The defaults for a model directory: its own window of frames, 8 waiting questions.
    pub fn new(model: impl Into<PathBuf>) -> Self {
        Self {
            model: model.into(),
            onnx_runtime: None,
            threads: 0,
            device: Device::Cpu,
            require_device: false,
            queue_capacity: 8,
            window_frames: 0,
            hop_frames: 0,
            frame_rate_hz: 0.0,
            still: Some(StillSettings::default()),
            stale_after_secs: 3.0,
            deadline_secs: 30.0,
            max_new_tokens: 512,
            hot_prefix: true,
            constrained: true,
            draft: false,
        }
    }

    /// These settings with the model's window where they leave it open. A model that can't be read has the usual one: what
    /// is wrong with it is said where it is loaded.
    #[must_use]
    pub fn with_models_window(mut self) -> Self {
        let window = Prompts::read(&self.model.join("prompts.toml")).map(|prompts| prompts.window).unwrap_or_default();
        if self.window_frames == 0 {
            self.window_frames = window.frames;
        }
        if self.frame_rate_hz == 0.0 {
            self.frame_rate_hz = window.rate_hz;
        }
        self
    }

    /// Frames that leave a full window at once.
    pub(crate) fn hop(&self) -> usize {
        if self.hop_frames == 0 { self.window_frames } else { self.hop_frames }
    }

    /// Frames that the ring must hold: a window, and those that come while the next one is being read.
    pub(crate) fn ring_frames(&self) -> usize {
        let hop = self.hop();
        if hop < self.window_frames { self.window_frames + hop } else { self.window_frames }
    }

    pub(crate) fn still(&self) -> Option<StillSettings> {
        let longest_secs = self.stale_after_secs / 2.0;
        self.still.map(|still| StillSettings { longest_gap_secs: still.longest_gap_secs.min(longest_secs), ..still })
    }

    pub(crate) fn validate(&self) -> Result<(), StartError> {
        let counts = [
            ("queue_capacity", self.queue_capacity, 4096),
            ("window_frames", self.window_frames, 768),
            ("max_new_tokens", self.max_new_tokens, 1 << 20),
        ];
        for (name, found, most) in counts {
            if found == 0 || found > most {
                let expected = "a number of at least 1 and within reason";
                return Err(StartError::Setting { name, expected, found: found.to_string() });
            }
        }
        let (rate, stale, deadline) = (self.frame_rate_hz, self.stale_after_secs, self.deadline_secs);
        for (name, found) in [("frame_rate_hz", rate), ("stale_after_secs", stale), ("deadline_secs", deadline)] {
            if !(found.is_finite() && found > 0.0) {
                let expected = "a positive finite number";
                return Err(StartError::Setting { name, expected, found: found.to_string() });
            }
        }
        self.validate_hop()
    }

    fn validate_hop(&self) -> Result<(), StartError> {
        let (window, hop) = (self.window_frames, self.hop_frames);
        if hop == 0 || (hop <= window && hop % 2 == 0 && window % 2 == 0) {
            return Ok(());
        }
        let expected = "0, or an even number of at most window_frames, which is even then";
        let found = format!("{hop} with window_frames {window}");
        Err(StartError::Setting { name: "hop_frames", expected, found })
    }
}
