//! From `camera_info` to the camera of a picture that arrived: binning, region of interest, other sizes.
//!
//! `K` and `D` of `sensor_msgs/CameraInfo` describe the whole sensor at the size of the calibration; the picture may be a
//! part of it, binned, or scaled. What can't be told from the sizes is an error that names both.

use crate::{Camera, GeometryError, Lens};

/// Ratios of sides that differ by less are those of a picture that was scaled as a whole.
const SAME_ASPECT: f64 = 0.02;

/// A rectangle of the sensor in pixels: left, top, width, height. All zero stands for the whole sensor.
pub type Region = [u32; 4];

/// What a driver says about its camera: the fields of `sensor_msgs/CameraInfo`. Nothing in it is trusted.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CalibrationMessage {
    /// Width and height of the calibration, pixels.
    pub size: (u32, u32),
    /// Intrinsic matrix, row-major.
    pub k: [f64; 9],
    /// Projection matrix of the rectified picture, row-major.
    pub p: [f64; 12],
    /// Distortion model's name.
    pub distortion_model: String,
    /// Its parameters.
    pub d: Vec<f64>,
    /// Pixels joined along x and y; 0 = 1.
    pub binning: (u32, u32),
    /// The part of the sensor that was read.
    pub roi: Region,
}

/// A camera whose pictures may be bent by its lens.
#[derive(Clone, Debug, PartialEq)]
pub struct Calibration {
    /// The pinhole camera of the picture once it is straight.
    pub camera: Camera,
    /// How the picture is bent.
    pub lens: Lens,
}

impl CalibrationMessage {
    /// The calibration of a picture of `size` (width, height), pixels. `rectified`: the picture is straight already, so
    /// that `p` describes it.
    ///
    /// # Errors
    /// [`GeometryError::Camera`] for an uncalibrated camera, [`GeometryError::PictureSize`] where the picture's size has
    /// nothing to do with the calibration's.
    pub fn for_picture(&self, size: (u32, u32), rectified: bool) -> Result<Calibration, GeometryError> {
        let p = &self.p;
        let k = if rectified && p[0] > 0.0 { [p[0], p[1], p[2], p[4], p[5], p[6], 0.0, 0.0, 1.0] } else { self.k };
        let lens = if rectified { Lens::Pinhole } else { Lens::new(&self.distortion_model, &self.d) };
        Ok(Calibration { camera: self.placed(&k, size)?, lens })
    }

    /// The camera `k` as a picture of `size` has it.
    fn placed(&self, k: &[f64; 9], size: (u32, u32)) -> Result<Camera, GeometryError> {
        let whole = Camera::from_k(k, size.0, size.1)?;
        if self.size.0 == 0 || self.size.1 == 0 {
            // Of a driver that leaves its size out `k` is believed where the optical axis meets such a picture's middle.
            return if is_centred(&whole) { Ok(whole) } else { Err(self.other_size(size)) };
        }
        let (read, sent) = (self.read(), self.sent());
        if size == self.size && size != sent {
            // The driver sends the whole sensor and still speaks of a part.
            return Ok(whole);
        }
        let (sx, sy) = (f64::from(size.0) / f64::from(sent.0), f64::from(size.1) / f64::from(sent.1));
        if (sx / sy - 1.0).abs() > SAME_ASPECT {
            return Err(self.other_size(size));
        }
        let (bx, by) = self.binning();
        let (sx, sy) = (sx / f64::from(bx), sy / f64::from(by));
        let camera = Camera {
            fx: whole.fx * sx,
            fy: whole.fy * sy,
            cx: (whole.cx - f64::from(read[0])) * sx,
            cy: (whole.cy - f64::from(read[1])) * sy,
            ..whole
        };
        // Some drivers put the `k` of the binned picture beside the size of the sensor.
        if !is_centred(&camera) && is_centred(&whole) { Ok(whole) } else { Ok(camera) }
    }

    fn binning(&self) -> (u32, u32) {
        (self.binning.0.max(1), self.binning.1.max(1))
    }

    /// The part of the sensor that is read; never empty.
    fn read(&self) -> Region {
        match self.roi {
            [_, _, 0, _] | [_, _, _, 0] => [0, 0, self.size.0, self.size.1],
            roi => roi,
        }
    }

    /// The size of a picture that is sent.
    fn sent(&self) -> (u32, u32) {
        let ([_, _, width, height], (x, y)) = (self.read(), self.binning());
        ((width / x).max(1), (height / y).max(1))
    }

