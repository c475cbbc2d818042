//! YAML: `camera_calibration`'s own, and what OpenCV's `FileStorage` and its users write.

use std::borrow::Cow;
use std::collections::BTreeMap;

use anyhow::{Context, bail};
use serde_yaml_ng::Value;

use super::Calibration;

/// Names by what they mean, in small letters and without underscores.
const WIDTH: &[&str] = &["imagewidth", "width"];
const HEIGHT: &[&str] = &["imageheight", "height"];
const SIZE: &[&str] = &["imagesize", "size", "resolution"];
const K: &[&str] = &["cameramatrix", "k", "intrinsicmatrix", "intrinsics", "mtx"];
const D: &[&str] =
    &["distortioncoefficients", "distortioncoeffs", "distcoeffs", "distcoefs", "distortion", "dist", "d"];
const R: &[&str] = &["rectificationmatrix", "r"];
const P: &[&str] = &["projectionmatrix", "p"];
const MODEL: &[&str] = &["distortionmodel", "cameramodel"];
const FISHEYE: &[&str] = &["fisheyemodel", "fisheye"];

/// The entries of a file by their names, written alike.
struct Entries(BTreeMap<String, Value>);

impl Entries {
    fn get(&self, names: &[&str]) -> Option<&Value> {
        names.iter().find_map(|name| self.0.get(*name))
    }

    fn numbers(&self, names: &[&str]) -> anyhow::Result<Vec<f64>> {
        let Some(value) = self.get(names) else { return Ok(Vec::new()) };
        // A matrix is a list, a list of rows, or a mapping with its size beside it.
        let data = value.get("data").unwrap_or(value);
        let mut numbers = Vec::new();
        gather(data, &mut numbers).with_context(|| names[0].to_owned())?;
        Ok(numbers)
    }

    fn side(&self, names: &[&str]) -> anyhow::Result<Option<u32>> {
        let Some(value) = self.get(names) else { return Ok(None) };
        let number = value.as_f64().filter(|side| (1.0..=f64::from(u32::MAX)).contains(side));
        let number = number.with_context(|| format!("{}: expected a number of pixels, found {value:?}", names[0]))?;
        Ok(Some(number as u32))
    }

    fn text(&self, names: &[&str]) -> String {
        self.get(names).and_then(Value::as_str).unwrap_or_default().to_owned()
    }
}

pub(super) fn parse(text: &str) -> anyhow::Result<Calibration> {
    let document: Value = serde_yaml_ng::from_str(&as_yaml(text)).context(EXPECTED)?;
    let Value::Mapping(mapping) = document else { bail!("{EXPECTED}, found no names with values") };
    let names = mapping.into_iter().filter_map(|(name, value)| Some((alike(name.as_str()?), value)));
    let entries = Entries(names.collect());
    let k = entries.numbers(K)?;
    if k.is_empty() {
        let found = entries.0.keys().take(12).cloned().collect::<Vec<_>>().join(", ");
        bail!("{EXPECTED}: a camera matrix under camera_matrix, cameraMatrix or K, found {found}");
    }
    let size = entries.numbers(SIZE)?;
    let of_size = |index: usize| size.get(index).map(|side| *side as u32).filter(|_| size.len() == 2);
    let is_fisheye =
        entries.get(FISHEYE).is_some_and(|value| value.as_bool() == Some(true) || value.as_i64() == Some(1));
    let model = entries.text(MODEL);
    Ok(Calibration {
        width: entries.side(WIDTH)?.or(of_size(0)).unwrap_or_default(),
        height: entries.side(HEIGHT)?.or(of_size(1)).unwrap_or_default(),
        model: if model.is_empty() && is_fisheye { "equidistant".to_owned() } else { model },
        // Focal lengths and centre, as Kalibr and others write them.
        k: if let [fx, fy, cx, cy] = k[..] { vec![fx, 0.0, cx, 0.0, fy, cy, 0.0, 0.0, 1.0] } else { k },
        d: entries.numbers(D)?,
        r: entries.numbers(R)?,
        p: entries.numbers(P)?,
    })
}

/// How OpenCV marks a matrix.
const TAG: &str = "!!opencv-matrix";
/// What every error begins with.
const EXPECTED: &str = "expected camera_calibration's YAML or .ini, or OpenCV's YAML";

/// OpenCV's first line is no YAML directive, and its tags mean nothing here.
fn as_yaml(text: &str) -> Cow<'_, str> {
    let text = match text.split_once('\n') {
        Some((first, rest)) if first.starts_with("%YAML") => rest,
        _ => text,
    };
    if text.contains(TAG) { Cow::Owned(text.replace(TAG, "")) } else { Cow::Borrowed(text) }
}

fn alike(name: &str) -> String {
    name.chars().filter(|letter| !matches!(letter, '_' | '-' | ' ')).flat_map(char::to_lowercase).collect()
}

/// The numbers of a list, or of a list of lists.
fn gather(value: &Value, numbers: &mut Vec<f64>) -> anyhow::Result<()> {
    match value {
        Value::Sequence(values) => values.iter().try_for_each(|value| gather(value, numbers)),
        Value::Number(number) => {
            numbers.push(number.as_f64().context("expected numbers")?);
            Ok(())
        }
        other => bail!("expected numbers, found {other:?}"),
    }
}
