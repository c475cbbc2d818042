//! `trt_profile.json`, which an export of the `trt` profile lays beside its graphs: the shapes to build engines for.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::error::{Error, Result};
use crate::providers::{ShapeProfile, TensorRtSettings};

const FILE: &str = "trt_profile.json";

#[derive(Deserialize)]
struct Export {
    graphs: BTreeMap<String, Graph>,
}

#[derive(Deserialize)]
struct Graph {
    /// None for a graph that another provider runs.
    #[serde(default)]
    optimization_profiles: Vec<OptimizationProfile>,
}

#[derive(Deserialize)]
struct OptimizationProfile {
    inputs: BTreeMap<String, Shapes>,
}

#[derive(Deserialize)]
struct Shapes {
    min: Vec<usize>,
    opt: Vec<usize>,
    max: Vec<usize>,
}

impl TensorRtSettings {
    /// f16 on device 0, with the shapes that the export in `onnx_dir` was made for. Without `trt_profile.json` there are
    /// no shapes, which TensorRT's rung of the ladder refuses with that reason.
    ///
    /// # Errors
    /// [`Error::MalformedFile`].
    pub fn of_export(onnx_dir: &Path, engine_cache: PathBuf) -> Result<Self> {
        let path = onnx_dir.join(FILE);
        let profiles = if path.is_file() { read(&path)? } else { Vec::new() };
        Ok(Self { device_id: 0, engine_cache, fp16: true, profiles })
    }
}

fn read(path: &Path) -> Result<Vec<ShapeProfile>> {
    let malformed = |found: String| Error::MalformedFile {
        path: path.to_owned(),
        expected: "the shapes of each graph's inputs, as `spacer-train export --profile trt` writes them",
        found,
    };
    let text = std::fs::read_to_string(path).map_err(|error| malformed(error.to_string()))?;
    let export: Export = serde_json::from_str(&text).map_err(|error| malformed(error.to_string()))?;
    let mut profiles = Vec::new();
    for (graph, Graph { optimization_profiles }) in export.graphs {
        for (input, Shapes { min, opt, max }) in optimization_profiles.into_iter().flat_map(|profile| profile.inputs) {
            profiles.push(ShapeProfile { graph: graph.clone(), input, min, opt, max });
        }
    }
    Ok(profiles)
}
