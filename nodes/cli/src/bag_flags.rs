//! The flags that say which camera of a bag is meant, and what it stands on.

use anyhow::Result;
use geometry::TrackerSettings;

use std::path::PathBuf;

use crate::bag_frames::{BagFrames, NamedTopics};

/// A bag and its camera.
#[derive(clap::Args)]
pub struct BagFlags {
    /// A rosbag2 folder, or a file of one (.mcap, .db3, also compressed by zstd); its camera_info and TF tell what the
    /// flags about the camera leave open.
    #[arg(long, group = "source")]
    pub bag: Option<PathBuf>,
    /// Image topic of the bag; needed where it has several cameras.
    #[arg(long, requires = "bag")]
    topic: Option<String>,
    /// Odometry topic of the bag; chosen by its name and frames where it has several, if not said.
    #[arg(long, requires = "bag", value_name = "NAME")]
    odom: Option<String>,
    /// Frame of the robot in the bag's TF.
    #[arg(long, requires = "bag", default_value = "base_link")]
    base_frame: String,
    /// Height of that frame over the floor, metres; that of base_footprint where the bag's TF has it, else 0, if not said.
    #[arg(long, requires = "bag", allow_negative_numbers = true)]
    base_height: Option<f64>,
}

impl BagFlags {
    /// Opens the bag, where one is named.
    pub fn open(&self) -> Option<Result<BagFrames>> {
        let base_frame = self.base_frame.clone();
        let settings = TrackerSettings { base_frame, base_height_m: self.base_height, ..TrackerSettings::default() };
        let named = NamedTopics { image: self.topic.as_deref(), odometry: self.odom.as_deref() };
        self.bag.as_ref().map(|bag| BagFrames::open(bag, named, settings))
    }
}
