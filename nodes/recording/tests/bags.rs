//! What is written is read; what others wrote is read; what is broken is said.

mod episode;

use std::collections::BTreeMap;
use std::path::Path;

use episode::{Episode, MESSAGES_PER_FRAME, nanos, pixels};
use recording::messages::{CameraInfo, Image, Odometry, StringMessage, TfMessage};
use recording::spacer_messages::{AnswerFeedback, SpatialAnswer, SpatialQuery};
use recording::{BagReader, Compression, Qos, WriterSettings};

fn record(folder: &Path, settings: WriterSettings, frames: u32) {
    let mut episode = Episode::start(folder, settings).expect("a new bag");
    for number in 0..frames {
        episode.frame(number).expect("a frame");
    }
    episode.question(frames - 1).expect("a question");
    episode.close().expect("the end");
}

#[test]
fn every_message_comes_back_as_it_was() {
    let scratch = tempfile::tempdir().unwrap();
    for compression in [Compression::None, Compression::Lz4, Compression::Zstd] {
        let folder = scratch.path().join(format!("{compression:?}"));
        record(&folder, WriterSettings { compression, ..WriterSettings::default() }, 3);
        let bag = BagReader::open(&folder).unwrap();
        let mut messages = bag.messages();
        let mut number = 0;
        for message in &mut messages {
            match message.topic() {
                "/camera/image_raw" => {
                    assert_eq!(message.picture().unwrap().data, pixels(number));
                    assert_eq!(message.log_time_nanos(), nanos(number) as u64);
                    number += 1;
                }
                "/camera/image_raw/compressed" => assert_eq!(message.picture().unwrap().data, pixels(2)),
                "/camera/camera_info" => {
                    assert_eq!(message.decode::<CameraInfo>().unwrap(), episode::camera_info(number));
                }
                "/odom" => assert_eq!(message.decode::<Odometry>().unwrap(), episode::odometry(number)),
                "/tf" => assert_eq!(message.decode::<TfMessage>().unwrap(), episode::moving_transforms(number)),
                "/tf_static" => assert_eq!(message.decode::<TfMessage>().unwrap(), episode::fixed_transforms()),
                "/spacer/query" => assert_eq!(message.decode::<SpatialQuery>().unwrap(), episode::query(2)),
                "/spacer/answer" => assert_eq!(message.decode::<SpatialAnswer>().unwrap(), episode::answer(2)),
                "/spacer/feedback" => assert_eq!(message.decode::<AnswerFeedback>().unwrap(), episode::feedback(2)),
                "/spacer/sim/truth" => assert!(message.decode::<StringMessage>().is_ok()),
                other => panic!("{other}"),
            }
        }
        assert_eq!((number, messages.damage()), (3, &[][..]));
        assert_eq!(bag.topics().iter().map(|topic| topic.message_count).sum::<u64>(), 3 * MESSAGES_PER_FRAME + 5);
        let latched = bag.topics().iter().find(|topic| topic.name == "/tf_static").and_then(|topic| topic.qos);
        assert_eq!(latched, Some(Qos { reliable: true, transient_local: true, depth: 1 }));
    }
}

#[test]
fn a_bag_of_several_files_reads_as_one_with_and_without_its_metadata() {
    let scratch = tempfile::tempdir().unwrap();
    let folder = scratch.path().join("split");
    let settings = WriterSettings { split_bytes: 150_000, chunk_bytes: 50_000, ..WriterSettings::default() };
    record(&folder, settings, 40);
    let order = |bag: &BagReader| bag.messages().map(|message| message.log_time_nanos()).collect::<Vec<u64>>();
    let times = order(&BagReader::open(&folder).unwrap());
    assert!(times.is_sorted() && times.len() as u64 == 40 * MESSAGES_PER_FRAME + 5);
    assert!(folder.join("split_10.mcap").exists());
    std::fs::remove_file(folder.join("metadata.yaml")).unwrap();
    assert_eq!(order(&BagReader::open(&folder).unwrap()), times);
    assert!(!folder.join("metadata.yaml").exists(), "reading writes nothing");
    let one = BagReader::open(&folder.join("split_10.mcap")).unwrap();
    assert!(!order(&one).is_empty());
}

