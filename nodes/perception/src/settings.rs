//! Settings, validated.

use std::path::PathBuf;

use crate::StartError;

/// What graphs run on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Device {
    /// The processor.
    #[default]
    Cpu,
    /// An NVIDIA GPU through CUDA, else the processor.
    Cuda,
}

impl std::str::FromStr for Device {
    type Err = StartError;

    fn from_str(name: &str) -> Result<Self, StartError> {
        match name {
            "cpu" => Ok(Self::Cpu),
            "cuda" => Ok(Self::Cuda),
            other => Err(StartError::Setting { name: "device", expected: "cpu or cuda", found: other.to_owned() }),
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
    /// Frames that an answer looks at, newest last.
    pub window_frames: usize,
    /// Frames kept per second.
    pub frame_rate_hz: f64,
    /// Width and height of the camera's frames, pixels.
    pub camera_size: (u32, u32),
    /// The newest frame may be this old, seconds since it was received.
    pub stale_after_secs: f64,
    /// Deadline of questions that state none, seconds.
    pub deadline_secs: f64,
    /// Longest completion, tokens.
    pub max_new_tokens: usize,
    /// Encode frames and read the prompt up to them as they come, not when a question does.
    pub hot_prefix: bool,
}

impl Settings {
    /// The defaults for a model directory: 8 frames at 2 Hz from a 640x480 camera, 8 waiting questions.
    pub fn new(model: impl Into<PathBuf>) -> Self {
        Self {
            model: model.into(),
            onnx_runtime: None,
            threads: 0,
            device: Device::Cpu,
            require_device: false,
            queue_capacity: 8,
            window_frames: 8,
            frame_rate_hz: 2.0,
            camera_size: (640, 480),
            stale_after_secs: 3.0,
            deadline_secs: 30.0,
            max_new_tokens: 512,
            hot_prefix: true,
        }
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
        Ok(())
    }
}
