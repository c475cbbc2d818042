//! Runs of the command: one that is killed at a random moment, one that trains an adapter, one that only looks.

use std::hash::{BuildHasher, RandomState};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value;

const STEPS: u64 = 5;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The nano model as it is, a few short groups; checkpoints after every second step, so that steps are lost.
fn recipe(folder: &Path, more: &str) -> PathBuf {
    let path = folder.join("recipe.toml");
    let text = format!(
        "model = \"models/zoo/spacer-nano\"\n\
         [data]\nseed = 3\nscenes_per_step = 1\nquestions_per_scene = 2\n\
         [rollout]\ngroup_size = 4\nmax_completion_tokens = 96\n\
         [optimiser]\nsteps = {STEPS}\nlearning_rate = 1e-4\n\
         [run]\nevaluate_every = 2\nevaluation_scenes = 1\ncheckpoint_every = 2\n{more}"
    );
    std::fs::write(&path, text).expect("a recipe");
    path
}

fn train(recipe: &Path, run: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_spacer-train"));
    command.current_dir(root()).env("RAYON_NUM_THREADS", "1").stderr(Stdio::null());
    command.arg("grpo").arg(recipe).arg("--run").arg(run);
    command
}

fn lines(run: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(run.join("log.jsonl")).unwrap_or_default();
    text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

/// The log without what a clock says.
fn outcome(run: &Path) -> Vec<Value> {
    let timeless = |mut line: Value| {
        let fields = line.as_object_mut().expect("an object");
        fields.remove("seconds");
        fields.remove("tokens_per_second");
        line
    };
    lines(run).into_iter().map(timeless).collect()
}

#[test]
fn a_killed_run_ends_where_an_uninterrupted_one_does() {
    let folder = tempfile::tempdir().expect("a folder");
    let (recipe, straight, killed) =
        (recipe(folder.path(), ""), folder.path().join("straight"), folder.path().join("killed"));
    assert!(train(&recipe, &straight).status().expect("runs").success());

    let random = RandomState::new().hash_one(0);
    let (step, millis) = (random % (STEPS - 1) + 1, random / 7 % 900);
    let mut child = train(&recipe, &killed).spawn().expect("runs");
    while !lines(&killed).iter().any(|line| line["step"].as_u64() >= Some(step)) {
        assert!(child.try_wait().expect("a status").is_none(), "ended before it was killed");
        std::thread::sleep(Duration::from_millis(20));
    }
    std::thread::sleep(Duration::from_millis(millis));
    child.kill().expect("SIGKILL");
    child.wait().expect("a status");
    println!("killed {millis} ms after step {step}: {} lines", lines(&killed).len());
    assert!(train(&recipe, &killed).status().expect("runs").success());

    let expected = outcome(&straight);
    assert_eq!(expected.iter().filter(|line| line["loss"].is_number()).count() as u64, STEPS);
    assert!(expected.iter().any(|line| line["gradient_norm"].as_f64() > Some(0.0)), "nothing was learnt: {expected:?}");
    assert_eq!(outcome(&killed), expected);
    let weights = |run: &Path| std::fs::read(run.join("model.safetensors")).expect("weights");
    let start = std::fs::read(root().join("models/zoo/spacer-nano/onnx/model.safetensors")).expect("weights");
    assert!(weights(&killed) == weights(&straight), "the weights differ");
    assert!(weights(&straight) != start, "the weights have not moved");
}

#[test]
fn an_adapter_is_what_the_exporter_reads() {
    let folder = tempfile::tempdir().expect("a folder");
    let lora = "[lora]\nrank = 4\nalpha = 8\ntargets = [\"q_proj\", \"v_proj\"]\n";
    let (recipe, run) = (recipe(folder.path(), lora), folder.path().join("run"));
    assert!(train(&recipe, &run).args(["--stop-after", "2"]).status().expect("runs").success());
    assert!(!run.join("model.safetensors").exists());
    let adapter = onnx_export::read_adapter(&run.join("adapter")).expect("PEFT's format");
    assert_eq!(adapter.len(), 2 * 4);
    let query = &adapter["model.layers.0.self_attn.q_proj.weight"];
    assert_eq!((query.shape(), query.rank()), ([192, 192], 4));
    assert!(query.b().iter().any(|value| *value != 0.0), "the adapter has not moved");
}

#[test]
fn a_dry_run_states_every_option_and_writes_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let (recipe, run) = (recipe(folder.path(), ""), folder.path().join("run"));
    let output = train(&recipe, &run).arg("--dry-run").output().expect("runs");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("kl_beta = 0.04") && text.contains("4232672 trained"), "{text}");
    assert!(!run.exists());
}
