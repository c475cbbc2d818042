//! Bags become episodes: the simulator's, the robot's own with answers and feedback, and other people's.

mod made;

use std::io::Cursor;
use std::path::Path;

use episodes::bag::{BagSettings, Role, read_bag};
use episodes::episode::{LabelSource, PictureFormat, ProblemType, Question};
use episodes::sampling::FrameSampling;
use recording::messages::{
    CameraInfo, CompressedImage, Header, Image, Odometry, Quaternion, RosMessage, StringMessage, TfMessage, Time,
    Transform, TransformStamped, Vector3,
};
use recording::range_messages::{LaserScan, Range};
use recording::spacer_messages::{AnswerFeedback, ImaginedMap, MapObject, SpatialAnswer, SpatialQuery};
use recording::{BagWriter, Definitions, Topic, TopicId, WriterSettings};

const SECOND: i64 = 1_000_000_000;

#[test]
fn a_recorded_clip_reads_back_as_the_same_episode() {
    let scratch = tempfile::tempdir().unwrap();
    let folder = scratch.path().join("sim");
    let expected = made::episode_of(&made::record(&folder));
    let sampling = FrameSampling { format: PictureFormat::Png, ..FrameSampling::default() };
    let settings = BagSettings { sampling, motion: false, ..BagSettings::default() };
    let read = read_bag(&folder, &settings).unwrap();
    assert_eq!(read.left_out.reasons(), &[] as &[String]);
    let found = read.episode;
    assert_eq!(found.frames, expected.frames);
    assert!(expected.questions.len() > 4);
    let map = expected.map.clone();
    let expected_questions: Vec<Question> =
        expected.questions.iter().map(|question| Question { map: map.clone(), ..question.clone() }).collect();
    assert_eq!(found.questions, expected_questions);
    let facts = |camera: geometry::CameraFacts| {
        [camera.horizontal_fov_deg, camera.height_m, camera.pitch_deg].map(|fact| fact.expect("known"))
    };
    for (found, expected) in facts(found.camera).into_iter().zip(facts(expected.camera)) {
        assert!((found - expected).abs() < 0.5, "{found} for {expected}");
    }
}

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

/// A sensor that looks ahead, level, 0.5 m over the ground and 0.2 m ahead of the robot's middle.
fn mounting(child: &str) -> TfMessage {
    let translation = Vector3 { x: 0.2, y: 0.0, z: 0.5 };
    let optical = Quaternion { x: -0.5, y: 0.5, z: -0.5, w: 0.5 };
    let rotation = if child == "cam" { optical } else { Quaternion::default() };
    let transform = Transform { translation, rotation };
    TfMessage {
        transforms: vec![TransformStamped {
            header: header(0, "base_link"),
            child_frame_id: child.to_owned(),
            transform,
        }],
    }
}

fn image(nanos: i64, level: u8) -> (Header, Vec<u8>) {
    (header(nanos, "cam"), vec![level; 64 * 48])
}

/// An answer about frames 2 s to 2.5 s, whose map has a door two cells ahead, 1.2 m, and a sofa.
fn answer(query_id: &str, nanos: i64) -> SpatialAnswer {
    let object = |category: &str, x, y| MapObject { category: category.to_owned(), x, y, ..MapObject::default() };
    let map = ImaginedMap {
        size: 10,
        cell_size_m: 0.6,
        has_robot: true,
        robot_x: 5,
        robot_y: 9,
        objects: vec![object("door", 5, 7), object("sofa", 0, 0)],
        ..ImaginedMap::default()
    };
    SpatialAnswer {
        header: header(nanos, "cam"),
        query_id: query_id.to_owned(),
        kind: "ego_distance".to_owned(),
        value: 2.0,
        has_map: true,
        map,
        oldest_stamp: Time::from_nanos(2 * SECOND),
        newest_stamp: Time::from_nanos(nanos),
        frames_used: 2,
        ..SpatialAnswer::default()
    }
}

/// What measures the distance to the wall.
#[derive(Clone, Copy)]
enum Sensor {
    DepthCamera,
    Laser,
    Sonar,
}

