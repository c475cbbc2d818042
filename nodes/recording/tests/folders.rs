//! Which files of a folder are one recording, whatever `metadata.yaml` says of them; and what is none.

mod foreign;

use std::path::Path;

use foreign::{Said, contents, pack, picture, pictures, refusal, times, walk, write_mcap, write_metadata};
use recording::{BagReader, Error};

/// A folder called `bag` with three pieces of one recording, and the messages.
fn split(scratch: &Path) -> (std::path::PathBuf, Vec<Vec<Said>>) {
    let folder = scratch.join("bag");
    std::fs::create_dir(&folder).expect("a new folder");
    let pieces: Vec<Vec<Said>> = (1..4).map(walk).collect();
    for (number, piece) in pieces.iter().enumerate() {
        write_mcap(&folder.join(format!("bag_{number}.mcap")), piece);
    }
    write_metadata(&folder, &["bag_0.mcap", "bag_1.mcap", "bag_2.mcap"]);
    (folder, pieces)
}

#[test]
fn metadata_that_is_missing_empty_damaged_or_of_another_place_hides_nothing() {
    let scratch = tempfile::tempdir().unwrap();
    let (folder, pieces) = split(scratch.path());
    let metadata = folder.join("metadata.yaml");
    let whole = times(&pieces.concat());
    let texts = [
        "",
        "a: [",
        "rosbag2_bagfile_information: {}",
        "rosbag2_bagfile_information: {relative_file_paths: [bag/bag_0.mcap, bag/bag_1.mcap, bag/bag_2.mcap]}",
        "rosbag2_bagfile_information: {relative_file_paths: [/home/x/bag_0.mcap, /home/x/bag_1.mcap, ../bag_2.mcap]}",
        "rosbag2_bagfile_information: {relative_file_paths: [old_0.mcap, old_1.mcap, old_2.mcap]}",
        // A recorder that was killed later, behind a list that somebody made before.
        "rosbag2_bagfile_information: {relative_file_paths: [bag_0.mcap]}",
        "rosbag2_bagfile_information: {relative_file_paths: [bag_0.mcap.zstd, bag_1.mcap.zstd, bag_2.mcap.zstd]}",
    ];
    for text in texts {
        std::fs::write(&metadata, text).unwrap();
        assert_eq!(pictures(&folder), (whole.clone(), Vec::new()), "{text}");
        assert_eq!(std::fs::read_to_string(&metadata).unwrap(), text, "left as it was");
        assert_eq!(pictures(&metadata).0, whole, "the file stands for its folder");
    }
    std::fs::remove_file(&metadata).unwrap();
    let before = contents(&folder);
    assert_eq!(pictures(&folder), (whole.clone(), Vec::new()));
    assert_eq!(contents(&folder), before, "nothing is written");
    assert_eq!(pictures(scratch.path()).0, whole, "the only recording below a folder");
}

#[test]
fn pieces_that_are_not_there_or_hold_nothing_are_said() {
    let scratch = tempfile::tempdir().unwrap();
    let (folder, pieces) = split(scratch.path());
    let rest = times(&[pieces[0].clone(), pieces[2].clone()].concat());
    std::fs::write(folder.join("bag_1.mcap"), "").unwrap();
    let (read, damage) = pictures(&folder);
    assert_eq!(read, rest);
    assert!(damage.len() == 1 && damage[0].contains("bag_1.mcap") && damage[0].contains("empty"), "{damage:?}");
    std::fs::remove_file(folder.join("bag_1.mcap")).unwrap();
    let (read, damage) = pictures(&folder);
    assert_eq!(read, rest);
    assert!(damage.len() == 1 && damage[0].contains("bag_1.mcap") && damage[0].contains("not there"), "{damage:?}");
}

#[test]
fn one_file_in_two_forms_is_read_once() {
    let scratch = tempfile::tempdir().unwrap();
    let (folder, pieces) = split(scratch.path());
    let packed = pack(&std::fs::read(folder.join("bag_1.mcap")).unwrap());
    std::fs::write(folder.join("bag_1.mcap.zstd"), packed).unwrap();
    let whole = times(&pieces.concat());
    assert_eq!(pictures(&folder), (whole.clone(), Vec::new()));
    std::fs::remove_file(folder.join("metadata.yaml")).unwrap();
    assert_eq!(pictures(&folder), (whole.clone(), Vec::new()));
    std::fs::remove_file(folder.join("bag_1.mcap")).unwrap();
    assert_eq!(pictures(&folder), (whole, Vec::new()));
}

