//! A model directory that was touched is refused, and the error says which file.
#![allow(clippy::unwrap_used)]

use model_dir::{Manifest, ModelDir, ModelDirError, write_manifest};

fn directory() -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    std::fs::create_dir(root.path().join("onnx")).unwrap();
    std::fs::write(root.path().join("onnx/model.onnx"), vec![7u8; 100_000]).unwrap();
    std::fs::write(root.path().join("prompts.toml"), "system = \"s\"\nuser = \"{question}\"\n").unwrap();
    let manifest = Manifest { name: "test".into(), version: "1".into(), ..Manifest::default() };
    write_manifest(root.path(), &manifest).unwrap();
    root
}

#[test]
fn an_untouched_directory_verifies() {
    let root = directory();
    let opened = ModelDir::open(root.path()).unwrap();
    opened.verify_digests().unwrap();
    assert_eq!(opened.manifest().files.len(), 2);
}

#[test]
fn one_changed_byte_is_found() {
    let root = directory();
    let path = root.path().join("onnx/model.onnx");
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[50_000] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    let error = ModelDir::open(root.path()).unwrap().verify_digests().unwrap_err();
    assert!(matches!(&error, ModelDirError::Digest { path: p, expected, found, .. } if *p == path && expected != found));
}

#[test]
fn a_truncated_file_is_found() {
    let root = directory();
    std::fs::write(root.path().join("onnx/model.onnx"), [7u8; 10]).unwrap();
    let message = ModelDir::open(root.path()).unwrap().verify_digests().unwrap_err().to_string();
    assert!(message.contains("model.onnx") && message.contains("10 bytes, 100000 expected"), "{message}");
}

#[test]
fn a_missing_file_is_named() {
    let root = directory();
    std::fs::remove_file(root.path().join("onnx/model.onnx")).unwrap();
    let error = ModelDir::open(root.path()).unwrap().verify_digests().unwrap_err();
    assert!(matches!(error, ModelDirError::Missing { path } if path.ends_with("onnx/model.onnx")));
}

#[test]
fn an_unknown_key_is_refused() {
    let root = directory();
    std::fs::write(root.path().join("prompts.toml"), "system = \"\"\nuser = \"\"\ncolour = 1\n").unwrap();
    let message = ModelDir::open(root.path()).unwrap_err().to_string();
    assert!(message.contains("prompts.toml") && message.contains("colour"), "{message}");
}
