//! The old form of `camera_calibration_parsers`: a name on a line, its numbers on the next ones.

use anyhow::bail;

use super::Calibration;

/// Whether a file is of this form: its first line that is no comment opens a section.
pub(super) fn is_ini(text: &str) -> bool {
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !is_comment(line));
    lines.next().is_some_and(|line| line.starts_with('[') && line.ends_with(']') && !line.contains(','))
}

fn is_comment(line: &str) -> bool {
    line.starts_with(['#', ';'])
}

pub(super) fn parse(text: &str) -> anyhow::Result<Calibration> {
    let (mut width, mut height) = (Vec::new(), Vec::new());
    let mut calibration = Calibration::default();
    let mut unread = Vec::new();
    let mut name = String::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !is_comment(line)) {
        let numbers: Result<Vec<f64>, _> = line.split_whitespace().map(str::parse).collect();
        let Ok(numbers) = numbers else {
            name = line.to_ascii_lowercase();
            continue;
        };
        let target = match name.as_str() {
            "width" => &mut width,
            "height" => &mut height,
            "camera matrix" => &mut calibration.k,
            "distortion" => &mut calibration.d,
            "rectification" => &mut calibration.r,
            "projection" => &mut calibration.p,
            // Where two cameras stand to each other, and what else there may be.
            _ => &mut unread,
        };
        target.extend(numbers);
    }
    let size = |name: &str, numbers: &[f64]| match numbers {
        [side] if *side >= 1.0 && *side <= f64::from(u32::MAX) => Ok(*side as u32),
        _ => bail!("{name}: expected a number of pixels on the line behind {name:?}, found {numbers:?}"),
    };
    (calibration.width, calibration.height) = (size("width", &width)?, size("height", &height)?);
    Ok(calibration)
}