impl Sensor {
    fn measure(self, bag: &mut Bag, nanos: i64) {
        match self {
            Self::DepthCamera => {
                // The wall is 0.85 m before the camera. The upper left corner sees something nearer, out of the cell.
                let depth = |v: usize, u: usize| if v < 8 && u < 8 { 300_u16 } else { 850 };
                let data: Vec<u8> = (0..48 * 64).flat_map(|i| depth(i / 64, i % 64).to_le_bytes()).collect();
                let (header, encoding) = (header(nanos + SECOND / 50, "cam"), "16UC1".to_owned());
                let topic = bag.topic::<Image<'_>>("/spacer/depth/image_raw");
                let depth = Image { header, height: 48, width: 64, encoding, is_bigendian: 0, step: 128, data: &data };
                bag.write(topic, nanos, &depth);
            }
            Self::Laser => {
                let scan = LaserScan {
                    header: header(nanos, "laser"),
                    angle_min: -0.2,
                    angle_max: 0.2,
                    angle_increment: 0.1,
                    range_min: 0.1,
                    range_max: 10.0,
                    ranges: vec![f32::INFINITY, 0.95, 0.9, 0.95, 5.0],
                    ..LaserScan::default()
                };
                let topic = bag.topic::<LaserScan>("/scan");
                bag.write(topic, nanos, &scan);
            }
            Self::Sonar => {
                let topic = bag.topic::<Range>("/sonar");
                // Behind the cell, no echo, the wall, and the wall at a time that is farther off.
                for (millis, range) in [(0, 5.0), (10, f32::INFINITY), (50, 0.87), (90, 0.8)] {
                    let header = header(nanos + millis * SECOND / 1000, "sonar");
                    let echo = Range { header, min_range: 0.1, max_range: 6.0, range, ..Range::default() };
                    bag.write(topic, nanos + millis * SECOND / 1000, &echo);
                }
            }
        }
    }
}

