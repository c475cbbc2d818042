//! `spacer doctor`: what this machine has of all that a robot needs, and what is missing.

mod gpu;

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use geometry::CameraReport;
use model_dir::ModelDir;
use perception::{Answerer, Device, RunsOn, Settings, VlmAnswerer};
use serde::Serialize;

use crate::bag_flags::BagFlags;
use crate::bag_frames::BagFrames;
use crate::frames::Frames;

/// Examples: `spacer doctor --model models/zoo/spacer-nano`, `spacer doctor --bag episodes/mine`, `spacer doctor --gpu`
#[derive(clap::Args)]
pub struct Arguments {
    /// The model directory to load.
    #[arg(long, default_value = "models/zoo/spacer-nano")]
    model: PathBuf,
    /// Run the model on the GPU too, through TensorRT or CUDA by its export profile, and compare it with the processor.
    /// TensorRT builds its engines at the first run, for minutes.
    #[arg(long)]
    gpu: bool,
    #[command(flatten)]
    bag: BagFlags,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// How a finding is to be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Verdict {
    /// As it should be.
    Ok,
    /// Something works without.
    Warn,
    /// No question can be answered.
    Fail,
}

/// One line of the report.
#[derive(Debug, Serialize)]
struct Finding {
    what: &'static str,
    verdict: Verdict,
    found: String,
}

/// Runs the command; a finding without which no question can be answered makes it fail.
pub fn run(arguments: &Arguments) -> Result<()> {
    let mut findings = vec![machine(), ros(), cameras(Path::new("/dev")), runtime()];
    findings.extend(model(&arguments.model));
    findings.extend(arguments.bag.open().map(told));
    if arguments.gpu {
        findings.extend(gpu::check(&arguments.model));
    }
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&findings)?);
    } else {
        for Finding { what, verdict, found } in &findings {
            let verdict = match verdict {
                Verdict::Ok => "ok",
                Verdict::Warn => "warn",
                Verdict::Fail => "FAIL",
            };
            println!("{verdict:<5} {what:<13} {found}");
        }
    }
    match findings.iter().filter(|finding| finding.verdict == Verdict::Fail).count() {
        0 => Ok(()),
        failed => bail!("{failed} of {} checks failed", findings.len()),
    }
}

fn finding(what: &'static str, verdict: Verdict, found: impl Into<String>) -> Finding {
    Finding { what, verdict, found: found.into() }
}

fn machine() -> Finding {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let memory = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let gigabytes =
        |key: &str| kibibytes(&memory, key).map_or_else(|| "?".to_owned(), |n| format!("{:.1}", n / 976_562.5));
    let (total, available) = (gigabytes("MemTotal:"), gigabytes("MemAvailable:"));
    let arch = std::env::consts::ARCH;
    finding("machine", Verdict::Ok, format!("{arch}, {cores} cores, {available} of {total} GB memory available"))
}

/// The number behind `key` in the text of /proc/meminfo.
fn kibibytes(text: &str, key: &str) -> Option<f64> {
    text.lines().find_map(|line| line.strip_prefix(key))?.split_whitespace().next()?.parse().ok()
}

fn ros() -> Finding {
    let prefixes = std::env::var_os("AMENT_PREFIX_PATH").unwrap_or_default();
    let distro = std::env::var("ROS_DISTRO").unwrap_or_else(|_| "unnamed".to_owned());
    let holds = |prefix: &PathBuf| prefix.join("share/spacer_msgs/package.xml").is_file();
    let prefixes: Vec<PathBuf> = std::env::split_paths(&prefixes).filter(|p| !p.as_os_str().is_empty()).collect();
    match (prefixes.is_empty(), prefixes.iter().find(|prefix| holds(prefix))) {
        (true, _) => finding(
            "ROS 2",
            Verdict::Warn,
            "none sourced: nodes can't run, `spacer ask` can (eval \"$(make -s ros-env)\" gives one)",
        ),
        (_, None) => finding("ROS 2", Verdict::Warn, format!("{distro}, without spacer_msgs: build msgs/ in it")),
        (_, Some(prefix)) => finding("ROS 2", Verdict::Ok, format!("{distro}, spacer_msgs in {}", prefix.display())),
    }
}

