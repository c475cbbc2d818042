//! How the pictures of a camera are to be seen: turned upright, and straight.

use nalgebra::UnitQuaternion;

use crate::{Calibration, ExifTurn, Lens, Mounting, QuarterTurn};

/// How the pictures of a camera are to be seen. Two equal views map pixels alike.
#[derive(Clone, Debug, PartialEq)]
pub struct CameraView {
    /// Width and height of the pictures as sent, pixels.
    pub size: (u32, u32),
    /// Left and right are swapped in them; undone ahead of the turn.
    pub mirrored: bool,
    /// The turn that makes them upright.
    pub turn: QuarterTurn,
    /// The camera and its lens, of the pictures as sent, where known.
    pub calibration: Option<Calibration>,
    /// Takes points of the upright picture's optical frame to the frame of the images.
    pub image_frame_from_optical: UnitQuaternion<f64>,
}

impl CameraView {
    /// Of pictures of `size`, as far as the camera and its mounting are known; `exif`: what their files say. Calibration
    /// and mounting are of the pixels as stored.
    pub fn new(
        size: (u32, u32),
        calibration: Option<Calibration>,
        mounting: Option<&Mounting>,
        exif: ExifTurn,
    ) -> Self {
        let ExifTurn { mirrored, turn } = exif.beside(mounting.map(|mounting| mounting.turn));
        let image_frame_from_optical =
            mounting.map_or_else(|| turn.sent_from_upright(), |mounting| mounting.image_frame_from_optical);
        Self { size, mirrored, turn, calibration, image_frame_from_optical }
    }

    /// Whether pictures are to be seen as they are sent.
    pub fn is_as_sent(&self) -> bool {
        self.turn == QuarterTurn::None && !self.mirrored && !self.straightens()
    }

    /// Whether the lens bends pictures in a way that is undone.
    pub fn straightens(&self) -> bool {
        self.calibration.as_ref().is_some_and(|found| matches!(found.lens, Lens::Polynomial(_) | Lens::Equidistant(_)))
    }

    /// Width and height of the upright picture, pixels.
    pub fn upright_size(&self) -> (u32, u32) {
        self.turn.size(self.size)
    }

    /// Where a point of the upright, straight picture is in the picture as sent; pixels, centres at half integers.
    pub fn as_sent(&self, upright: [f64; 2]) -> [f64; 2] {
        let straight = ExifTurn { mirrored: self.mirrored, turn: self.turn }.as_sent(upright, self.size);
        let Some(Calibration { camera, lens }) = &self.calibration else { return straight };
        if *lens == Lens::Pinhole {
            return straight;
        }
        // OpenCV's pixel centres, which K is given for, are whole numbers.
        let ray = [(straight[0] - 0.5 - camera.cx) / camera.fx, (straight[1] - 0.5 - camera.cy) / camera.fy];
        let [x, y] = lens.distort(ray);
        [x * camera.fx + camera.cx + 0.5, y * camera.fy + camera.cy + 0.5]
    }

    /// Horizontal field of view of the upright, straight picture, radians, where the camera is known.
    pub fn horizontal_fov_rad(&self) -> Option<f64> {
        let camera = &self.calibration.as_ref()?.camera;
        Some(match self.turn {
            QuarterTurn::None | QuarterTurn::Half => camera.horizontal_fov_rad(),
            QuarterTurn::Left | QuarterTurn::Right => camera.vertical_fov_rad(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::CalibrationMessage;

    fn view(d: &[f64], turn: QuarterTurn) -> CameraView {
        let message = CalibrationMessage {
            size: (640, 480),
            k: [320.0, 0.0, 319.5, 0.0, 320.0, 239.5, 0.0, 0.0, 1.0],
            distortion_model: "plumb_bob".to_owned(),
            d: d.to_vec(),
            ..CalibrationMessage::default()
        };
        let calibration = message.for_picture((640, 480), false).ok();
        CameraView { turn, ..CameraView::new((640, 480), calibration, None, ExifTurn::default()) }
    }

    #[test]
    fn a_pinhole_that_hangs_upright_is_seen_as_sent() {
        let view = view(&[], QuarterTurn::None);
        assert!(view.is_as_sent());
        assert_eq!(view.as_sent([12.5, 7.5]), [12.5, 7.5]);
    }

    #[test]
    fn a_barrel_is_undone_and_its_middle_stays() {
        let view = view(&[-0.2, 0.0, 0.0, 0.0, 0.0], QuarterTurn::None);
        assert!(!view.is_as_sent());
        assert_eq!(view.as_sent([320.0, 240.0]), [320.0, 240.0]);
        // x = 0.5 at the plane is bent to 0.5 * (1 - 0.2 * 0.25).
        let [x, y] = view.as_sent([480.0, 240.0]);
        assert!((x - (320.0 + 320.0 * 0.475)).abs() < 1e-9 && (y - 240.0).abs() < 1e-9, "{x} {y}");
    }

    /// The optical axis and the tangential terms are of the pixels as stored.
    #[test]
    fn a_bent_picture_that_its_file_turns_is_straightened_as_stored() {
        let stored = view(&[-0.2, 0.05, 0.01, -0.02, 0.0], QuarterTurn::None);
        let calibration = stored.calibration.clone();
        let half = CameraView::new((640, 480), calibration, None, ExifTurn::new(2, false));
        let ([x, y], expected) = (half.as_sent([100.0, 50.0]), stored.as_sent([540.0, 430.0]));
        assert!((x - expected[0]).abs() < 1e-9 && (y - expected[1]).abs() < 1e-9, "{x} {y}");
        let mirrored = CameraView { mirrored: true, ..stored.clone() };
        assert_eq!(mirrored.as_sent([100.0, 50.0]), stored.as_sent([540.0, 50.0]));
        assert!(!mirrored.is_as_sent());
    }

    #[test]
    fn a_camera_on_its_side_has_the_other_field_of_view() {
        let view = view(&[], QuarterTurn::Left);
        assert_eq!(view.upright_size(), (480, 640));
        let fov = view.horizontal_fov_rad().expect("calibrated").to_degrees();
        assert!((fov - 2.0 * (0.75f64).atan().to_degrees()).abs() < 0.1, "{fov}");
        assert_eq!(view.as_sent([0.5, 0.5]), [639.5, 0.5]);
    }
}
