//! Dependencies point downwards, engines stay in their one crate, nobody uses the trainer.
//!
//! Direct edges of every kind (normal, build, dev) come from `cargo metadata --no-deps`; what other people's crates pull
//! in comes from `Cargo.lock`, so the test needs no network.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// Layer by folder. A crate depends on ours from lower layers only.
const LAYERS: [(&str, u8); 29] = [
    ("msgs", 0),
    ("models/model_dir", 0),
    ("nodes/capture", 1),
    ("nodes/frame_ring", 1),
    ("nodes/geometry", 1),
    ("nodes/pictures", 1),
    ("nodes/recording", 1),
    ("models/processor", 1),
    ("nodes/grounding", 2),
    ("nodes/imagined_map", 2),
    ("nodes/sim", 2),
    ("models/vlm", 2),
    ("training/parallel", 1),
    ("training/storage", 1),
    ("training/policy", 2),
    ("training/onnx_export", 2),
    ("training/optimiser", 2),
    ("nodes/perception", 3),
    ("nodes/sim_recording", 3),
    ("training/scoring", 3),
    ("training/episodes", 3),
    ("training/sft", 4),
    ("training/grpo", 4),
    ("training/evaluation", 4),
    ("nodes/ros_nodes", 4),
    ("nodes/zenoh_node", 4),
    ("nodes/cli", 4),
    ("training/cli", 4),
    ("tests", 5),
];

/// Edges inside a layer that the design needs.
const SAME_LAYER: [(&str, &str, &str); 10] = [
    ("nodes/recording", "nodes/geometry", "recorded transforms are geometry's"),
    ("nodes/frame_ring", "nodes/geometry", "a camera's view says where pixels go"),
    ("nodes/recording", "nodes/pictures", "compressed pictures of a bag are decoded by the one decoder"),
    ("nodes/capture", "nodes/pictures", "so are pictures of a folder"),
    ("nodes/grounding", "nodes/imagined_map", "an answer carries the map it was read from"),
    ("nodes/sim", "nodes/grounding", "questions are worded so that the robot reads them back"),
    ("training/episodes", "nodes/sim_recording", "its tests read a simulated bag"),
    ("training/cli", "training/sft", "the command runs the trainer"),
    ("training/cli", "training/grpo", "the command runs the trainer"),
    ("training/cli", "training/evaluation", "the command runs the evaluation"),
];

/// Which top folders a top folder may depend on.
const FOLDERS: [(&str, &[&str]); 5] = [
    ("msgs", &["msgs"]),
    ("models", &["msgs", "models"]),
    ("nodes", &["msgs", "models", "nodes"]),
    ("training", &["msgs", "models", "nodes", "training"]),
    ("tests", &["msgs", "models", "nodes", "training"]),
];

/// Outside crates (`*` ends a prefix) and the only folders that may reach them except through one of our crates.
const ENGINES: [(&[&str], &[&str]); 5] = [
    (&["ort", "ort-sys"], &["models/vlm"]),
    (&["candle-*", "candle"], &["training/policy", "training/optimiser", "training/sft", "training/grpo"]),
    (&["r2r", "r2r_*", "rclrs", "rosrust", "ros2-client"], &["nodes/ros_nodes"]),
    (&["zenoh", "zenoh-*"], &["nodes/zenoh_node"]),
    (&["mpi", "mpi-sys"], &["training/parallel"]),
];

/// Needs a ROS installation, so whoever depends on it would too.
const ROS_CRATE: &str = "nodes/ros_nodes";

/// The workspace as the checker sees it.
#[derive(Default)]
struct Graph {
    /// Folder of each of our crates by name.
    folders: BTreeMap<String, String>,
    /// Direct dependencies of every crate, ours and others', by name.
    edges: BTreeMap<String, BTreeSet<String>>,
}