/// Ten seconds at 10 Hz: straight on at 0.25 m/s; frames are grey; at 2.5 s a wall stands 1.05 m ahead of the robot.
fn own_bag(folder: &Path, sensors: &[Sensor]) {
    let mut bag = Bag::create(folder);
    let (images, odom) = (bag.topic::<Image<'_>>("/spacer/image_raw"), bag.topic::<Odometry>("/spacer/odom"));
    let (infos, fixed) = (bag.topic::<CameraInfo>("/spacer/camera_info"), bag.topic::<TfMessage>("/tf_static"));
    ["cam", "laser", "sonar"].iter().for_each(|child| bag.write(fixed, SECOND, &mounting(child)));
    let k = [32.0, 0.0, 32.0, 0.0, 32.0, 24.0, 0.0, 0.0, 1.0];
    for step in 10..110 {
        let nanos = step * SECOND / 10;
        let mut odometry = Odometry { header: header(nanos, "odom"), ..Odometry::default() };
        odometry.pose.pose.position.x = 0.25 * (step - 10) as f64 / 10.0;
        bag.write(odom, nanos, &odometry);
        bag.write(
            infos,
            nanos,
            &CameraInfo { header: header(nanos, "cam"), width: 64, height: 48, k, ..CameraInfo::default() },
        );
        let (header, data) = image(nanos, step as u8);
        let encoding = "mono8".to_owned();
        bag.write(
            images,
            nanos,
            &Image { header, height: 48, width: 64, encoding, is_bigendian: 0, step: 64, data: &data },
        );
    }
    let at = 25 * SECOND / 10;
    sensors.iter().for_each(|sensor| sensor.measure(&mut bag, at));
    let (queries, answers) = (bag.topic::<SpatialQuery>("/spacer/query"), bag.topic::<SpatialAnswer>("/spacer/answer"));
    let (asks, feedback) = (bag.topic::<StringMessage>("/spacer/ask"), bag.topic::<AnswerFeedback>("/spacer/feedback"));
    let ask = |query_id: &str, text: &str| SpatialQuery {
        query_id: query_id.into(),
        text: text.into(),
        ..SpatialQuery::default()
    };
    bag.write(queries, 26 * SECOND / 10, &ask("told", "how far is the door?"));
    bag.write(answers, 27 * SECOND / 10, &answer("told", at));
    bag.write(queries, 28 * SECOND / 10, &ask("measured", "how far is the door?"));
    bag.write(answers, 29 * SECOND / 10, &answer("measured", at));
    bag.write(queries, 3 * SECOND, &ask("open", "how far is the sofa?"));
    bag.write(answers, 31 * SECOND / 10, &answer("open", at));
    bag.write(asks, 4 * SECOND, &StringMessage { data: "how far is the door?".into() });
    bag.write(answers, 41 * SECOND / 10, &answer("q3", at));
    bag.write(
        feedback,
        5 * SECOND,
        &AnswerFeedback { query_id: "told".into(), value: 9.0, ..AnswerFeedback::default() },
    );
    bag.write(
        feedback,
        6 * SECOND,
        &AnswerFeedback { query_id: "told".into(), value: 2.6, ..AnswerFeedback::default() },
    );
    bag.write(
        feedback,
        6 * SECOND,
        &AnswerFeedback {
            query_id: "q3".into(),
            value: f64::NAN,
            text: "not seen".into(),
            ..AnswerFeedback::default()
        },
    );
    bag.0.close().expect("a writable bag");
}

fn labels(questions: &[Question]) -> Vec<(&str, Option<(&str, LabelSource)>)> {
    questions
        .iter()
        .map(|question| {
            (question.id.as_str(), question.label.as_ref().map(|label| (label.text.as_str(), label.source)))
        })
        .collect()
}

#[test]
fn a_robots_log_is_labelled_by_who_knows_and_each_label_says_who() {
    let scratch = tempfile::tempdir().unwrap();
    let cases: [(&str, &[Sensor], LabelSource, &str); 4] = [
        ("depth", &[Sensor::DepthCamera], LabelSource::Depth, "0.85"),
        ("scan", &[Sensor::Laser], LabelSource::Range, "0.9"),
        ("sonar", &[Sensor::Sonar], LabelSource::Range, "0.87"),
        ("both", &[Sensor::Sonar, Sensor::Laser], LabelSource::Range, "0.9"),
    ];
    for (name, sensors, source, measured) in cases {
        let folder = scratch.path().join(name);
        own_bag(&folder, sensors);
        let usual = read_bag(&folder, &BagSettings::default()).unwrap().episode;
        assert_eq!(labels(&usual.questions[1..2]), [("measured", None)], "a cell is no closest point");
        let read = read_bag(&folder, &BagSettings { cell_labels: true, ..BagSettings::default() }).unwrap();
        assert_eq!(read.left_out.reasons(), &[] as &[String]);
        let episode = read.episode;
        assert_eq!((episode.id.as_str(), episode.frames.len()), (name, 20));
        let asked = &episode.questions[..4];
        let expected = [
            ("told", Some(("2.6", LabelSource::Feedback))),
            ("measured", Some((measured, source))),
            ("open", None),
            ("q3", Some(("not seen", LabelSource::Feedback))),
        ];
        assert_eq!(labels(asked), expected);
        let span = asked[1].span.unwrap();
        assert_eq!((span.from_nanos, span.until_nanos), (2 * SECOND, 25 * SECOND / 10));
        assert_eq!(episode.frames_of(&asked[1]).count(), 2);
        assert_eq!(asked[1].problem_type, ProblemType::Numerical);
        let moved: Vec<_> = episode.questions.iter().filter(|question| question.kind == "camera_distance").collect();
        assert_eq!(labels(&[moved[0].clone()]), [("camera_distance-0", Some(("2", LabelSource::Odometry)))]);
        let pose = episode.frames[2].pose.unwrap();
        assert_eq!((pose.position_m, pose.orientation), ([0.25, 0.0, 0.0], [0.0, 0.0, 0.0, 1.0]));
        assert_eq!((episode.camera.height_m, episode.camera.horizontal_fov_deg), (Some(0.5), Some(90.0)));
    }
}

#[test]
fn other_peoples_bags_need_an_image_topic_and_keep_their_jpegs() {
    let scratch = tempfile::tempdir().unwrap();
    let folder = scratch.path().join("theirs");
    let mut bag = Bag::create(&folder);
    let topics = ["/front/rgb/compressed", "/rear/rgb/compressed"].map(|name| bag.topic::<CompressedImage<'_>>(name));
    let odometry = ["/wheels", "/filtered"].map(|name| bag.topic::<Odometry>(name));
    let mut jpeg = Cursor::new(Vec::new());
    image::RgbImage::from_pixel(32, 24, image::Rgb([200, 10, 10]))
        .write_to(&mut jpeg, image::ImageFormat::Jpeg)
        .unwrap();
    for number in 1..5 {
        let nanos = number * SECOND;
        let data: &[u8] = if number == 2 { b"broken" } else { jpeg.get_ref() };
        for topic in topics {
            let compressed = CompressedImage { header: header(nanos, "cam"), format: "jpeg".into(), data };
            bag.write(topic, nanos, &compressed);
        }
        odometry.iter().for_each(|topic| {
            bag.write(*topic, nanos, &Odometry { header: header(nanos, "odom"), ..Odometry::default() })
        });
    }
    bag.0.close().unwrap();

    let mut settings = BagSettings::default();
    let text = read_bag(&folder, &settings).unwrap_err().to_string();
    assert!(
        text.contains("one image topic")
            && text.contains("--topic image=NAME")
            && text.contains("/rear/rgb/compressed"),
        "{text}"
    );
    settings.topics.insert(Role::Image, "/rear/rgb/compressed".into());
    let chosen = read_bag(&folder, &settings).unwrap();
    let note = "odom: /filtered, chosen before /wheels; another is taken by --topic odom=NAME";
    assert_eq!(chosen.notes, [note]);
    assert!(chosen.episode.frames.iter().all(|frame| frame.pose.is_some()));
    settings.topics.insert(Role::Odometry, String::new());
    let read = read_bag(&folder, &settings).unwrap();
    assert_eq!(read.episode.frames.len(), 3);
    assert!(
        read.left_out.count() == 1 && read.left_out.reasons()[0].contains("/rear/rgb/compressed"),
        "{:?}",
        read.left_out
    );
    assert!(
        read.episode
            .frames
            .iter()
            .all(|frame| frame.pose.is_none() && &*frame.picture.bytes().unwrap() == jpeg.get_ref().as_slice())
    );
    assert!(read.episode.questions.is_empty(), "nothing was asked, and nobody knows how the robot moved");
    assert!("images".parse::<Role>().unwrap_err().contains("camera_info"));
}
