//! SpaceR's files are read as published, refused where broken, and written so that they read back.

mod made;

use std::path::Path;

use episodes::Episode;
use episodes::episode::{LabelSource, Picture, PictureFormat, ProblemType};
use episodes::sampling::FrameSampling;
use episodes::spacer::{Records, SpacerEpisodes, SpacerFiles, SpacerWriter};

const VIDEO: &str = r#"{"problem_id": 17, "problem": "How many chairs are there?", "data_type": "video", "problem_type": "numerical", "options": [], "solution": "<answer>3</answer>", "path": "./videos/scene0001_00.mp4", "data_source": "SR_dataset"}"#;
const CHOICE: &str = r#"{"problem_id": "b", "problem": "Which is closest?", "data_type": "video", "problem_type": "multiple choice", "options": ["A. table", "B. bed"], "solution": "<answer>B</answer>", "path": "./videos/scene0001_00.mp4", "data_source": "SR_dataset"}"#;
const IMAGE: &str = r#"{"problem_id": 4, "problem": "What does the sign say?", "data_type": "image", "problem_type": "OCR", "solution": "<answer>EXIT</answer>", "path": "images/sign.png", "data_source": "text_vqa"}"#;
const EXCLUDED: &str = r#"{"problem_id": 5, "problem": "?", "data_type": "video", "problem_type": "regression", "solution": "<answer>1</answer>", "path": "videos/test_scene.mp4", "data_source": "SR_dataset"}"#;
const MAP: &str = r#"{"video_id": "scene0001_00", "cognitive_map": {"Chair": [[1, 2], [3, 4], [9, 0]], "bed": [[5, 5]]}, "object_list": ["chair", "Bed", "table"]}"#;

/// A folder as SpaceR's: a video that this project writes, a picture, questions, maps.
fn lay_out(folder: &Path, lines: &[&str]) -> SpacerFiles {
    let clip = made::episode_of(&made::clip());
    let mut writer = SpacerWriter::create(&folder.join("scratch"), 2.0).expect("a writable folder");
    writer.write(&Episode { id: "scene0001_00".into(), ..clip.clone() }).expect("a video");
    writer.finish().expect("a writable folder");
    std::fs::rename(folder.join("scratch/videos"), folder.join("videos")).expect("the video");
    std::fs::create_dir(folder.join("images")).expect("a writable folder");
    std::fs::write(folder.join("images/sign.png"), clip.frames[0].picture.bytes().expect("a picture"))
        .expect("a writable folder");
    std::fs::write(folder.join("SpaceR-151k.jsonl"), lines.join("\n")).expect("a writable folder");
    std::fs::write(folder.join("cognitive_map.jsonl"), MAP).expect("a writable folder");
    std::fs::write(folder.join("excluded.txt"), "# VSI-Bench\ntest_scene.mp4\n").expect("a writable folder");
    let files = SpacerFiles::beside(&folder.join("SpaceR-151k.jsonl"));
    SpacerFiles { excluded: Some(folder.join("excluded.txt")), ..files }
}

#[test]
fn questions_about_one_video_make_one_episode_with_its_map() {
    let scratch = tempfile::tempdir().unwrap();
    let files = lay_out(scratch.path(), &[VIDEO, IMAGE, "", CHOICE, EXCLUDED]);
    let sampling = FrameSampling { most: 3, ..FrameSampling::default() };
    let read = SpacerEpisodes::open(&files, sampling).unwrap();
    assert_eq!(read.excluded(), 1);
    let episodes: Vec<Episode> = read.map(Result::unwrap).collect();
    let [video, image] = episodes.as_slice() else { panic!("{} episodes", episodes.len()) };
    assert_eq!(
        (video.id.as_str(), video.data_source.as_str(), video.frames.len()),
        ("videos_scene0001_00", "SR_dataset", 3)
    );
    assert_eq!(video.frames[2].stamp_nanos, 2_000_000_000, "the last of five frames at 2 Hz");
    let questions: Vec<_> = video.questions.iter().map(|q| (q.id.as_str(), q.problem_type, q.options.len())).collect();
    assert_eq!(questions, [("17", ProblemType::Numerical, 0), ("b", ProblemType::MultipleChoice, 2)]);
    let label = video.questions[1].label.as_ref().unwrap();
    assert_eq!((label.text.as_str(), label.source), ("B", LabelSource::Dataset));
    let map = video.map.as_ref().unwrap();
    assert_eq!((map.cells.objects["chair"].as_slice(), map.object_list.len()), (&[[1, 2], [3, 4], [9, 0]][..], 3));
    assert_eq!((image.frames.len(), image.map.as_ref()), (1, None));
    assert_eq!(image.frames[0].picture, Picture::read(&scratch.path().join("images/sign.png")).unwrap());
}

