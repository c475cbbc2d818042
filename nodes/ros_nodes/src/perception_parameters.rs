//! The parameters of `perception_node`, as written, and the settings made of them.

use std::path::PathBuf;

use anyhow::bail;
use perception::{Settings, StillSettings};
use r2r::RosParams;

use crate::placed_map::MapFrames;

/// As written; `launch/config/parameters.toml` describes each.
#[derive(RosParams, Debug, Clone)]
pub struct Parameters {
    /// Model directory
    pub model_dir: String,
    /// ONNX Runtime library; empty = ORT_DYLIB_PATH, then the system's
    pub ort_library: String,
    /// Frames a question is asked about; 0 = as many as the model was trained on
    pub window_frames: u32,
    /// Frames that leave a full window at once; 0 = all, the window is then always the newest frames
    pub hop_frames: u32,
    /// Frames a second kept for the window, in Hz; 0 = the rate that the model was trained on
    pub frame_rate_hz: f64,
    /// Mean luma difference to the last kept frame below which a frame shows nothing new, 0 to 255; 0 keeps all
    pub still_luma: f64,
    /// Way of the robot below which such a frame is skipped, in m
    pub still_move_m: f64,
    /// Turn of the robot below which such a frame is skipped, in deg
    pub still_turn_deg: f64,
    /// Longest time that frames are skipped because they show nothing new, in s
    pub still_gap_secs: f64,
    /// Questions that wait; more are answered BUSY
    pub queue_capacity: u32,
    /// Older newest frames are answered STALE_FRAMES, in s
    pub max_frame_age_secs: f64,
    /// Limit of a question that states none, in s
    pub deadline_secs: f64,
    /// Frame of the robot
    pub base_frame: String,
    /// Optical frame of the camera, for images without a frame_id
    pub camera_frame: String,
    /// Frame the imagined map is placed in
    pub fixed_frame: String,
    /// Threads of ONNX Runtime; 0 = its own choice
    pub threads: u32,
    /// What the model runs on: cpu, cuda or tensorrt
    pub device: String,
    /// Refuse the model where that device can't be had
    pub require_device: bool,
    /// Encode frames as they come, so that a question pays for its own words only
    pub hot_prefix: bool,
    /// Let the model write nothing but the answer format
    pub constrained: bool,
    /// Draft tokens that stood in the prompt or the completion before
    pub draft: bool,
}

impl Default for Parameters {
    fn default() -> Self {
        let still = StillSettings::default();
        Self {
            model_dir: String::new(),
            ort_library: String::new(),
            window_frames: 0,
            hop_frames: 0,
            frame_rate_hz: 0.0,
            still_luma: still.luma,
            still_move_m: still.move_m,
            still_turn_deg: still.turn_deg,
            still_gap_secs: still.longest_gap_secs,
            queue_capacity: 8,
            max_frame_age_secs: 5.0,
            deadline_secs: 30.0,
            base_frame: "base_link".to_owned(),
            camera_frame: "camera_optical_frame".to_owned(),
            fixed_frame: "odom".to_owned(),
            threads: 0,
            device: "cpu".to_owned(),
            require_device: false,
            hot_prefix: true,
            constrained: true,
            draft: false,
        }
    }
}

impl Parameters {
    /// The pipeline's settings. Numbers out of range are refused by the pipeline itself.
    ///
    /// # Errors
    /// When no model directory is named.
    pub fn settings(&self) -> anyhow::Result<Settings> {
        if self.model_dir.is_empty() {
            bail!("model_dir: expected a model directory, found nothing; add `-p model_dir:=models/zoo/spacer-nano`");
        }
        let library = Some(PathBuf::from(&self.ort_library)).filter(|path| !path.as_os_str().is_empty());
        Ok(Settings {
            onnx_runtime: library,
            threads: self.threads as usize,
            queue_capacity: self.queue_capacity as usize,
            window_frames: self.window_frames as usize,
            hop_frames: self.hop_frames as usize,
            frame_rate_hz: self.frame_rate_hz,
            still: self.still(),
            stale_after_secs: self.max_frame_age_secs,
            deadline_secs: self.deadline_secs,
            device: self.device.parse()?,
            require_device: self.require_device,
            hot_prefix: self.hot_prefix,
            constrained: self.constrained,
            draft: self.draft,
            ..Settings::new(&self.model_dir)
        })
    }

    fn still(&self) -> Option<StillSettings> {
        let still = StillSettings {
            luma: self.still_luma,
            move_m: self.still_move_m,
            turn_deg: self.still_turn_deg,
            longest_gap_secs: self.still_gap_secs,
        };
        // No difference is below 0.
        (self.still_luma != 0.0).then_some(still)
    }

    /// The frames that maps are published in.
    pub fn map_frames(&self) -> MapFrames {
        MapFrames { fixed: self.fixed_frame.clone(), base: self.base_frame.clone() }
    }
}
