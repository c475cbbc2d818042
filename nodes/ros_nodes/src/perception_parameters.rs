//! The parameters of `perception_node`, as written, and the settings made of them.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use geometry::TrackerSettings;
use perception::{Settings, StillSettings};
use r2r::RosParams;

use crate::placed_map::MapFrames;

/// No robot's base is so high over the floor, metres.
const HIGHEST_BASE_M: f64 = 100.0;

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
    /// Height of that frame over the floor, in m; negative = that of base_footprint where TF has it, else 0
    pub base_height_m: f64,
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
            base_height_m: -1.0,
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
        if self.base_height_m.is_nan() || self.base_height_m >= HIGHEST_BASE_M {
            let found = self.base_height_m;
            bail!(
                "base_height_m: expected metres below {HIGHEST_BASE_M}, or a negative number for none, found {found}"
            );
        }
        for (name, found) in [
            ("still_luma", self.still_luma),
            ("still_move_m", self.still_move_m),
            ("still_turn_deg", self.still_turn_deg),
            ("still_gap_secs", self.still_gap_secs),
        ] {
            if !(found >= 0.0 && found.is_finite()) {
                bail!("{name}: expected a finite number from 0 on, found {found}");
            }
        }
        if !(self.max_frame_age_secs > 0.0 && self.max_frame_age_secs.is_finite()) {
            bail!("max_frame_age_secs: expected seconds above 0, found {}", self.max_frame_age_secs);
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
            ..Settings::new(self.absolute_model_dir()?)
        })
    }

    /// A relative folder is one of the folder that the node was started in.
    fn absolute_model_dir(&self) -> anyhow::Result<PathBuf> {
        let path = std::path::absolute(&self.model_dir).context("model_dir")?;
        if !path.exists() && Path::new(&self.model_dir).is_relative() {
            let started_in = std::env::current_dir().unwrap_or_default();
            tracing::warn!("model_dir {} was looked up in {}", self.model_dir, started_in.display());
        }
        Ok(path)
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

    /// What the camera's tracker is told.
    pub fn tracker_settings(&self) -> TrackerSettings {
        TrackerSettings {
            base_frame: self.base_frame.clone(),
            base_height_m: Some(self.base_height_m).filter(|height| *height >= 0.0),
            fixed_frame: Some(self.fixed_frame.clone()),
            camera_frame: self.camera_frame.clone(),
            ..TrackerSettings::default()
        }
    }

    /// The frames that maps are published in.
    pub fn map_frames(&self) -> MapFrames {
        MapFrames { fixed: self.fixed_frame.clone(), base: self.base_frame.clone() }
    }
}
