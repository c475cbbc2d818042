//! Bags of usual robots become episodes with poses: whatever hangs between odometry and the robot's frame, and whatever
//! stands before its name. A bag of nothing but broken messages costs no memory.

use std::path::Path;

use episodes::bag::{BagEpisode, BagSettings, read_bag};
use recording::messages::{
    Header, Image, Odometry, Quaternion, RosMessage, TfMessage, Time, Transform, TransformStamped, Vector3,
};
use recording::{BagWriter, Definitions, Topic, TopicId, WriterSettings};

const SECOND: i64 = 1_000_000_000;

/// A bag that a test fills.
struct Bag(BagWriter);

impl Bag {
    fn create(folder: &Path) -> Self {
        Self(BagWriter::create(folder, WriterSettings::default()).expect("a new bag"))
    }

    fn topic<M: RosMessage>(&mut self, name: &str) -> TopicId {
        self.0.add_topic(Topic::of::<M>(name, &Definitions::new("")).expect("a known type"))
    }

    fn write<M: RosMessage + serde::Serialize>(&mut self, topic: TopicId, nanos: i64, message: &M) {
        self.0.write_message(topic, nanos, message).expect("a writable bag");
    }
}

fn header(nanos: i64, frame_id: &str) -> Header {
    Header { stamp: Time::from_nanos(nanos), frame_id: frame_id.to_owned() }
}

fn link(nanos: i64, [parent, child]: [&str; 2], [x, z]: [f64; 2], rotation: Quaternion) -> TfMessage {
    let transform = Transform { translation: Vector3 { x, y: 0.0, z }, rotation };
    let (header, child_frame_id) = (header(nanos, parent), child.to_owned());
    TfMessage { transforms: vec![TransformStamped { header, child_frame_id, transform }] }
}

/// Frames of a robot from the odometry's to the camera's: the second moves in the first by a metre a second, the camera
/// is 0.5 m over the last but one, which is 0.1 m over the second.
fn drive(folder: &Path, [odom, moved, base, camera]: [&str; 4], odometry_of: Option<&str>) -> BagEpisode {
    let mut bag = Bag::create(folder);
    let (images, tf) = (bag.topic::<Image<'_>>("/camera/image_raw"), bag.topic::<TfMessage>("/tf"));
    let (fixed, odometry) = (bag.topic::<TfMessage>("/tf_static"), bag.topic::<Odometry>("/odom"));
    let optical = Quaternion { x: -0.5, y: 0.5, z: -0.5, w: 0.5 };
    if base != moved {
        bag.write(fixed, SECOND, &link(0, [moved, base], [0.0, 0.1], Quaternion::default()));
    }
    bag.write(fixed, SECOND, &link(0, [base, camera], [0.2, 0.5], optical));
    for step in 0..5 {
        let nanos = SECOND + step * SECOND;
        let data = vec![step as u8; 64 * 48];
        let (header, encoding) = (header(nanos + SECOND / 2, camera), "mono8".to_owned());
        let image = Image { header, height: 48, width: 64, encoding, is_bigendian: 0, step: 64, data: &data };
        bag.write(tf, nanos, &link(nanos, [odom, moved], [step as f64, 0.0], Quaternion::default()));
        if let Some(child) = odometry_of {
            let header = Header { stamp: Time::from_nanos(nanos), frame_id: odom.to_owned() };
            let mut message = Odometry { header, child_frame_id: child.to_owned(), ..Odometry::default() };
            message.pose.pose.position.x = step as f64;
            bag.write(odometry, nanos, &message);
        }
        // The transforms of a picture's moment come behind it.
        bag.write(images, nanos + SECOND / 2, &image);
    }
    bag.0.close().expect("a writable bag");
    read_bag(folder, &BagSettings { motion: false, ..BagSettings::default() }).expect("an episode")
}

/// Where the camera was, x and z, rounded to centimetres.
fn cameras(read: &BagEpisode) -> Vec<Option<[f64; 2]>> {
    let round = |value: f64| (value * 100.0).round() / 100.0;
    let at = |frame: &episodes::episode::Frame| {
        frame.camera.as_ref().map(|pose| [round(pose.position_m[0]), round(pose.position_m[2])])
    };
    read.episode.frames.iter().map(at).collect()
}

#[test]
fn the_camera_is_placed_on_every_usual_robot() {
    let scratch = tempfile::tempdir().unwrap();
    let chains = [
        ("turtlebot", ["odom", "base_footprint", "base_link", "camera"], 0.6),
        ("plain", ["odom", "base_link", "base_link", "camera"], 0.5),
        ("footprint only", ["odom", "base_footprint", "base_footprint", "camera"], 0.5),
        ("prefixed", ["robot1/odom", "robot1/base_footprint", "robot1/base_link", "robot1/camera"], 0.6),
    ];
    for (name, chain, height) in chains {
        let expected = |x: f64| Some([x + 0.2, height]);
        let of_tf = drive(&scratch.path().join(name), chain, None);
        // After the last transform nobody knows where the robot was.
        assert_eq!(cameras(&of_tf), [expected(0.5), expected(1.5), expected(2.5), expected(3.5), None], "{name}");
        let of_odometry = drive(&scratch.path().join(format!("{name} with odometry")), chain, Some(chain[1]));
        assert_eq!(cameras(&of_odometry), cameras(&of_tf), "{name}");
        assert_eq!(of_tf.left_out.reasons(), &[] as &[String]);
        assert_eq!(of_tf.notes.is_empty(), name != "footprint only", "{:?}", of_tf.notes);
    }
    let lost = drive(&scratch.path().join("lost"), ["odom", "chassis", "chassis", "camera"], None);
    assert_eq!(cameras(&lost), [None; 5]);
    assert!(
        lost.notes.iter().any(|note| note.contains("--base-frame") && note.contains("chassis")),
        "{:?}",
        lost.notes
    );
}

#[test]
fn what_is_left_out_is_counted_and_the_first_of_it_remembered() {
    let scratch = tempfile::tempdir().unwrap();
    let folder = scratch.path().join("bag");
    let mut bag = Bag::create(&folder);
    let images = bag.topic::<Image<'_>>("/camera/image_raw");
    let data = vec![0; 64 * 48];
    let (first, encoding) = (header(SECOND, "camera"), "mono8".to_owned());
    let whole = Image { header: first, height: 48, width: 64, encoding, is_bigendian: 0, step: 64, data: &data };
    bag.write(images, SECOND, &whole);
    for number in 0..10_000 {
        bag.0.write(images, SECOND as u64 + number, &[]).unwrap();
    }
    bag.0.close().unwrap();
    let read = read_bag(&folder, &BagSettings::default()).unwrap();
    assert_eq!((read.episode.frames.len(), read.left_out.count()), (1, 10_000));
    assert!(read.left_out.reasons().len() < 100);
}