    fn other_size(&self, found: (u32, u32)) -> GeometryError {
        GeometryError::PictureSize { calibrated: self.size, sent: self.sent(), found }
    }
}

/// Whether the pictures of a topic are straight already, as `image_proc` names them (`image_rect`, `image_rect_color`).
pub fn is_rectified(topic: &str) -> bool {
    topic.trim_end_matches("/compressed").rsplit('/').next().is_some_and(|name| name.contains("rect"))
}

/// Whether the optical axis meets the middle half of the picture.
fn is_centred(camera: &Camera) -> bool {
    let middle = |centre: f64, side: u32| (0.25..=0.75).contains(&(centre / f64::from(side)));
    middle(camera.cx, camera.width) && middle(camera.cy, camera.height)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message() -> CalibrationMessage {
        CalibrationMessage {
            size: (640, 480),
            k: [320.0, 0.0, 320.0, 0.0, 320.0, 240.0, 0.0, 0.0, 1.0],
            p: [300.0, 0.0, 310.0, 0.0, 0.0, 300.0, 235.0, 0.0, 0.0, 0.0, 1.0, 0.0],
            distortion_model: "plumb_bob".to_owned(),
            d: vec![0.1, 0.0, 0.0, 0.0, 0.0],
            ..CalibrationMessage::default()
        }
    }

    fn numbers(message: &CalibrationMessage, size: (u32, u32)) -> [f64; 4] {
        let camera = message.for_picture(size, false).expect("fits").camera;
        assert_eq!((camera.width, camera.height), size);
        [camera.fx, camera.fy, camera.cx, camera.cy]
    }

    #[test]
    fn a_picture_of_another_size_has_the_same_view() {
        assert_eq!(numbers(&message(), (640, 480)), [320.0, 320.0, 320.0, 240.0]);
        assert_eq!(numbers(&message(), (320, 240)), [160.0, 160.0, 160.0, 120.0]);
        assert_eq!(numbers(&message(), (1280, 960)), [640.0, 640.0, 640.0, 480.0]);
    }

    #[test]
    fn binning_and_region_are_honoured() {
        let binned = CalibrationMessage { binning: (2, 2), ..message() };
        assert_eq!(numbers(&binned, (320, 240)), [160.0, 160.0, 160.0, 120.0]);
        let part = CalibrationMessage { roi: [160, 0, 320, 480], ..message() };
        assert_eq!(numbers(&part, (320, 480)), [320.0, 320.0, 160.0, 240.0]);
        let both = CalibrationMessage { roi: [160, 120, 320, 240], binning: (2, 2), ..message() };
        assert_eq!(numbers(&both, (160, 120)), [160.0, 160.0, 80.0, 60.0]);
        assert_eq!(numbers(&part, (640, 480)), [320.0, 320.0, 320.0, 240.0], "the whole sensor was sent");
    }

    #[test]
    fn drivers_that_lie_about_size_are_understood_where_the_axis_tells() {
        let of_binned = CalibrationMessage { size: (2560, 1920), binning: (4, 4), ..message() };
        assert_eq!(numbers(&of_binned, (640, 480)), [320.0, 320.0, 320.0, 240.0]);
        let sizeless = CalibrationMessage { size: (0, 0), ..message() };
        assert_eq!(numbers(&sizeless, (640, 480)), [320.0, 320.0, 320.0, 240.0]);
        assert!(sizeless.for_picture((1920, 1080), false).is_err());
    }

    #[test]
    fn a_picture_of_another_shape_or_no_calibration_is_an_error() {
        let error = message().for_picture((1280, 720), false).expect_err("16:9").to_string();
        assert!(error.contains("640x480") && error.contains("1280x720"), "{error}");
        let none = CalibrationMessage { k: [0.0; 9], ..message() };
        assert!(matches!(none.for_picture((640, 480), false), Err(GeometryError::Camera { name: "fx", .. })));
    }

    #[test]
    fn rectified_topics_are_known_by_name() {
        let found =
            ["/camera/image_rect", "/a/image_rect_color/compressed", "/rect/image_raw", "image_raw"].map(is_rectified);
        assert_eq!(found, [true, true, false, false]);
    }

    #[test]
    fn a_rectified_picture_is_straight_and_has_its_own_matrix() {
        let bent = message().for_picture((640, 480), false).expect("calibrated");
        assert_eq!(bent.lens.name(), "plumb_bob");
        let straight = message().for_picture((640, 480), true).expect("calibrated");
        assert_eq!((straight.lens, straight.camera.fx, straight.camera.cx), (Lens::Pinhole, 300.0, 310.0));
    }
}
