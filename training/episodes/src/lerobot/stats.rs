//! `meta/stats.json`: least, largest, mean and deviation of every number. Pictures are left out: who trains on them
//! takes those of the vision tower's own data.

use std::path::Path;

use serde_json::{Map, Value, json};

use super::rows::{FrameRows, STATE_NUMBERS};
use crate::{Error, Result};

pub(super) fn write(folder: &Path, rows: &FrameRows) -> Result<()> {
    let whole = |values: &[i64]| vec![values.iter().map(|value| *value as f64).collect::<Vec<f64>>()];
    let state = (0..STATE_NUMBERS).map(|axis| {
        let values = rows.state.iter().filter_map(|state| state.get(axis));
        values.map(|value| f64::from(*value)).filter(|value| value.is_finite()).collect()
    });
    let features: [(&str, Vec<Vec<f64>>); 6] = [
        ("observation.state", state.collect()),
        ("timestamp", vec![rows.timestamp.iter().map(|value| f64::from(*value)).collect()]),
        ("frame_index", whole(&rows.frame_index)),
        ("episode_index", whole(&rows.episode_index)),
        ("index", whole(&rows.index)),
        ("task_index", whole(&rows.task_index)),
    ];
    let stats: Map<String, Value> =
        features.into_iter().map(|(name, axes)| (name.to_owned(), feature(&axes, rows.len()))).collect();
    let path = folder.join("meta/stats.json");
    std::fs::write(&path, format!("{:#}\n", Value::Object(stats))).map_err(Error::io(&path))
}

/// `axes`: the finite values of each number of a feature.
fn feature(axes: &[Vec<f64>], count: usize) -> Value {
    let over = |statistic: fn(&[f64]) -> f64| axes.iter().map(|axis| statistic(axis)).collect::<Vec<f64>>();
    json!({
        "min": over(|values| values.iter().copied().reduce(f64::min).unwrap_or_default()),
        "max": over(|values| values.iter().copied().reduce(f64::max).unwrap_or_default()),
        "mean": over(mean),
        "std": over(|values| {
            let middle = mean(values);
            let squares: Vec<f64> = values.iter().map(|value| (value - middle).powi(2)).collect();
            mean(&squares).sqrt()
        }),
        "count": [count],
    })
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}
