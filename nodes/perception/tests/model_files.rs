//! What is done to the files of a model before, while and after it is loaded, through the real ONNX Runtime.

use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use frame_ring::RawFrame;
use model_dir::ModelDir;
use msgs::{SpatialAnswer, SpatialQuery, Status};
use perception::*;

fn nano() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/zoo/spacer-nano")
}

fn copy() -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a writable temporary folder");
    let copied = Command::new("cp").arg("-r").arg(nano().join(".")).arg(dir.path()).status();
    assert!(copied.expect("cp").success());
    dir
}

/// The files that hold weights.
fn weights(model: &Path) -> Vec<PathBuf> {
    let files = fs::read_dir(model.join("onnx")).expect("graphs").flatten().map(|entry| entry.path());
    let is_large = |path: &PathBuf| path.metadata().is_ok_and(|found| found.len() > 500_000);
    let found: Vec<_> = files.filter(is_large).collect();
    assert!(!found.is_empty());
    found
}

/// A running pipeline of a model that is ready or refused.
struct Running {
    perception: Perception,
    answers: Receiver<SpatialAnswer>,
}

impl Running {
    fn start(model: &Path) -> Self {
        let (sender, answers) = sync_channel(64);
        let sender = Mutex::new(sender);
        let sink = move |answer| drop(sender.lock().expect("sink").send(answer));
        let perception = Perception::start(Settings::new(model), Arc::new(sink)).expect("settings");
        let running = Self { perception, answers };
        running.wait_for("a model", |diagnostics| diagnostics.model != ModelState::Loading);
        running
    }

    fn wait_for(&self, what: &str, reached: impl Fn(&Diagnostics) -> bool) {
        let until = Instant::now() + Duration::from_secs(30);
        while !reached(&self.perception.diagnostics()) {
            assert!(Instant::now() < until, "{what}: {:?}", self.perception.diagnostics());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn refusal(&self) -> String {
        match self.perception.diagnostics().model {
            ModelState::Failed { reason } => reason,
            other => panic!("expected a refusal, found {other:?}"),
        }
    }

    /// Status, text and confidence of the answer about a frame of two greys.
    fn answer(&self) -> (Status, String, String) {
        let now = self.perception.now_nanos();
        let data = [[90; 32], [140; 32]].concat().repeat(48);
        let (width, height, step) = (64, 48, 64);
        let (stamp_nanos, received_at_nanos) = (now, now);
        let frame = RawFrame {
            encoding: "mono8",
            is_bigendian: false,
            width,
            height,
            step,
            data: &data,
            stamp_nanos,
            received_at_nanos,
        };
        self.perception.push(&frame).expect("a frame");
        self.perception.ask(SpatialQuery { text: "how far is the door?".into(), ..Default::default() });
        let answer = self.answers.recv_timeout(Duration::from_secs(60)).expect("an answer");
        (answer.status, answer.text, format!("{:.4}", answer.confidence))
    }
}

#[test]
fn a_model_whose_files_are_spoiled_while_it_runs_answers_as_before_and_says_so() {
    let truncate = |path: &Path| OpenOptions::new().write(true).open(path)?.set_len(0);
    let overwrite = |path: &Path| {
        let length = path.metadata()?.len() as usize;
        OpenOptions::new().write(true).open(path)?.write_all_at(&vec![0; length], 0)
    };
    let delete = |path: &Path| fs::remove_file(path);
    type Way<'a> = &'a dyn Fn(&Path) -> std::io::Result<()>;
    let ways: [Way<'_>; 3] = [&truncate, &overwrite, &delete];
    for spoil in ways {
        let dir = copy();
        let running = Running::start(dir.path());
        let before = running.answer();
        assert_eq!((before.0, running.perception.diagnostics().model_changed), (Status::Answered, None));
        for file in weights(dir.path()) {
            spoil(&file).expect("a writable temporary folder");
        }
        assert_eq!(running.answer(), before);
        running.wait_for("a change", |diagnostics| diagnostics.model_changed.is_some());
        let said = running.perception.diagnostics().model_changed.expect("waited for");
        assert!(said.contains("onnx") && said.contains("restart"), "{said}");
        assert_eq!(running.answer(), before);
    }
}

#[test]
fn nothing_of_the_models_files_is_mapped() {
    let dir = copy();
    let _running = Running::start(dir.path());
    let maps = fs::read_to_string("/proc/self/maps").expect("Linux");
    let mapped: Vec<&str> = maps.lines().filter(|line| line.contains(&*dir.path().to_string_lossy())).collect();
    assert!(mapped.is_empty(), "{mapped:?}");
}

/// Digests as the files are now, so that they are no reason to refuse the model.
fn sign(model: &Path) {
    let manifest = ModelDir::open(model).expect("a layout").manifest().clone();
    model_dir::write_manifest(model, manifest).expect("a writable temporary folder");
}

#[test]
fn graphs_that_look_elsewhere_or_past_the_end_are_refused() {
    let replace = |dir: &Path, from: &[u8], to: &[u8]| {
        let path = dir.join("onnx/model.onnx");
        let mut graph = fs::read(&path).expect("a graph");
        let places: Vec<usize> = (0..graph.len() - from.len()).filter(|at| graph[*at..].starts_with(from)).collect();
        assert!(!places.is_empty() && from.len() == to.len());
        places.iter().for_each(|at| graph[*at..at + to.len()].copy_from_slice(to));
        fs::write(&path, graph).expect("a writable temporary folder");
        sign(dir);
    };
    for elsewhere in ["../secret.datax", "/dev/shm/x.data"] {
        let dir = copy();
        replace(dir.path(), b"model.onnx.data", elsewhere.as_bytes());
        let error = Running::start(dir.path()).refusal();
        assert!(error.contains("model.onnx") && error.contains(elsewhere), "{error}");
    }
    let dir = copy();
    for file in weights(dir.path()) {
        let length = file.metadata().unwrap().len();
        OpenOptions::new().write(true).open(file).unwrap().set_len(length / 2).unwrap();
    }
    sign(dir.path());
    let error = Running::start(dir.path()).refusal();
    assert!(error.contains("expected the external data of a graph, found"), "{error}");
}

#[test]
fn a_window_that_does_not_fit_into_memory_is_refused() {
    let dir = copy();
    let prompts = dir.path().join("prompts.toml");
    let text = fs::read_to_string(&prompts).unwrap();
    let text = text.split("[window]").next().unwrap().to_owned() + "\n[window]\nframes = 768\nrate_hz = 1000.0\n";
    fs::write(&prompts, text).unwrap();
    let config = dir.path().join("preprocessor_config.json");
    let text = fs::read_to_string(&config).unwrap().replace("3136", "8000000").replace("38000", "9000000");
    fs::write(&config, text).unwrap();
    sign(dir.path());
    let error = Running::start(dir.path()).refusal();
    assert!(error.contains("768 frames of at least 8000000 pixels"), "{error}");
}

#[test]
fn hidden_files_are_left_alone_and_fifos_named() {
    let dir = copy();
    fs::write(dir.path().join("onnx/.DS_Store"), "left by another system").unwrap();
    let running = Running::start(dir.path());
    assert!(matches!(running.perception.diagnostics().model, ModelState::Ready { .. }));
    drop(running);
    let fifo = dir.path().join("processor_config.json");
    assert!(Command::new("mkfifo").arg(&fifo).status().expect("mkfifo").success());
    let error = Running::start(dir.path()).refusal();
    assert!(error.contains("processor_config.json") && error.contains("FIFO"), "{error}");
}