impl Graph {
    fn of_workspace() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ lies in the workspace");
        let mut graph = Self::default();
        graph.read_lock(&std::fs::read_to_string(root.join("Cargo.lock")).expect("Cargo.lock"));
        let metadata = Command::new(env!("CARGO"))
            .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
            .current_dir(root)
            .output()
            .expect("cargo runs");
        assert!(metadata.status.success(), "{}", String::from_utf8_lossy(&metadata.stderr));
        graph.read_metadata(&serde_json::from_slice(&metadata.stdout).expect("cargo prints JSON"), root);
        graph
    }

    /// Everybody's dependencies, versions merged.
    fn read_lock(&mut self, lock: &str) {
        let lock: toml::Table = lock.parse().expect("Cargo.lock is TOML");
        for package in lock["package"].as_array().expect("packages") {
            let name = package["name"].as_str().expect("a name").to_owned();
            let dependencies = package.get("dependencies").and_then(toml::Value::as_array).into_iter().flatten();
            let names = dependencies.filter_map(|entry| entry.as_str()?.split(' ').next().map(str::to_owned));
            self.edges.entry(name).or_default().extend(names);
        }
    }

    /// Our crates, with optional and platform-specific dependencies.
    fn read_metadata(&mut self, metadata: &Value, root: &Path) {
        for package in metadata["packages"].as_array().expect("packages") {
            let text = |value: &Value| value.as_str().expect("a string").to_owned();
            let (name, manifest) = (text(&package["name"]), text(&package["manifest_path"]));
            let folder = Path::new(&manifest).parent().and_then(|folder| folder.strip_prefix(root).ok());
            self.folders.insert(name.clone(), folder.expect("a member lies in the workspace").display().to_string());
            let dependencies = package["dependencies"].as_array().expect("dependencies").iter();
            self.edges.entry(name).or_default().extend(dependencies.map(|dependency| text(&dependency["name"])));
        }
    }

    /// A graph written by hand: `(folder, dependencies)`; a crate's name is its folder's.
    fn planted(crates: &[(&str, &[&str])]) -> Self {
        let mut graph = Self::default();
        for (folder, dependencies) in crates {
            if let Some(ours) = folder.strip_prefix("outside/") {
                graph.edges.insert(ours.into(), dependencies.iter().map(ToString::to_string).collect());
                continue;
            }
            graph.folders.insert((*folder).into(), (*folder).into());
            graph.edges.insert((*folder).into(), dependencies.iter().map(ToString::to_string).collect());
        }
        graph
    }

    fn violations(&self) -> Vec<String> {
        let mut violations = Vec::new();
        for (name, folder) in &self.folders {
            let Some(layer) = layer(folder) else {
                violations.push(format!("{folder}: not in the layer table"));
                continue;
            };
            let ours = self.edges[name].iter().filter_map(|dependency| self.folders.get(dependency));
            violations.extend(ours.filter_map(|to| forbidden(folder, layer, to)));
            violations.extend(self.engines_reached(name, folder));
        }
        violations
    }

    /// Engines that `name` reaches directly or through other people's crates, with the way there.
    fn engines_reached(&self, name: &str, folder: &str) -> Vec<String> {
        let (mut seen, mut open) = (BTreeSet::new(), vec![vec![name]]);
        let mut violations = Vec::new();
        while let Some(way) = open.pop() {
            let last = way[way.len() - 1];
            for next in self.edges.get(last).into_iter().flatten() {
                if self.folders.contains_key(next) || !seen.insert(next) {
                    continue;
                }
                let way: Vec<&str> = way.iter().copied().chain([next.as_str()]).collect();
                let engine = ENGINES.iter().find(|(names, _)| names.iter().any(|pattern| matches(pattern, next)));
                match engine {
                    Some((_, homes)) if homes.contains(&folder) => {}
                    Some((_, homes)) => {
                        violations.push(format!("{folder}: {} (only {} may)", way.join(" -> "), homes.join(", ")));
                    }
                    None => open.push(way),
                }
            }
        }
        violations
    }
}

fn layer(folder: &str) -> Option<u8> {
    LAYERS.iter().find(|(known, _)| *known == folder).map(|(_, layer)| *layer)
}

fn matches(pattern: &str, name: &str) -> bool {
    pattern.strip_suffix('*').map_or(pattern == name, |prefix| name.starts_with(prefix))
}