/// A bag as another program would write it: other names, big-endian CDR, no QoS, no folder.
fn foreign(path: &Path, topics: &[&str]) {
    let mut file = std::io::BufWriter::new(std::fs::File::create(path).expect("a file"));
    let options = mcap::WriteOptions::new().compression(Some(mcap::Compression::Lz4)).chunk_size(Some(1000));
    let mut writer = options.create(&mut file).expect("a writer");
    let schema = writer.add_schema("sensor_msgs/Image", "ros2msg", b"").expect("a schema");
    for (number, topic) in topics.iter().enumerate() {
        let channel = writer.add_channel(schema, topic, "cdr", &BTreeMap::new()).expect("a channel");
        let mut cdr = b"\0\0\0\0\0\0\0\x07\0\0\0\x09\0\0\0\x04cam\0\0\0\0\x01\0\0\0\x02\0\0\0\x06mono8\0\0\0\0\0\0\x02\0\0\0\x02ab".to_vec();
        cdr[7] += number as u8;
        let header = mcap::records::MessageHeader { channel_id: channel, sequence: 1, log_time: 5, publish_time: 5 };
        writer.write_to_known_channel(&header, &cdr).expect("a message");
    }
    writer.finish().expect("the end");
}

#[test]
fn the_only_image_topic_of_a_foreign_bag_is_found_and_several_are_listed() {
    let scratch = tempfile::tempdir().unwrap();
    let path = scratch.path().join("foreign.mcap");
    foreign(&path, &["/front/rgb"]);
    let bag = BagReader::open(&path).unwrap();
    assert_eq!(bag.image_topic(None).unwrap().name, "/front/rgb");
    let message = bag.messages().next().unwrap();
    let picture = message.picture().unwrap();
    let found = (picture.stamp_nanos, picture.frame_id.as_str(), picture.encoding.as_str(), &*picture.data);
    assert_eq!(found, (7_000_000_009, "cam", "mono8", &b"ab"[..]));
    foreign(&path, &["/front/rgb", "/rear/rgb"]);
    let bag = BagReader::open(&path).unwrap();
    assert_eq!(bag.image_topic(Some("rear/rgb")).unwrap().name, "/rear/rgb");
    for wrong in [None, Some("/left/rgb")] {
        let text = bag.image_topic(wrong).unwrap_err().to_string();
        assert!(text.contains("/front/rgb [sensor_msgs/Image] 1 messages") && text.contains("/rear/rgb"), "{text}");
    }
}

#[test]
fn a_raw_topic_goes_before_its_own_compressed_one_and_other_types_are_refused() {
    let scratch = tempfile::tempdir().unwrap();
    let folder = scratch.path().join("bag");
    record(&folder, WriterSettings::default(), 1);
    let bag = BagReader::open(&folder).unwrap();
    assert_eq!(bag.image_topic(None).unwrap().name, "/camera/image_raw");
    let text = bag.image_topic(Some("/odom")).unwrap_err().to_string();
    assert!(text.contains("expected images on /odom, found nav_msgs/msg/Odometry"), "{text}");
    let odometry = bag.messages().find(|message| message.topic() == "/odom").unwrap();
    let text = odometry.decode::<CameraInfo>().unwrap_err().to_string();
    assert!(text.contains("expected sensor_msgs/msg/CameraInfo"), "{text}");
}

#[test]
fn damage_ends_a_file_with_a_reason_and_never_gives_a_false_message() {
    let scratch = tempfile::tempdir().unwrap();
    let folder = scratch.path().join("bag");
    record(&folder, WriterSettings { chunk_bytes: 100_000, ..WriterSettings::default() }, 8);
    let whole = std::fs::read(folder.join("bag_0.mcap")).unwrap();
    let path = scratch.path().join("broken.mcap");
    let mut counts = Vec::new();
    for step in 0..120 {
        let at = whole.len() * step / 120;
        let mut flipped = whole.clone();
        flipped[at] ^= 0x55;
        for bytes in [&flipped[..], &whole[..at]] {
            std::fs::write(&path, bytes).unwrap();
            let Ok(bag) = BagReader::open(&path) else { continue };
            let mut messages = bag.messages();
            let mut frame = 0;
            for message in &mut messages {
                if message.is::<Image<'_>>() {
                    assert_eq!(message.picture().unwrap().data, pixels(frame), "byte {at}");
                    frame += 1;
                }
            }
            if bytes.len() < whole.len() {
                assert_eq!(messages.damage().len(), 1, "cut at {at}");
                counts.push(frame);
            }
        }
    }
    assert!(counts.is_sorted() && counts.last() == Some(&8), "the later the cut, the more is read: {counts:?}");
}

#[test]
fn what_is_no_bag_is_named() {
    let scratch = tempfile::tempdir().unwrap();
    let error = |path: &Path| BagReader::open(path).err().map(|error| error.to_string()).unwrap_or_default();
    assert!(error(Path::new("/nowhere")).contains("/nowhere"));
    assert!(error(scratch.path()).contains("found neither"));
    std::fs::write(scratch.path().join("text.mcap"), "no magic").unwrap();
    let text = error(&scratch.path().join("text.mcap"));
    assert!(text.contains("expected a recording of ROS 2") && text.contains("no magic"), "{text}");
    let occupied = Episode::start(scratch.path(), WriterSettings::default()).err().unwrap();
    assert!(occupied.to_string().contains("found files in it"));
}
