//! Sources that are not there, hold nothing, or hold something else.

use capture::Capture;

fn refusal(source: &str) -> String {
    Capture::open(source).err().map_or_else(|| "opened".to_owned(), |error| error.to_string())
}

#[test]
fn a_source_that_is_no_source_is_refused_by_name() {
    let dir = tempfile::tempdir().expect("a writable temporary folder");
    let path = dir.path().to_str().expect("a path in UTF-8");
    assert!(refusal(&format!("{path}/none.mp4")).contains("found nothing at"));
    assert!(refusal(path).contains("found none"));
    std::fs::write(dir.path().join("words.mp4"), "no video").expect("a writable temporary folder");
    assert!(refusal(&format!("{path}/words.mp4")).contains("can't open"));
}

#[test]
fn a_picture_that_is_none_is_skipped_by_name() {
    let dir = tempfile::tempdir().expect("a writable temporary folder");
    std::fs::write(dir.path().join("a.png"), "no picture").expect("a writable temporary folder");
    std::fs::write(dir.path().join("b.ppm"), b"P6\n2 1\n255\n\0\x01\x02\x03\x04\x05")
        .expect("a writable temporary folder");
    let mut capture = Capture::open(dir.path().to_str().expect("a path in UTF-8")).expect("a folder of pictures");
    let refused = capture.read().err().map(|error| error.to_string()).unwrap_or_default();
    assert!(refused.contains("a.png: expected a JPEG or PNG"), "{refused}");
    let frame = capture.read().expect("the second file is a picture").expect("and not the end");
    assert_eq!((frame.width, frame.height, frame.data), (2, 1, vec![2, 1, 0, 5, 4, 3]));
    assert!(capture.read().expect("the end").is_none());
}
