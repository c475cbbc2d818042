//! Frames stand upright and are whole, whoever wrote the file.

use std::path::Path;

use capture::{Bgr8Frame, Capture, Event, Mp4Writer, Watched};
use image::codecs::jpeg::JpegEncoder;

const WIDTH: u32 = 96;
const HEIGHT: u32 = 64;
const RED: [u8; 3] = [220, 20, 20];
const BLUE: [u8; 3] = [20, 20, 220];

/// Left half red, right half blue.
fn rgb() -> Vec<u8> {
    (0..WIDTH * HEIGHT).flat_map(|at| if at % WIDTH < WIDTH / 2 { RED } else { BLUE }).collect()
}

/// The colour at a place of a frame, as far as video codecs keep it.
fn is(frame: &Bgr8Frame, (x, y): (u32, u32), rgb: [u8; 3]) -> bool {
    let at = 3 * (y * frame.width + x) as usize;
    frame.data[at..at + 3].iter().rev().zip(rgb).all(|(found, expected)| found.abs_diff(expected) < 60)
}

fn open(path: &Path) -> Capture {
    Capture::open(path.to_str().expect("a path in UTF-8")).expect("a source")
}

/// A video whose track header says how it is to be turned: the matrix of ISO 14496-12, 8.3.2.
fn turned_video(path: &Path, matrix: [i32; 4]) {
    let mut writer = Mp4Writer::create(path, 10.0, WIDTH, HEIGHT).expect("an encoder");
    for _ in 0..3 {
        writer.write(WIDTH, HEIGHT, &rgb()).expect("a frame");
    }
    writer.finish().expect("a video");
    let mut file = std::fs::read(path).expect("a video");
    let header = file.windows(4).position(|name| name == b"tkhd").expect("a track header");
    // Behind the name: version and flags, times, numbers, layer and volume.
    let at = header + 4 + if file[header + 4] == 0 { 40 } else { 52 };
    let [a, b, c, d] = matrix.map(|factor| (factor << 16).to_be_bytes());
    for (place, value) in [(0, a), (4, b), (12, c), (16, d)] {
        file[at + place..at + place + 4].copy_from_slice(&value);
    }
    std::fs::write(path, file).expect("a writable temporary folder");
}

#[test]
fn videos_of_phones_are_turned() {
    let dir = tempfile::tempdir().expect("a writable temporary folder");
    let path = dir.path().join("phone.mp4");
    let (left, right) = ((5, 30), (90, 30));
    let (top, bottom) = ((30, 5), (30, 90));
    for (degrees, matrix, red, blue) in [
        (0, [1, 0, 0, 1], left, right),
        (90, [0, 1, -1, 0], top, bottom),
        (180, [-1, 0, 0, -1], right, left),
        (270, [0, -1, 1, 0], bottom, top),
    ] {
        turned_video(&path, matrix);
        let frame = open(&path).read().expect("a frame").expect("and not the end");
        let expected = if degrees % 180 == 0 { (WIDTH, HEIGHT) } else { (HEIGHT, WIDTH) };
        assert_eq!((frame.width, frame.height), expected, "{degrees}");
        assert!(is(&frame, red, RED) && is(&frame, blue, BLUE), "{degrees}");
    }
}

fn jpeg() -> Vec<u8> {
    let mut file = Vec::new();
    JpegEncoder::new_with_quality(&mut file, 95)
        .encode(&rgb(), WIDTH, HEIGHT, image::ExtendedColorType::Rgb8)
        .expect("an encoder in memory");
    file
}

