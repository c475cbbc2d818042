//! Calibration files in the YAML form that `camera_calibration` writes.

use std::path::Path;

use anyhow::{Context, bail};
use r2r::sensor_msgs::msg::CameraInfo;
use serde::Deserialize;

#[derive(Deserialize)]
struct Matrix {
    data: Vec<f64>,
}

#[derive(Deserialize)]
struct Calibration {
    image_width: u32,
    image_height: u32,
    camera_matrix: Matrix,
    #[serde(default)]
    distortion_model: String,
    distortion_coefficients: Option<Matrix>,
    rectification_matrix: Option<Matrix>,
    projection_matrix: Option<Matrix>,
}

/// Reads a calibration file.
///
/// # Errors
/// When the file is absent, is no such YAML, or its camera matrix has not nine numbers.
pub fn read_camera_info(path: &Path) -> anyhow::Result<CameraInfo> {
    let text = std::fs::read_to_string(path)?;
    let calibration: Calibration = serde_yaml_ng::from_str(&text).context("expected camera_calibration's YAML")?;
    let k = calibration.camera_matrix.data;
    if k.len() != 9 {
        bail!("camera_matrix: expected 9 numbers, found {}", k.len());
    }
    let numbers = |matrix: Option<Matrix>| matrix.map(|m| m.data).unwrap_or_default();
    Ok(CameraInfo {
        width: calibration.image_width,
        height: calibration.image_height,
        k,
        distortion_model: calibration.distortion_model,
        d: numbers(calibration.distortion_coefficients),
        r: fixed(numbers(calibration.rectification_matrix), 9),
        p: fixed(numbers(calibration.projection_matrix), 12),
        ..CameraInfo::default()
    })
}

/// The message's matrices have a fixed length; an absent one is all zero.
fn fixed(mut numbers: Vec<f64>, length: usize) -> Vec<f64> {
    numbers.resize(length, 0.0);
    numbers
}
