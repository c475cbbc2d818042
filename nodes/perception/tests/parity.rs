//! The parity gate on the committed model, through the real ONNX Runtime.

use std::fs;
use std::path::{Path, PathBuf};

use model_dir::{ModelDir, Parity};
use perception::{AnswerError, Settings, VlmAnswerer};

fn nano() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/zoo/spacer-nano")
}

fn copy_to(target: &Path) {
    for folder in ["", "onnx"] {
        fs::create_dir_all(target.join(folder)).expect("a writable temporary folder");
        for entry in fs::read_dir(nano().join(folder)).expect("the committed model") {
            let path = entry.expect("a readable folder").path();
            if let Some(name) = path.file_name().filter(|_| path.is_file()) {
                fs::copy(&path, target.join(folder).join(name)).expect("room for a copy");
            }
        }
    }
}

fn refusal(model: &Path) -> AnswerError {
    VlmAnswerer::load(&Settings::new(model)).expect_err("this model must be refused")
}

/// Digests as they are now, so that only the gate can object.
fn sign(model: &Path, change: impl FnOnce(&mut model_dir::Manifest)) {
    let mut manifest = ModelDir::open(model).expect("a whole model directory").manifest().clone();
    change(&mut manifest);
    model_dir::write_manifest(model, manifest).expect("a writable temporary folder");
}

#[test]
fn the_committed_model_computes_what_its_checkpoint_does() {
    let model = VlmAnswerer::load(&Settings::new(nano())).expect("the committed model");
    assert!(model.parity() < 1e-5, "{:e}", model.parity());
}

#[test]
fn one_changed_byte_is_refused_by_its_digest_and_changed_weights_by_their_logits() {
    let dir = tempfile::tempdir().expect("a writable temporary folder");
    copy_to(dir.path());
    let weights = dir.path().join("onnx/model.onnx.data");
    let mut bytes = fs::read(&weights).expect("the copy");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&weights, &bytes).expect("a writable temporary folder");
    let error = refusal(dir.path()).to_string();
    assert!(error.contains("model.onnx.data") && error.contains("sha256"), "{error}");

    bytes[middle..middle + 16 * 1024].fill(0);
    fs::write(&weights, &bytes).expect("a writable temporary folder");
    sign(dir.path(), |_| {});
    let error = refusal(dir.path());
    assert!(matches!(error, AnswerError::Parity { found, .. } if found > 1e-3), "{error}");
}

#[test]
fn a_tolerance_that_is_not_met_or_not_stated_is_refused() {
    let dir = tempfile::tempdir().expect("a writable temporary folder");
    copy_to(dir.path());
    sign(dir.path(), |manifest| manifest.parity = Some(Parity { tolerance: 1e-12, found: Some(0.0) }));
    assert!(refusal(dir.path()).to_string().contains("expected logits within 1.0e-12"));
    sign(dir.path(), |manifest| manifest.parity = None);
    assert!(matches!(refusal(dir.path()), AnswerError::NoParity(_)));
}

#[test]
fn other_words_in_the_template_are_refused() {
    let dir = tempfile::tempdir().expect("a writable temporary folder");
    copy_to(dir.path());
    let template = dir.path().join("chat_template.jinja");
    let text = fs::read_to_string(&template).expect("the copy");
    fs::write(&template, format!("you {text}")).expect("a writable temporary folder");
    sign(dir.path(), |_| {});
    assert!(matches!(refusal(dir.path()), AnswerError::ParityTokens { .. }));
}