#[test]
fn pictures_of_phones_are_turned_and_cut_ones_are_skipped() {
    let dir = tempfile::tempdir().expect("a writable temporary folder");
    let whole = jpeg();
    // To be turned by a quarter, clockwise.
    let exif = b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0";
    let length = (exif.len() as u16 + 2).to_be_bytes();
    let told = [&whole[..2], &[0xFF, 0xE1], &length, exif, &whole[2..]].concat();
    for (name, bytes) in [("a.jpg", &whole[..whole.len() * 7 / 10]), ("b.jpg", &told), ("c.jpg", &whole)] {
        std::fs::write(dir.path().join(name), bytes).expect("a writable temporary folder");
    }
    let mut capture = open(dir.path());
    let refused = capture.read().err().map(|error| error.to_string()).unwrap_or_default();
    assert!(refused.contains("a.jpg: JPEG") && refused.contains("was cut"), "{refused}");
    let turned = capture.read().expect("a picture").expect("and not the end");
    assert_eq!((turned.width, turned.height), (HEIGHT, WIDTH));
    assert!(is(&turned, (30, 5), RED) && is(&turned, (30, 90), BLUE));
    let plain = capture.read().expect("a picture").expect("and not the end");
    assert!((plain.width, plain.height) == (WIDTH, HEIGHT) && is(&plain, (5, 30), RED));
    assert!(capture.read().expect("the end").is_none());
}

/// What a watched source gives, until it ends.
fn events(watched: &Watched, most: usize) -> Vec<String> {
    let mut events = Vec::new();
    let until = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while std::time::Instant::now() < until && events.len() < most {
        match watched.take() {
            Some(Event::Frame(frame, _)) => events.push(format!("{}x{}", frame.width, frame.height)),
            Some(Event::Skipped(why)) => events.push(why),
            Some(Event::End) => {
                events.push("end".to_owned());
                break;
            }
            None => std::thread::sleep(std::time::Duration::from_millis(1)),
        }
    }
    events
}

#[test]
fn a_watched_folder_gives_every_frame_and_ends_or_begins_anew() {
    let dir = tempfile::tempdir().expect("a writable temporary folder");
    for name in ["a.jpg", "b.jpg"] {
        std::fs::write(dir.path().join(name), jpeg()).expect("a writable temporary folder");
    }
    std::fs::write(dir.path().join("c.png"), "no picture").expect("a writable temporary folder");
    let source = dir.path().to_str().expect("a path in UTF-8");
    let watched = Watched::start(source, false).expect("a folder of pictures");
    let found = events(&watched, 100);
    assert_eq!((found.len(), found[0].as_str(), found[3].as_str()), (4, "96x64", "end"));
    assert!(found[2].contains("c.png") && !watched.is_live() && watched.absence().is_none());
    let watched = Watched::start(source, true).expect("a folder of pictures");
    assert_eq!(events(&watched, 7).iter().filter(|event| *event == "96x64").count(), 5);
}

#[test]
fn what_shows_nothing_does_not_begin_anew_for_ever() {
    let dir = tempfile::tempdir().expect("a writable temporary folder");
    std::fs::write(dir.path().join("a.png"), "no picture").expect("a writable temporary folder");
    let watched = Watched::start(dir.path().to_str().expect("a path in UTF-8"), true).expect("a folder of pictures");
    let found = events(&watched, 100);
    assert_eq!(found[1..], ["no frame of it can be read", "end"], "{found:?}");
}

#[test]
fn a_stream_may_come_later_and_a_file_may_not() {
    let watched = Watched::start("http://127.0.0.1:1/nothing.mjpg", false).expect("a stream may come later");
    let until = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while watched.absence().is_none() && std::time::Instant::now() < until {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    let absence = watched.absence().expect("nobody sends");
    assert!(watched.is_live() && absence.reason.contains("can't open"), "{absence:?}");
    assert!(Watched::start("/nowhere/walk.mp4", false).is_err());
    for (source, expected) in [
        ("0", true),
        ("/dev/video2", true),
        ("/dev/v4l/by-id/usb-cam", true),
        ("rtsp://10.0.0.2/stream", true),
        ("file:///home/me/walk.mp4", false),
        ("walk.mp4", false),
    ] {
        assert_eq!(capture::is_live(source), expected, "{source}");
    }
}
