//! Without an ONNX Runtime library there is an error that says where it was looked for
//! and how to get it. (A process of its own: a loaded library stays loaded.)

use std::path::Path;

#[test]
fn a_missing_or_foreign_library_is_an_error_that_says_how_to_get_it() {
    let missing = vlm::runtime::init(Some(Path::new("/nowhere/libonnxruntime.so"))).unwrap_err().to_string();
    assert!(missing.contains("/nowhere/libonnxruntime.so"), "{missing}");
    assert!(missing.contains("make setup") && missing.contains("pip install onnxruntime==1.31.1"), "{missing}");

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("libonnxruntime.so");
    std::fs::write(&file, b"not a library").unwrap();
    let foreign = vlm::runtime::init(Some(&file)).unwrap_err();
    assert!(matches!(foreign, vlm::Error::NoRuntime { .. }), "{foreign:?}");
    assert!(vlm::runtime::library().is_none());
}