#[test]
fn what_is_wrong_with_a_line_is_said_with_file_line_field_expected_and_found() {
    let scratch = tempfile::tempdir().unwrap();
    let files = lay_out(scratch.path(), &[VIDEO]);
    let error = |line: &str| {
        std::fs::write(&files.questions, format!("{VIDEO}\n{line}\n")).expect("a writable folder");
        let mut read = SpacerEpisodes::open(&files, FrameSampling::default()).expect("the other lines");
        assert_eq!(read.records(), Records { all: 2, left_out: 1 }, "{line}");
        let reasons = read.take_left_out();
        assert_eq!(read.next().expect("the first line's").expect("whole").questions.len(), 1);
        reasons.into_iter().find(|reason| reason.contains("SpaceR-151k.jsonl")).unwrap_or_default()
    };
    for (line, field, found) in [
        (
            VIDEO.replace("\"numerical\"", "\"number\""),
            "field problem_type: expected \"multiple choice\"",
            "\"number\"",
        ),
        (
            VIDEO.replace("<answer>3</answer>", "<answer>3"),
            "field solution: expected <answer>…</answer>",
            "\"<answer>3",
        ),
        (CHOICE.replace("<answer>B</answer>", "<answer>C</answer>"), "field solution: expected a letter of 2", "C"),
        (
            CHOICE.replace("\"A. table\", \"B. bed\"", &["\"x\""; 27].join(",")),
            "field options: expected at most 26",
            "x",
        ),
        (VIDEO.replace("\"problem_id\": 17", "\"problem_id\": [1]"), "field problem_id", "[1]"),
        (VIDEO.replace("\"path\"", "\"file\""), "field path: expected a text", "nothing"),
        (CHOICE.replace("[\"A. table\", \"B. bed\"]", "[]"), "field options", "[]"),
        (CHOICE.replace("\"A. table\"", "7"), "field options: expected a list of texts", "7"),
        ("{\"problem_id\"".to_owned(), "field record: expected a JSON object", "EOF"),
    ] {
        let text = error(&line);
        assert!(text.contains("SpaceR-151k.jsonl:2: ") && text.contains(field) && text.contains(found), "{text}");
    }
    std::fs::write(&files.questions, VIDEO).unwrap();
    std::fs::write(files.maps.as_ref().unwrap(), MAP.replace("[9, 0]", "[10, 0]")).unwrap();
    let mut read = SpacerEpisodes::open(&files, FrameSampling::default()).unwrap();
    let reasons = read.take_left_out();
    let text = reasons.first().unwrap();
    assert!(text.contains("cognitive_map.jsonl:1: field cognitive_map: expected") && text.contains("10"), "{text}");
    assert!(read.next().unwrap().unwrap().map.is_none(), "one bad map leaves out one map");
    std::fs::write(files.maps.as_ref().unwrap(), MAP.replace("scene0001_00", "scene0009_00")).unwrap();
    let reasons = SpacerEpisodes::open(&files, FrameSampling::default()).unwrap().take_left_out();
    assert!(reasons[0].contains("excluded.txt: expected names of these videos, found none of 1"), "{reasons:?}");
    assert!(reasons[1].contains("1 maps of videos that no question is about, such as \"scene0009_00\""), "{reasons:?}");
}

#[test]
fn records_are_read_as_people_write_them() {
    let scratch = tempfile::tempdir().unwrap();
    let files = lay_out(scratch.path(), &[]);
    let labels = |text: &[u8]| -> Vec<String> {
        std::fs::write(&files.questions, text).expect("a writable folder");
        let mut read = SpacerEpisodes::open(&files, FrameSampling::default()).expect("questions");
        let reasons = read.take_left_out();
        assert_eq!(read.records().left_out, 0, "{reasons:?}");
        let episodes: Vec<Episode> = read.map(|episode| episode.expect("whole")).collect();
        let questions = episodes.iter().flat_map(|episode| &episode.questions);
        questions.map(|question| question.label.as_ref().expect("a label").text.clone()).collect()
    };
    let bare = VIDEO.replace("\"<answer>3</answer>\"", "3");
    let lines = [VIDEO, bare.as_str()];
    assert_eq!(labels(lines.join("\n").as_bytes()), ["3", "3"]);
    assert_eq!(labels(format!("[{}]", lines.join(",\n")).as_bytes()), ["3", "3"]);
    assert_eq!(labels(format!("\u{feff}{VIDEO}\r\n\r\n").as_bytes()), ["3"]);
    let utf16: Vec<u8> = format!("\u{feff}{VIDEO}").encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(labels(&utf16), ["3"]);
    for (solution, label) in [("1,200", "1200"), ("three", "3"), ("1/2", "0.5"), ("2.5 m", "2.5"), ("2.50", "2.50")] {
        assert_eq!(labels(VIDEO.replace("<answer>3<", &format!("<answer>{solution}<")).as_bytes()), [label]);
    }
    for options in
        ["\"(A) table\", \"(B) bed\"", "\"A: table\", \"B: bed\"", "\"a. table\", \"b. bed\"", "\"table\", \"bed\""]
    {
        for solution in ["B", "(B)", "B. bed", "bed", "<answer> b) </answer>"] {
            let line = CHOICE.replace("\"A. table\", \"B. bed\"", options).replace("<answer>B</answer>", solution);
            assert_eq!(labels(line.as_bytes()), ["B"], "{line}");
        }
    }
}

