//! The built command on the committed model, as a user runs it.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use recording::messages::{
    CameraInfo, Header, Image, Odometry, Quaternion, TfMessage, Time, Transform, TransformStamped, Vector3,
};
use recording::{BagWriter, Definitions, Topic, WriterSettings};

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

/// A bag with `topics` of grey pictures; the first has a calibrated camera 0.6 m over the ground.
fn bag(topics: &[&str]) -> tempfile::TempDir {
    bag_of(topics, Contents::default())
}

/// What a bag has beside its pictures' topics.
struct Contents<'a> {
    /// What its pictures say.
    encoding: &'a str,
    /// Topics of odometry.
    odometry: &'a [&'a str],
    /// A last picture lies about its size and clock.
    last_lies: bool,
}

impl Default for Contents<'_> {
    fn default() -> Self {
        Self { encoding: "mono8", odometry: &[], last_lies: false }
    }
}

/// As [`bag`], with these contents.
fn bag_of(topics: &[&str], Contents { encoding, odometry, last_lies }: Contents<'_>) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a writable temporary folder");
    let definitions = Definitions::new("");
    let mut writer = BagWriter::create(folder.path(), WriterSettings::default()).expect("a new bag");
    let camera = Header { stamp: Time::default(), frame_id: "camera".to_owned() };
    let infos = Topic::of::<CameraInfo>("/front/camera_info", &definitions).expect("a known type");
    let infos = writer.add_topic(infos);
    let k = [80.0, 0.0, 80.0, 0.0, 80.0, 60.0, 0.0, 0.0, 1.0];
    let info = CameraInfo { header: camera, width: 160, height: 120, k, ..CameraInfo::default() };
    writer.write_message(infos, 1, &info).expect("a writable bag");
    let fixed = writer.add_topic(Topic::of::<TfMessage>("/tf_static", &definitions).expect("a known type"));
    let rotation = Quaternion { x: -0.5, y: 0.5, z: -0.5, w: 0.5 };
    let transform = Transform { translation: Vector3 { x: 0.0, y: 0.0, z: 0.6 }, rotation };
    let header = Header { stamp: Time::default(), frame_id: "base_link".to_owned() };
    let mounting = TransformStamped { header, child_frame_id: "camera".to_owned(), transform };
    writer.write_message(fixed, 1, &TfMessage { transforms: vec![mounting] }).expect("a writable bag");
    for topic in topics {
        let images = writer.add_topic(Topic::of::<Image<'_>>(topic, &definitions).expect("a known type"));
        for number in 0..4 {
            let nanos = 1_000_000_000 + i64::from(number) * 500_000_000;
            let header = Header { stamp: Time::from_nanos(nanos), frame_id: "camera".to_owned() };
            let data = &[[60 * number; 80], [60 * number + 40; 80]].concat().repeat(120)[..];
            let encoding = encoding.to_owned();
            let image = Image { header, height: 120, width: 160, encoding, is_bigendian: 0, step: 160, data };
            writer.write_message(images, nanos, &image).expect("a writable bag");
        }
        if last_lies {
            let header = Header { stamp: Time::from_nanos(77), frame_id: "nobody".to_owned() };
            let encoding = encoding.to_owned();
            let image = Image { header, height: 9, width: 7000, encoding, is_bigendian: 0, step: 7000, data: &[1] };
            writer.write_message(images, 3_000_000_000, &image).expect("a writable bag");
        }
    }
    for topic in odometry {
        let poses = writer.add_topic(Topic::of::<Odometry>(topic, &definitions).expect("a known type"));
        let header = Header { stamp: Time::from_nanos(1_000_000_000), frame_id: "odom".to_owned() };
        let pose = Odometry { header, child_frame_id: "base_link".to_owned(), ..Odometry::default() };
        writer.write_message(poses, 1_000_000_000, &pose).expect("a writable bag");
    }
    writer.close().expect("a writable bag");
    folder
}

#[test]
fn ask_says_which_odometry_was_taken_and_takes_the_one_that_is_named() {
    let (folder, model) = (
        bag_of(&["/front/image_raw"], Contents { odometry: &["/odom", "/wheels/odom"], ..Contents::default() }),
        nano(),
    );
    let (path, model) = (folder.path().to_string_lossy(), model.to_string_lossy());
    let asked = ["ask", "--bag", &path, "--model", &model, "how far is the door?"];
    let chosen = text(&spacer(&asked).stderr);
    assert!(chosen.contains("odom: ") && chosen.contains("another is taken by --odom NAME"), "{chosen}");
    let named = spacer(&[&asked[..], &["--odom", "/wheels/odom"]].concat());
    let said = text(&named.stderr);
    assert!(named.status.success() && !said.contains("chosen before"), "{said}");
    let absent = text(&spacer(&[&asked[..], &["--odom", "/nowhere"]].concat()).stderr);
    assert!(absent.contains("/nowhere") && absent.contains("/wheels/odom [nav_msgs/msg/Odometry]"), "{absent}");
}

#[test]
fn ask_says_why_no_frame_of_a_bag_could_be_used() {
    let (folder, model) =
        (bag_of(&["/front/image_raw"], Contents { encoding: "mono9", ..Contents::default() }), nano());
    let (path, model) = (folder.path().to_string_lossy(), model.to_string_lossy());
    let topic = ["--topic", "/front/image_raw"];
    let asked = ["ask", "--bag", &path, "--model", &model, "how far is the door?"];
    let output = spacer(&[&asked[..], &topic[..]].concat());
    let said = text(&output.stderr);
    let error = said.lines().find(|line| line.starts_with("Error: ")).unwrap_or_default();
    assert!(!output.status.success() && error.contains("refused: ") && error.contains("\"mono9\""), "{said}");
}

#[test]
fn a_picture_that_lies_says_nothing_about_the_camera() {
    let topics = ["/front/image_raw"];
    let answer = |last_lies: bool| -> serde_json::Value {
        let (folder, model) = (bag_of(&topics, Contents { last_lies, ..Contents::default() }), nano());
        let (path, model) = (folder.path().to_string_lossy(), model.to_string_lossy());
        let output = spacer(&["ask", "--bag", &path, "--model", &model, "--json", "how far is the door?"]);
        let said = text(&output.stderr);
        assert!(output.status.success() && said.contains("63000") == last_lies, "{said}");
        serde_json::from_slice(&output.stdout).expect("one JSON value")
    };
    let (true_ones, with_a_lie) = (answer(false), answer(true));
    assert!(true_ones["camera"].as_str().unwrap_or_default().contains("160x120"), "{}", true_ones["camera"]);
    for field in ["camera", "thinking", "newest_stamp_nanos"] {
        assert_eq!(true_ones[field], with_a_lie[field], "{field}");
    }
}

#[test]
fn ask_answers_about_a_bag_and_lists_its_topics_when_there_is_a_choice() {
    let (folder, model) = (bag(&["/front/image_raw"]), nano());
    let (path, model) = (folder.path().to_string_lossy(), model.to_string_lossy());
    let output = spacer(&["ask", "--bag", &path, "--model", &model, "--json", "how far is the door?"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let answer: serde_json::Value = serde_json::from_slice(&output.stdout).expect("one JSON value");
    assert!(["ANSWERED", "NOT_SEEN"].contains(&answer["status"].as_str().unwrap_or_default()), "{answer}");
    assert_eq!((&answer["frames_used"], &answer["newest_stamp_nanos"]), (&2.into(), &2_500_000_000_i64.into()));
    // What the bag tells about the camera is what the flags would: the same answer, to the token.
    let told = ["--fov", "90", "--camera-height", "0.6", "--pitch", "0"];
    let same =
        spacer(&[&["ask", "--bag", &path, "--model", &model, "--json", "how far is the door?"], &told[..]].concat());
    let same: serde_json::Value = serde_json::from_slice(&same.stdout).expect("one JSON value");
    assert_eq!((&answer["thinking"], &answer["tokens"]), (&same["thinking"], &same["tokens"]));

    let folder = bag(&["/front/image_raw", "/rear/image_raw"]);
    let path = folder.path().to_string_lossy();
    let several = spacer(&["ask", "--bag", &path, "--model", &model, "how far is the door?"]);
    assert!(!several.status.success());
    let listed = text(&several.stderr);
    assert!(listed.contains("/rear/image_raw [sensor_msgs/msg/Image] 4 messages"), "{listed}");
    let named = ["ask", "--bag", &path, "--topic", "/rear/image_raw", "--model", &model, "how far is the door?"];
    assert!(spacer(&named).status.success());
}

#[test]
fn ask_says_what_is_wrong_with_source_and_question() {
    let (folder, model) = (pictures(), nano());
    let (images, model) = (folder.path().to_string_lossy(), model.to_string_lossy());
    let absent = spacer(&["ask", "--video", "/nowhere.mp4", "--model", &model, "how far is the door?"]);
    assert!(!absent.status.success() && text(&absent.stderr).contains("/nowhere.mp4"), "{}", text(&absent.stderr));
    let empty = spacer(&["ask", "--images", &images, "--model", &model, "  "]);
    assert!(!empty.status.success() && text(&empty.stderr).contains("BAD_QUERY"), "{}", text(&empty.stderr));
    let other = spacer(&["ask", "--images", &images, "--model", &model, "how far is the door from the window?"]);
    assert!(!other.status.success() && text(&other.stderr).contains("UNSUPPORTED"), "{}", text(&other.stderr));
    assert!(text(&other.stdout).contains("It answers distances (\"how far is the door?\")"), "{}", text(&other.stdout));
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
    let prompts = "system = \"\"\nuser = \"{question}\"\n[kinds.free_form]\n";
    std::fs::write(to.join("prompts.toml"), prompts).expect("the copy");
    let changed = spacer(&["verify", &to.to_string_lossy()]);
    assert!(!changed.status.success() && text(&changed.stderr).contains("prompts.toml"), "{}", text(&changed.stderr));
}

#[test]
fn doctor_reports_every_check_and_fails_without_a_model() {
    let well = spacer(&["doctor", "--json", "--model", &nano().to_string_lossy()]);
    let findings: serde_json::Value = serde_json::from_slice(&well.stdout).expect("one JSON value");
    let checks: Vec<&str> = findings.as_array().into_iter().flatten().filter_map(|f| f["what"].as_str()).collect();
    let expected =
        ["machine", "ROS 2", "camera", "ONNX Runtime", "model", "parity", "questions", "calibration", "provider"];
    assert_eq!(checks, expected);
    assert!(well.status.success(), "{}", text(&well.stdout));
    let questions = &findings[6]["found"];
    assert_eq!(questions, "distances (\"how far is the door?\"), counts (\"how many chairs are there?\")");
    let ill = spacer(&["doctor", "--model", "/nowhere/model"]);
    assert!(!ill.status.success() && text(&ill.stdout).contains("/nowhere/model"), "{}", text(&ill.stdout));
}

#[test]
fn sim_record_writes_a_bag_that_is_read_like_any_other() {
    let folder = tempfile::tempdir().expect("a writable temporary folder");
    let (out, model) = (folder.path().join("bag"), nano());
    let (path, model) = (out.to_string_lossy(), model.to_string_lossy());
    let size = ["--frames", "3", "--width", "160", "--height", "120", "--depth", "--model", &model];
    let recorded = spacer(&[&["sim", "record", "--seed", "7", "--out", &path, "--json"], &size[..]].concat());
    assert!(recorded.status.success(), "{}", text(&recorded.stderr));
    let counts: serde_json::Value = serde_json::from_slice(&recorded.stdout).expect("one JSON value");
    assert!(counts["frames"] == 3 && counts["questions"].as_u64() > Some(2), "{counts}");
    let bag = recording::BagReader::open(&out).expect("a bag");
    let count = |name: &str| bag.topics().iter().find(|topic| topic.name == name).map(|topic| topic.message_count);
    let names = ["/spacer/image_raw", "/spacer/depth/image_raw", "/spacer/odom", "/tf", "/spacer/sim/truth"];
    assert_eq!(names.map(count), [Some(3), Some(3), Some(3), Some(3), Some(1)]);
    assert_eq!(count("/spacer/query"), counts["questions"].as_u64());
    let answered = spacer(&["ask", "--bag", &path, "--model", &model, "how far is the door?"]);
    assert!(answered.status.success(), "{}", text(&answered.stderr));
    let again = spacer(&["sim", "record", "--seed", "7", "--out", &path, "--model", &model]);
    assert!(!again.status.success() && text(&again.stderr).contains("found files in it"), "{}", text(&again.stderr));
}
