//! What a robot's user says about its frames.

/// What a tracker is told by its user.
#[derive(Clone, Debug, PartialEq)]
pub struct TrackerSettings {
    /// The frame of the robot, for instance `base_link`.
    pub base_frame: String,
    /// Its height over the floor, metres; `None` = that of `base_footprint` where TF has it, else 0.
    pub base_height_m: Option<f64>,
    /// The frame that poses are given in; `None` = the topmost frame that the robot moves in.
    pub fixed_frame: Option<String>,
    /// The frame of images that name none.
    pub camera_frame: String,
    /// How much of every moving frame is remembered, seconds.
    pub history_secs: f64,
    /// A pose may be this much older than its picture, seconds.
    pub oldest_pose_secs: f64,
}

impl Default for TrackerSettings {
    /// `base_link`, `camera_optical_frame`, a minute, half a second.
    fn default() -> Self {
        Self {
            base_frame: "base_link".to_owned(),
            base_height_m: None,
            fixed_frame: None,
            camera_frame: "camera_optical_frame".to_owned(),
            history_secs: 60.0,
            oldest_pose_secs: 0.5,
        }
    }
}
