//! Runs of the command: one that tunes the nano model with an adapter, one that only looks.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Few clips, from the nano model's weights.
fn recipe(folder: &Path) -> PathBuf {
    let path = folder.join("recipe.toml");
    let text = "model = \"models/zoo/spacer-nano\"\n\
         [data]\nseed = 3\nclips_per_step = 1\nshards = 1\nquestions_per_clip = 2\n\
         whole_completions_per_clip = 1.0\nunknown_camera_share = 0.1\n\
         [optimiser]\nsteps = 3\nschedule = \"cosine\"\nlearning_rate = 1e-4\nweight_decay = 0.0\nclip_norm = 1.0\n\
         gradient_checkpointing = true\n\
         [lora]\nrank = 4\nalpha = 8\ntargets = [\"q_proj\", \"v_proj\"]\n\
         [loss]\nwords = 0.1\npresence = 1.5\nvalue = 1.0\nmap = 0.15\nanswer = 0.3\nnumber_sigma = 0.08\n\
         patch_class = 2.0\npatch_range = 1.0\n\
         [run]\nevaluate_every = 2\nevaluation_clips = 1\ncheckpoint_every = 1\ncheckpoints_kept = 2\n";
    std::fs::write(&path, text).expect("a recipe");
    path
}

fn train(recipe: &Path, run: &Path, more: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_spacer-train"));
    command.current_dir(root()).env("RAYON_NUM_THREADS", "1");
    let output = command.arg("sft").arg(recipe).arg("--run").arg(run).args(more).output().expect("runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output
}

#[test]
fn an_adapter_is_tuned_logged_and_kept() {
    let folder = tempfile::tempdir().expect("a folder");
    let (recipe, run) = (recipe(folder.path()), folder.path().join("run"));
    train(&recipe, &run, &["--stop-after", "2"]);
    train(&recipe, &run, &[]);
    let log = std::fs::read_to_string(run.join("log.jsonl")).expect("a log");
    let lines: Vec<serde_json::Value> =
        log.lines().map(|line| serde_json::from_str(line).expect("a JSON line")).collect();
    let steps: Vec<_> = lines.iter().filter(|line| line["loss"]["total"].is_number()).map(|l| &l["step"]).collect();
    assert_eq!(steps, [1, 2, 3]);
    let probes: Vec<_> = lines.iter().filter(|line| line["evaluation"]["loss"].is_number()).collect();
    assert_eq!(probes.len(), 2, "{log}");
    let names = |folder: &str| -> Vec<String> {
        let entries = std::fs::read_dir(run.join(folder)).expect("a folder").flatten();
        let mut names: Vec<_> = entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    };
    assert_eq!(names("checkpoints"), ["step-00000002", "step-00000003"]);
    assert_eq!(names("tensorboard").len(), 2);
    let adapter = onnx_export::read_adapter(&run.join("adapter")).expect("PEFT's format");
    assert_eq!(adapter.len(), 2 * 4);
    assert!(adapter.values().any(|layer| layer.b().iter().any(|value| *value != 0.0)), "the adapter has not moved");
}

#[test]
fn a_dry_run_states_every_option_and_writes_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let run = folder.path().join("run");
    let output = train(&recipe(folder.path()), &run, &["--dry-run"]);
    let text = String::from_utf8_lossy(&output.stdout);
    let expected =
        ["patience = 0", "schedule = \"cosine\"", "trained parameters, 0 made steps", "# first clip: patches"];
    assert!(expected.iter().all(|part| text.contains(part)), "{text}");
    assert!(!run.exists());
}
