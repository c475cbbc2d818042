//! Calibration files: what `camera_info_manager`'s users have, and what OpenCV's have.
//!
//! | form | told by |
//! |---|---|
//! | `camera_calibration`'s YAML | `camera_matrix` |
//! | OpenCV's `FileStorage` YAML | `%YAML:1.0`; also under other common names: `K`, `cameraMatrix`, `dist_coeffs` |
//! | `camera_calibration_parsers`' old `.ini` | `[image]` |
//!
//! What a file leaves out is what it means by that: no rectification is none, and the projection of a single camera is its
//! matrix. A file without a size is of whatever size the pictures are; its width and height stay 0.

mod ini;
mod location;
mod yaml;

use anyhow::{Context, bail};
use r2r::sensor_msgs::msg::CameraInfo;

pub use location::Surroundings;

/// Largest calibration file that is read; they have a few hundred bytes.
const MAX_BYTES: u64 = 1 << 20;
/// No rectification.
const IDENTITY: [f64; 9] = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0];

/// A calibration as its file has it.
#[derive(Debug, Default, PartialEq)]
struct Calibration {
    width: u32,
    height: u32,
    model: String,
    k: Vec<f64>,
    d: Vec<f64>,
    r: Vec<f64>,
    p: Vec<f64>,
}

/// Reads the calibration at `location`: a path, `~/…`, `file://…` or `package://…`.
///
/// # Errors
/// When there is no such file, it is of another form, or its numbers are no calibration.
pub fn read_camera_info(location: &str, surroundings: &Surroundings) -> anyhow::Result<CameraInfo> {
    let path = surroundings.path_of(location)?;
    let at = || path.display().to_string();
    let file = std::fs::metadata(&path).with_context(at)?;
    if !file.is_file() || file.len() > MAX_BYTES {
        bail!("{}: expected a calibration file of at most {MAX_BYTES} bytes", at());
    }
    let text = String::from_utf8_lossy(&std::fs::read(&path).with_context(at)?).into_owned();
    parse(&text).and_then(message).with_context(at)
}

fn parse(text: &str) -> anyhow::Result<Calibration> {
    let begin = text.trim_start_matches('\u{feff}').trim_start();
    if begin.starts_with("<?xml") || begin.starts_with("<opencv_storage") {
        bail!("expected YAML, found OpenCV's XML; have FileStorage write a name that ends in .yaml");
    }
    // A YAML list in brackets would begin so as well, but no calibration is a list.
    if ini::is_ini(begin) { ini::parse(begin) } else { yaml::parse(begin) }
}

fn message(calibration: Calibration) -> anyhow::Result<CameraInfo> {
    let Calibration { width, height, model, k, d, r, p } = calibration;
    let (Some(fx), Some(fy)) = (k.first(), k.get(4)) else {
        bail!("camera matrix: expected 9 numbers, found {}", k.len());
    };
    if k.len() != 9 || !(*fx > 0.0 && *fy > 0.0) {
        bail!("camera matrix: expected 9 numbers with focal lengths above 0, found {k:?}");
    }
    if [&k, &d, &r, &p].into_iter().flatten().any(|number| !number.is_finite()) {
        bail!("expected numbers, found one that is none or without end");
    }
    if (width == 0) != (height == 0) {
        bail!("size: expected width and height, found {width}x{height}");
    }
    let projection = vec![k[0], k[1], k[2], 0.0, k[3], k[4], k[5], 0.0, k[6], k[7], k[8], 0.0];
    let (distortion_model, d) = distortion(&model, d)?;
    Ok(CameraInfo {
        width,
        height,
        distortion_model,
        d,
        r: fixed("rectification", r, &IDENTITY)?,
        p: fixed("projection", p, &projection)?,
        k,
        ..CameraInfo::default()
    })
}

/// The model by the names that messages have, with as many coefficients as it takes.
fn distortion(model: &str, mut d: Vec<f64>) -> anyhow::Result<(String, Vec<f64>)> {
    let name = match (model.to_ascii_lowercase().as_str(), d.len()) {
        ("" | "none", 0) => return Ok((String::new(), d)),
        ("", 0..=5) | ("plumb_bob" | "radtan" | "radial-tangential", _) => "plumb_bob",
        ("", _) | ("rational_polynomial", _) => "rational_polynomial",
        ("fisheye" | "equidistant" | "kannala_brandt", _) => "equidistant",
        _ => model,
    };
    let expected: &[usize] = match name {
        // OpenCV leaves out coefficients that are 0.
        "plumb_bob" => &[0, 4, 5],
        "rational_polynomial" => &[0, 5, 8, 12, 14],
        "equidistant" => &[0, 4],
        _ => return Ok((name.to_owned(), d)),
    };
    if !expected.contains(&d.len()) {
        bail!("distortion: expected one of {expected:?} coefficients of {name}, found {}", d.len());
    }
    match (name, d.len()) {
        ("plumb_bob", 4) => d.resize(5, 0.0),
        ("rational_polynomial", 5) => d.resize(8, 0.0),
        _ => {}
    }
    Ok((name.to_owned(), d))
}

/// The numbers of a matrix of the message, `absent` where there are none.
fn fixed(name: &str, numbers: Vec<f64>, absent: &[f64]) -> anyhow::Result<Vec<f64>> {
    match numbers.len() {
        0 => Ok(absent.to_vec()),
        length if length == absent.len() => Ok(numbers),
        length => bail!("{name} matrix: expected {} numbers, found {length}", absent.len()),
    }
}

#[cfg(test)]
mod tests;