#[test]
fn paths_never_leave_the_folder() {
    let scratch = tempfile::tempdir().unwrap();
    let folder = scratch.path().join("bag");
    std::fs::create_dir(&folder).unwrap();
    let secret = scratch.path().join("secret.mcap");
    write_mcap(&secret, &walk(1));
    write_mcap(&folder.join("bag_0.mcap"), &walk(2));
    for listed in ["../secret.mcap", &*secret.to_string_lossy()] {
        write_metadata(&folder, &["bag_0.mcap", listed]);
        let (read, damage) = pictures(&folder);
        assert_eq!(read, times(&walk(2)), "{listed}");
        assert!(damage.len() == 1 && damage[0].contains("secret.mcap"), "{damage:?}");
    }
}

fn several(path: &Path) -> Vec<String> {
    let recordings = match BagReader::open(path).err() {
        Some(Error::Several { recordings, .. }) => recordings,
        other => panic!("{other:?}"),
    };
    assert!(refusal(path).contains("expected one recording"), "{}", refusal(path));
    assert!(recordings.iter().all(|recording| recording.exists()));
    recordings.iter().map(|path| path.file_name().expect("a named file").to_string_lossy().into_owned()).collect()
}

#[test]
fn a_folder_of_several_recordings_is_told_apart() {
    let scratch = tempfile::tempdir().unwrap();
    let at = |name: &str| scratch.path().join(name);
    std::fs::create_dir(at("days")).unwrap();
    write_mcap(&at("days/monday.mcap"), &walk(1));
    write_mcap(&at("days/tuesday.mcap"), &[picture("/other/image_raw", 5, "rgb8")]);
    assert_eq!(several(&at("days")), ["monday.mcap", "tuesday.mcap"]);
    std::fs::create_dir(at("runs")).unwrap();
    write_mcap(&at("runs/run_1.mcap"), &walk(1));
    write_mcap(&at("runs/run_2.mcap"), &walk(90_000));
    assert_eq!(several(&at("runs")), ["run_1.mcap", "run_2.mcap"]);
    for name in ["all/first", "all/second"] {
        std::fs::create_dir_all(at(name)).unwrap();
        write_mcap(&at(name).join("bag_0.mcap"), &walk(1));
    }
    assert_eq!(several(&at("all")), ["first", "second"]);
}

#[test]
fn what_is_no_recording_of_ros_2_is_named_with_what_to_do() {
    let scratch = tempfile::tempdir().unwrap();
    let packed_text = pack(b"remember");
    let cases: [(&str, &[u8], &[&str]); 9] = [
        ("noetic.bag", b"#ROSBAG V2.0\n", &["ROS 1", "rosbags-convert"]),
        ("empty.mcap", b"", &["empty file"]),
        ("zeros.mcap", &[0; 100], &["zeros"]),
        ("notes.txt", b"remember", &["text: \"remember\""]),
        ("walk.mp4", b"\0\0\0\x20ftypisom", &["video"]),
        ("walk.mcap.gz", b"\x1f\x8b\x08\0", &["gzip", "gunzip"]),
        ("text.mcap.zstd", &packed_text, &["zstd", "text"]),
        ("cut.mcap.zstd", &packed_text[..6], &["zstd"]),
        ("what.mcap", b"\x01\x02\xff", &["unknown", "01 02 ff"]),
    ];
    for (name, bytes, words) in cases {
        let path = scratch.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        let text = refusal(&path);
        assert!(text.contains(name) && words.iter().all(|word| text.contains(word)), "{text}");
        std::fs::remove_file(path).unwrap();
    }
    std::fs::write(scratch.path().join("noetic.bag"), "#ROSBAG V2.0\n").unwrap();
    let text = refusal(scratch.path());
    assert!(text.contains("found neither") && text.contains("noetic.bag is a ROS 1 bag"), "{text}");
    write_mcap(&scratch.path().join("nothing.mcap"), &[]);
    let text =
        BagReader::open(&scratch.path().join("nothing.mcap")).unwrap().image_topic(None).unwrap_err().to_string();
    assert!(text.contains("no topics: nothing was recorded") && !text.ends_with(":\n"), "{text}");
}
