//! Runs of the command: one that tunes the nano model with an adapter, one that only looks.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

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

fn command(recipe: &Path, run: &Path, more: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_spacer-train"));
    command.current_dir(root()).env("RAYON_NUM_THREADS", "1");
    command.arg("sft").arg(recipe).arg("--run").arg(run).args(more);
    command
}

fn train(recipe: &Path, run: &Path, more: &[&str]) -> Output {
    let output = command(recipe, run, more).output().expect("runs");
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

/// What a command that fails says, without colours.
fn refused(recipe: &Path, run: &Path, more: &[&str]) -> String {
    let output = command(recipe, run, more).output().expect("runs");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && !said.contains('\x1b'), "{said}");
    said
}

#[test]
fn a_run_that_is_told_to_stop_writes_a_checkpoint_and_goes_on_with_its_own_recipe() {
    let folder = tempfile::tempdir().expect("a folder");
    let (recipe, run) = (recipe(folder.path()), folder.path().join("run"));
    let text = std::fs::read_to_string(&recipe).expect("the recipe");
    let long = text.replace("steps = 3", "steps = 5000").replace("checkpoint_every = 1", "checkpoint_every = 5000");
    std::fs::write(&recipe, &long).expect("a recipe");
    let mut child = command(&recipe, &run, &[]).stderr(Stdio::piped()).spawn().expect("starts");
    let log = run.join("log.jsonl");
    let until = Instant::now() + Duration::from_secs(120);
    while std::fs::read_to_string(&log).unwrap_or_default().lines().count() < 2 {
        assert!(Instant::now() < until && child.try_wait().expect("runs").is_none(), "no steps");
        std::thread::sleep(Duration::from_millis(50));
    }
    let second = refused(&recipe, &run, &[]);
    assert!(second.contains("no other run writes"), "{second}");
    let signalled = Command::new("kill").args(["-TERM", &child.id().to_string()]).status();
    assert!(signalled.is_ok_and(|status| status.success()));
    let status = child.wait().expect("ends");
    assert_eq!(status.code(), Some(128 + 15));
    let newest = std::fs::read_dir(run.join("checkpoints")).expect("checkpoints").flatten().next().expect("one");
    let made: usize = newest.file_name().to_string_lossy().trim_start_matches("step-").parse().expect("a step");
    let lines = std::fs::read_to_string(&log).expect("a log").lines().filter(|line| line.contains("\"loss\"")).count();
    assert!(made >= 2 && made <= lines, "{made} steps, {lines} lines");
    // What is left of it is the run's last step.
    let other = long.replace("steps = 5000", &format!("steps = {}", made + 1));
    std::fs::write(&recipe, other).expect("a recipe");
    let changed = refused(&recipe, &run, &[]);
    assert!(changed.contains("optimiser.steps was 5000, is") && changed.contains("--changed-recipe"), "{changed}");
    train(&recipe, &run, &["--changed-recipe"]);
    assert!(run.join("checkpoints").join(format!("step-{:08}", made + 1)).exists());
}