fn cameras(devices: &Path) -> Finding {
    let entries = std::fs::read_dir(devices).into_iter().flatten().flatten();
    let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    let mut names: Vec<String> = names.filter(|name| name.starts_with("video")).collect();
    names.sort();
    match names.is_empty() {
        true => finding("camera", Verdict::Warn, "no /dev/video*: frames must come from a topic, file or stream"),
        false => finding("camera", Verdict::Ok, names.join(", ")),
    }
}

/// What the model would be told about the camera of a bag.
fn told(frames: Result<BagFrames>) -> Finding {
    match frames.and_then(read) {
        Ok(report) => {
            let facts = report.facts();
            let known = facts.horizontal_fov_deg.is_some() && facts.height_m.is_some() && facts.pitch_deg.is_some();
            finding("bag's camera", if known { Verdict::Ok } else { Verdict::Warn }, report.to_string())
        }
        Err(error) => finding("bag's camera", Verdict::Warn, format!("{error:#}")),
    }
}

fn read(mut frames: BagFrames) -> Result<CameraReport> {
    while frames.next_frame()?.is_some() {}
    Ok(frames.camera())
}

fn runtime() -> Finding {
    match vlm::runtime::init(None) {
        Ok(()) => {
            let library = vlm::runtime::library().map(|path| path.display().to_string()).unwrap_or_default();
            finding("ONNX Runtime", Verdict::Ok, library)
        }
        Err(error) => finding("ONNX Runtime", Verdict::Fail, error.to_string()),
    }
}

/// The directory itself, then what loading it as a node does gives.
fn model(path: &Path) -> Vec<Finding> {
    let directory = match ModelDir::open(path) {
        Ok(directory) => directory,
        Err(error) => return vec![finding("model", Verdict::Fail, error.to_string())],
    };
    let manifest = directory.manifest();
    let megabytes = manifest.files.values().map(|file| file.bytes).sum::<u64>() / 1_000_000;
    let precision = format!("{:?}", manifest.precision).to_lowercase();
    let title = format!("{} {}, {precision}, {megabytes} MB, {}", manifest.name, manifest.version, path.display());
    let loaded = VlmAnswerer::load(&Settings { device: Device::Cuda, ..Settings::new(path) });
    let (parity, provider) = match &loaded {
        Ok(loaded) => {
            let parity = format!("logits within {:.1e} of the checkpoint's", loaded.parity());
            (finding("parity", Verdict::Ok, parity), Some(provider(&loaded.runs_on())))
        }
        Err(error) => (finding("parity", Verdict::Fail, error.to_string()), None),
    };
    let questions = finding("questions", Verdict::Ok, perception::repertoire(directory.prompts()));
    let kinds = directory.calibration().kinds.keys().cloned().collect::<Vec<_>>().join(", ");
    let calibration = match kinds.as_str() {
        "" => finding("calibration", Verdict::Warn, "none: answers carry no interval (spacer-train calibrate)"),
        kinds => finding("calibration", Verdict::Ok, kinds),
    };
    [finding("model", Verdict::Ok, title), parity, questions, calibration].into_iter().chain(provider).collect()
}

/// What the best device here is: CUDA was asked for.
fn provider(runs_on: &RunsOn) -> Finding {
    match runs_on.refusals.as_slice() {
        [] => finding("provider", Verdict::Ok, runs_on.provider.clone()),
        refusals => {
            finding("provider", Verdict::Warn, format!("{}; refused: {}", runs_on.provider, refusals.join("; ")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_read_by_key() {
        let text = "MemTotal:       1000 kB\nMemAvailable:    250 kB\n";
        assert_eq!(kibibytes(text, "MemAvailable:"), Some(250.0));
        assert_eq!(kibibytes(text, "SwapTotal:"), None);
    }

    #[test]
    fn a_model_that_is_not_there_fails_by_name() {
        let findings = model(Path::new("/nowhere/model"));
        assert_eq!(findings[0].verdict, Verdict::Fail);
        assert!(findings[0].found.contains("/nowhere/model"), "{findings:?}");
    }

    #[test]
    fn cameras_are_listed() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(cameras(dir.path()).verdict, Verdict::Warn);
        std::fs::write(dir.path().join("video2"), "").unwrap();
        assert_eq!(cameras(dir.path()).found, "video2");
    }
}
