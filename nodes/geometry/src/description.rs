//! What is known of a camera, put into words.

use crate::{Calibration, CameraReport, CameraView, Fact, GeometryError, Lens, Mounting, QuarterTurn};

/// What a report is made of.
pub(crate) struct Description<'a> {
    pub view: &'a CameraView,
    pub image_frame: &'a str,
    /// `None` where no calibration came.
    pub calibration: Option<Result<&'a Calibration, &'a GeometryError>>,
    pub mounting: Result<&'a Mounting, &'a GeometryError>,
    /// What the height was taken from.
    pub over: &'a str,
}

impl Description<'_> {
    /// The report, but for the pose.
    pub fn report(&self) -> CameraReport {
        CameraReport {
            picture: Some(self.view.size),
            fov: self.fov(),
            height: self.mounted(|mounting| mounting.height_m, self.over),
            pitch: self.mounted(|mounting| mounting.pitch_deg, "TF"),
            roll: self.mounted(|mounting| mounting.roll_deg, "TF"),
            lens: self.lens(),
            view: self.turned(),
            pose: String::new(),
        }
    }

    fn fov(&self) -> Fact {
        match self.calibration {
            None => Fact::unknown("no camera_info"),
            Some(Err(GeometryError::Camera { .. })) => Fact::unknown("camera_info of an uncalibrated camera"),
            Some(Err(error)) => Fact::unknown(error.to_string()),
            Some(Ok(Calibration { lens: Lens::Unknown(name), .. })) => {
                Fact::unknown(format!("the lens model {name:?} is not known here"))
            }
            Some(Ok(_)) => Fact::known(self.view.horizontal_fov_rad().unwrap_or_default().to_degrees(), "camera_info"),
        }
    }

    fn mounted(&self, read: fn(&Mounting) -> f64, source: &str) -> Fact {
        match self.mounting {
            Ok(mounting) => Fact::known(read(mounting), source),
            Err(error) => Fact::unknown(format!("TF: {error}")),
        }
    }

    fn lens(&self) -> String {
        match self.view.calibration.as_ref().map(|found| &found.lens) {
            None => "unknown".to_owned(),
            Some(Lens::Pinhole) => "straight".to_owned(),
            Some(Lens::Unknown(name)) => format!("bent by {name:?}, which is not known here: pictures stay bent"),
            Some(lens) => format!("{}, straightened", lens.name()),
        }
    }

    fn turned(&self) -> String {
        let mut parts = Vec::new();
        if self.mounting.is_ok_and(|mounting| mounting.is_body_frame) {
            let z = if self.view.turn == QuarterTurn::Half { "down and its x ahead" } else { "up" };
            parts.push(format!("{} is no optical frame (its z points {z}): taken as x forward", self.image_frame));
        }
        if self.view.mirrored {
            parts.push("mirrored: left and right are swapped".to_owned());
        }
        let why = if self.mounting.is_err() || self.view.mirrored { ", as their files say" } else { "" };
        match self.view.turn {
            QuarterTurn::None => {}
            QuarterTurn::Half => parts.push(format!("upside down: pictures are turned by 180 degrees{why}")),
            QuarterTurn::Left => parts.push(format!("on its side: pictures are turned left by 90 degrees{why}")),
            QuarterTurn::Right => parts.push(format!("on its side: pictures are turned right by 90 degrees{why}")),
        }
        parts.join("; ")
    }
}
