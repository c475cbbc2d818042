//! `spacer-train episodes` on several bags: a bad one costs no other, and a folder of several is each of them.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use recording::messages::{Header, Image, Time};
use recording::{BagWriter, Definitions, Topic, WriterSettings};

/// A bag of one camera; its id is its folder's name.
fn bag(folder: &Path, topics: &[&str]) -> PathBuf {
    let mut writer = BagWriter::create(folder, WriterSettings::default()).expect("a new bag");
    for topic in topics {
        let id = writer.add_topic(Topic::of::<Image<'_>>(topic, &Definitions::new("")).expect("a known type"));
        let header = Header { stamp: Time::from_nanos(1_000_000_000), frame_id: "camera".to_owned() };
        let (data, encoding) = (vec![90; 64 * 48], "mono8".to_owned());
        let image = Image { header, height: 48, width: 64, encoding, is_bigendian: 0, step: 64, data: &data };
        writer.write_message(id, 1_000_000_000, &image).expect("a writable bag");
    }
    writer.close().expect("a writable bag");
    folder.to_owned()
}

fn make(bags: &[&Path], out: &Path, more: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_spacer-train"));
    command.args(["episodes", "--json", "--out"]).arg(out).args(more).arg("--bag").args(bags);
    command.output().expect("the built command")
}

fn counts(output: &Output) -> [u64; 3] {
    let counts: serde_json::Value = serde_json::from_slice(&output.stdout).expect("counts");
    ["episodes", "bags", "bags_left_out"].map(|key| counts[key].as_u64().expect("a number"))
}

fn errors(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_bad_bag_of_many_is_left_out_with_its_reason_and_the_others_are_written() {
    let scratch = tempfile::tempdir().unwrap();
    let at = |name: &str| scratch.path().join(name);
    let good = ["first", "second"].map(|name| bag(&at(name), &["/camera/image_raw"]));
    let two = bag(&at("two-cameras"), &["/front/image_raw", "/rear/image_raw"]);
    let text = at("notes.mcap");
    std::fs::write(&text, "remember").unwrap();
    let bags = [good[0].as_path(), &text, &two, &good[1]];

    let made = make(&bags, &at("out"), &[]);
    assert!(!made.status.success(), "a bag that is left out is an error");
    assert_eq!(counts(&made), [2, 4, 2]);
    let said = errors(&made);
    assert!(
        said.contains("notes.mcap: expected a recording of ROS 2") && said.contains("--topic image=NAME"),
        "{said}"
    );
    assert!(said.contains("2 of 4 bags") && said.contains("--skip-broken"), "{said}");
    let lines = std::fs::read_to_string(at("out").join("episodes.jsonl")).unwrap();
    assert!(lines.contains("\"first\"") && lines.contains("\"second\"") && lines.lines().count() == 2, "{lines}");

    let skipped = make(&bags, &at("out-skipped"), &["--skip-broken"]);
    assert!(skipped.status.success(), "{}", errors(&skipped));
    assert_eq!(counts(&skipped), [2, 4, 2]);
    let alone = make(&[&text], &at("out-alone"), &[]);
    assert!(!alone.status.success() && errors(&alone).contains("notes.mcap"), "{}", errors(&alone));
}

#[test]
fn a_folder_of_several_recordings_is_each_of_them() {
    let scratch = tempfile::tempdir().unwrap();
    let at = |name: &str| scratch.path().join(name);
    bag(&at("days/monday"), &["/camera/image_raw"]);
    bag(&at("days/tuesday"), &["/other/image_raw"]);
    let made = make(&[&at("days")], &at("out"), &[]);
    assert!(made.status.success(), "{}", errors(&made));
    assert_eq!(counts(&made), [2, 2, 0]);
    let lines = std::fs::read_to_string(at("out").join("episodes.jsonl")).unwrap();
    assert!(lines.contains("\"monday\"") && lines.contains("\"tuesday\""), "{lines}");
}