#[test]
fn maps_are_found_where_they_lie_and_by_any_name_of_the_video() {
    let scratch = tempfile::tempdir().unwrap();
    let files = lay_out(scratch.path(), &[VIDEO]);
    let maps = files.maps.clone().expect("maps");
    let folder = scratch.path().join("annotation");
    std::fs::create_dir(&folder).unwrap();
    std::fs::remove_file(&maps).unwrap();
    for name in ["scene0001_00", "scene0001_00.mp4", "./videos/scene0001_00.mp4", "videos/scene0001_00"] {
        std::fs::write(folder.join("cognitive_map.jsonl"), MAP.replace("scene0001_00", name)).unwrap();
        let beside = SpacerFiles::beside(&files.questions);
        assert_eq!(beside.maps.as_deref(), Some(folder.join("cognitive_map.jsonl").as_path()));
        let mut read =
            SpacerEpisodes::open(&SpacerFiles { media: files.media.clone(), ..beside }, FrameSampling::default())
                .unwrap();
        assert_eq!(read.take_left_out(), [""; 0], "{name}");
        assert!(read.next().unwrap().unwrap().map.is_some(), "{name}");
    }
}

/// `data/variable_rate.mp4`, made for this test: 60 frames in the first two seconds, then one each second up to the ninth.
#[test]
fn frames_are_taken_by_time_and_not_by_number() {
    let scratch = tempfile::tempdir().unwrap();
    let files = lay_out(scratch.path(), &[VIDEO]);
    let video = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/variable_rate.mp4");
    std::fs::copy(video, scratch.path().join("videos/scene0001_00.mp4")).unwrap();
    let sampling = FrameSampling { rate_hz: 1.0, ..FrameSampling::default() };
    let episode = SpacerEpisodes::open(&files, sampling).unwrap().next().unwrap().unwrap();
    let secs: Vec<f64> = episode.frames.iter().map(|frame| frame.stamp_nanos as f64 * 1e-9).collect();
    assert!(secs.len() == 10 && secs.iter().zip(0..).all(|(secs, at)| (secs - f64::from(at)).abs() < 0.05), "{secs:?}");
}

#[test]
fn an_absent_or_broken_video_is_named_in_its_place() {
    let scratch = tempfile::tempdir().unwrap();
    let files = lay_out(scratch.path(), &[VIDEO, &VIDEO.replace("scene0001_00", "gone"), IMAGE]);
    std::fs::write(scratch.path().join("images/sign.png"), "no picture").unwrap();
    let read: Vec<_> = SpacerEpisodes::open(&files, FrameSampling::default()).unwrap().collect();
    assert!(read[0].is_ok());
    assert!(read[1].as_ref().unwrap_err().to_string().contains("gone.mp4"));
    assert!(read[2].as_ref().unwrap_err().to_string().contains("sign.png"));
}

#[test]
fn episodes_written_as_spacer_files_read_back() {
    let scratch = tempfile::tempdir().unwrap();
    let folder = scratch.path().join("out");
    let mut episode = made::episode_of(&made::clip());
    // One question about the last frame alone, and one that nobody knows.
    let newest = episode.frames.last().unwrap().stamp_nanos;
    let mut alone = episode.questions[0].clone();
    alone.span.as_mut().unwrap().from_nanos = newest;
    let open = episodes::episode::Question { label: None, ..alone.clone() };
    episode.questions.extend([alone, open]);
    let mut writer = SpacerWriter::create(&folder, 2.0).unwrap();
    writer.write(&episode).unwrap();
    writer.finish().unwrap();
    let files = SpacerFiles::beside(&folder.join("questions.jsonl"));
    let sampling = FrameSampling { format: PictureFormat::Png, ..FrameSampling::default() };
    let read: Vec<Episode> = SpacerEpisodes::open(&files, sampling).unwrap().map(Result::unwrap).collect();
    let [video, image] = read.as_slice() else { panic!("{} episodes", read.len()) };
    let texts = |episode: &Episode| -> Vec<_> {
        let known = episode.questions.iter().filter(|question| question.label.is_some());
        known.map(|q| (q.text.clone(), q.problem_type, q.label.clone())).collect()
    };
    let written = texts(&episode);
    assert_eq!(
        (texts(video), texts(image)),
        (written[..written.len() - 1].to_vec(), written[written.len() - 1..].to_vec())
    );
    assert_eq!(video.map.as_ref().unwrap().cells.objects, episode.map.as_ref().unwrap().cells.objects);
    assert_eq!((video.frames.len(), image.frames[0].picture.clone()), (5, episode.frames[4].picture.clone()));
    for (read, written) in video.frames.iter().zip(&episode.frames) {
        let (read, written) = (read.picture.decode().unwrap(), written.picture.decode().unwrap());
        let apart: u64 = read.as_raw().iter().zip(written.as_raw()).map(|(a, b)| u64::from(a.abs_diff(*b))).sum();
        let mean = apart as f64 / read.as_raw().len() as f64;
        assert!(read.dimensions() == written.dimensions() && mean < 12.0, "the video is the pictures: {mean}");
    }
}