fn top(folder: &str) -> &str {
    folder.split('/').next().unwrap_or(folder)
}

/// What is wrong with `from` depending on `to`, both folders of ours.
fn forbidden(from: &str, layer_from: u8, to: &str) -> Option<String> {
    let edge = format!("{from} -> {to}");
    let allowed = FOLDERS.iter().find(|(folder, _)| *folder == top(from)).map_or(&[][..], |(_, to)| *to);
    if to == ROS_CRATE {
        return Some(format!("{edge}: nobody depends on the ROS crate"));
    }
    if !allowed.contains(&top(to)) {
        return Some(format!("{edge}: {}/ may depend on {} only", top(from), allowed.join(", ")));
    }
    let layer_to = layer(to)?;
    let listed = SAME_LAYER.iter().any(|(a, b, _)| (*a, *b) == (from, to));
    match layer_to.cmp(&layer_from) {
        std::cmp::Ordering::Less => None,
        std::cmp::Ordering::Equal if listed => None,
        std::cmp::Ordering::Equal => Some(format!("{edge}: both are in layer {layer_from}, and the edge isn't listed")),
        std::cmp::Ordering::Greater => Some(format!("{edge}: layer {layer_from} -> layer {layer_to} points upwards")),
    }
}

#[test]
fn the_workspace_keeps_its_layers() {
    let graph = Graph::of_workspace();
    // What must be seen, so that silence means something.
    assert!(graph.folders.len() >= 18, "{:?}", graph.folders);
    assert!(graph.edges["vlm"].contains("ort") && graph.edges["vlm"].contains("processor"));
    assert!(graph.edges["policy"].contains("candle-core") && graph.edges["ros_nodes"].contains("r2r"));
    let violations = graph.violations();
    assert!(violations.is_empty(), "\n{}\n", violations.join("\n"));
}

#[test]
fn planted_bad_edges_are_named() {
    let one = |crates: &[(&str, &[&str])]| Graph::planted(crates).violations().join("\n");
    let upwards = one(&[("models/processor", &["models/vlm"]), ("models/vlm", &[])]);
    assert_eq!(upwards, "models/processor -> models/vlm: layer 1 -> layer 2 points upwards");
    let sideways = one(&[("nodes/imagined_map", &["nodes/grounding"]), ("nodes/grounding", &[])]);
    assert_eq!(sideways, "nodes/imagined_map -> nodes/grounding: both are in layer 2, and the edge isn't listed");
    let trainer = one(&[("nodes/perception", &["training/policy"]), ("training/policy", &[])]);
    assert_eq!(trainer, "nodes/perception -> training/policy: nodes/ may depend on msgs, models, nodes only");
    let ros = one(&[("tests", &["nodes/ros_nodes"]), ("nodes/ros_nodes", &[])]);
    assert_eq!(ros, "tests -> nodes/ros_nodes: nobody depends on the ROS crate");
    let engine = one(&[("training/evaluation", &["ort"])]);
    assert_eq!(engine, "training/evaluation: training/evaluation -> ort (only models/vlm may)");
    let hidden = one(&[("models/processor", &["bridge"]), ("outside/bridge", &["r2r_common"])]);
    assert_eq!(hidden, "models/processor: models/processor -> bridge -> r2r_common (only nodes/ros_nodes may)");
    let unknown = one(&[("nodes/helpers", &[])]);
    assert_eq!(unknown, "nodes/helpers: not in the layer table");
}

#[test]
fn planted_good_edges_pass() {
    let good: &[(&str, &[&str])] = &[
        ("nodes/grounding", &["nodes/imagined_map", "msgs"]),
        ("nodes/imagined_map", &["msgs"]),
        ("msgs", &["serde"]),
        ("models/vlm", &["ort", "processor"]),
        ("training/evaluation", &["models/vlm", "training/scoring"]),
        ("training/scoring", &["nodes/grounding"]),
        ("training/policy", &["candle-core"]),
        ("training/cli", &["training/evaluation"]),
        ("outside/ort", &["ort-sys"]),
    ];
    assert_eq!(Graph::planted(good).violations(), Vec::<String>::new());
}
