//! The built command on the committed model, as a user runs it.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn nano() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/zoo/spacer-nano")
}

fn spacer(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_spacer")).args(arguments).output().expect("the built command")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Four pictures of a slope with a box that moves.
fn pictures() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a writable temporary folder");
    for number in 0..4 {
        let mut file = b"P6\n160 120\n255\n".to_vec();
        let pixel = |i: usize| match (i % 160 / 40 == number, i / 160 / 40 == 1) {
            (true, true) => [200, 60, 40],
            _ => [90, (i / 160) as u8, 120],
        };
        file.extend((0..160 * 120).flat_map(pixel));
        std::fs::write(folder.path().join(format!("{number}.ppm")), file).expect("a writable temporary folder");
    }
    folder
}

#[test]
fn ask_answers_about_pictures_with_a_typed_answer() {
    let (folder, model) = (pictures(), nano());
    let (images, model) = (folder.path().to_string_lossy(), model.to_string_lossy());
    let camera = ["--fov", "70", "--camera-height", "0.6", "--pitch", "-10"];
    let asked = ["ask", "--images", &images, "--model", &model, "--json", "how far is the door?"];
    let output = spacer(&[&asked[..], &camera[..]].concat());
    assert!(output.status.success(), "{}", text(&output.stderr));
    let answer: serde_json::Value = serde_json::from_slice(&output.stdout).expect("one JSON value");
    assert!(["ANSWERED", "NOT_SEEN"].contains(&answer["status"].as_str().unwrap_or_default()), "{answer}");
    assert_eq!(answer["frames_used"], 2);
    assert!(text(&output.stderr).contains("<think>"), "what the model writes is streamed to standard error");
}

#[test]
fn ask_says_what_is_wrong_with_source_and_question() {
    let (folder, model) = (pictures(), nano());
    let (images, model) = (folder.path().to_string_lossy(), model.to_string_lossy());
    let absent = spacer(&["ask", "--video", "/nowhere.mp4", "--model", &model, "how far is the door?"]);
    assert!(!absent.status.success() && text(&absent.stderr).contains("/nowhere.mp4"), "{}", text(&absent.stderr));
    let empty = spacer(&["ask", "--images", &images, "--model", &model, "  "]);
    assert!(!empty.status.success() && text(&empty.stderr).contains("BAD_QUERY"), "{}", text(&empty.stderr));
    let missing = spacer(&["ask", "--images", &images, "--model", "/nowhere/model", "how far is the door?"]);
    assert!(!missing.status.success() && text(&missing.stdout).contains("/nowhere/model"), "{}", text(&missing.stdout));
}

#[test]
fn verify_passes_the_committed_model_and_names_a_changed_file() {
    let verified = spacer(&["verify", &nano().to_string_lossy()]);
    assert!(verified.status.success(), "{}", text(&verified.stderr));
    assert!(text(&verified.stdout).contains("of the checkpoint's"));
    let copy = tempfile::tempdir().expect("a writable temporary folder");
    let to = copy.path().join("model");
    let copied = Command::new("cp").args(["-r".as_ref(), nano().as_os_str(), to.as_os_str()]).status();
    assert!(copied.is_ok_and(|status| status.success()));
    std::fs::write(to.join("prompts.toml"), "system = \"\"\nuser = \"{question}\"\n[kinds]\n").expect("the copy");
    let changed = spacer(&["verify", &to.to_string_lossy()]);
    assert!(!changed.status.success() && text(&changed.stderr).contains("prompts.toml"), "{}", text(&changed.stderr));
}

#[test]
fn doctor_reports_every_check_and_fails_without_a_model() {
    let well = spacer(&["doctor", "--json", "--model", &nano().to_string_lossy()]);
    let findings: serde_json::Value = serde_json::from_slice(&well.stdout).expect("one JSON value");
    let checks: Vec<&str> = findings.as_array().into_iter().flatten().filter_map(|f| f["what"].as_str()).collect();
    assert_eq!(checks, ["machine", "ROS 2", "camera", "ONNX Runtime", "model", "parity", "calibration", "provider"]);
    assert!(well.status.success(), "{}", text(&well.stdout));
    let ill = spacer(&["doctor", "--model", "/nowhere/model"]);
    assert!(!ill.status.success() && text(&ill.stdout).contains("/nowhere/model"), "{}", text(&ill.stdout));
}
