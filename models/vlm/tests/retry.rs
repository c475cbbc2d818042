//! A load that failed can be tried again with another library, in the same process and from several threads at once.

use std::path::Path;
use std::thread::{Builder, scope};

#[test]
fn after_failures_the_right_library_loads_once_for_all_threads() {
    let folder = tempfile::tempdir().unwrap();
    let foreign = folder.path().join("libonnxruntime.so");
    std::fs::write(&foreign, b"not a library").unwrap();
    for wrong in [Path::new("/nowhere/libonnxruntime.so"), &foreign, Path::new("libc.so.6")] {
        let error = vlm::runtime::init(Some(wrong)).unwrap_err();
        assert!(matches!(error, vlm::Error::NoRuntime { .. }), "{error:?}");
        assert!(error.to_string().contains(&wrong.display().to_string()), "{error}");
        assert_eq!(vlm::runtime::library(), None);
    }
    scope(|scope| {
        let start =
            |name: &str| Builder::new().name(name.into()).spawn_scoped(scope, || vlm::runtime::init(None)).unwrap();
        for worker in [start("one"), start("two"), start("three")] {
            worker.join().unwrap().unwrap();
        }
    });
    let library = vlm::runtime::library().unwrap();
    vlm::runtime::init(Some(Path::new("/nowhere/libonnxruntime.so"))).unwrap();
    assert_eq!(vlm::runtime::library(), Some(library));
}
