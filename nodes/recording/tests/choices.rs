//! Which of several topics is taken, by the rule that the documentation states; and which are refused by name.

mod foreign;

use std::path::Path;

use foreign::{Said, calibration, compressed, odometry, picture, said, write_mcap};
use recording::messages::StringMessage;
use recording::{BagReader, Error};

/// A bag with one message on each topic.
fn bag(scratch: &Path, messages: &[Said]) -> BagReader {
    let path = scratch.join("bag.mcap");
    write_mcap(&path, messages);
    BagReader::open(&path).expect("a bag").named_by("--topic {role}=NAME")
}

fn raw(topic: &str) -> Said {
    picture(topic, 1, "rgb8")
}

fn grey(topic: &str) -> Said {
    picture(topic, 1, "mono8")
}

fn depth(topic: &str) -> Said {
    picture(topic, 1, "16UC1")
}

fn jpeg(topic: &str) -> Said {
    compressed(topic, 1, "rgb8; jpeg compressed bgr8")
}

/// Each case: the topic that is taken, the bag, whether the choice is told.
fn expect_choices(cases: &[(&str, Vec<Said>, bool)]) {
    let scratch = tempfile::tempdir().expect("a scratch folder");
    for (expected, messages, is_said) in cases {
        let bag = bag(scratch.path(), messages);
        let choice = bag.image_choice(None).unwrap_or_else(|error| panic!("{expected}: {error}"));
        assert_eq!(choice.topic.name, *expected);
        let note = choice.note();
        assert_eq!(note.is_some(), *is_said, "{note:?}");
        assert!(note.is_none_or(|note| note.contains(expected) && note.contains("--topic image=NAME")));
    }
}

#[test]
fn the_pictures_of_one_camera_are_chosen_by_a_rule() {
    expect_choices(&[
        // image_transport's copies.
        (
            "/camera/image_raw",
            vec![
                raw("/camera/image_raw"),
                jpeg("/camera/image_raw/compressed"),
                compressed("/camera/image_raw/zstd", 1, "zstd"),
                compressed("/camera/image_raw/theora", 1, "theora"),
            ],
            false,
        ),
        (
            "/camera/image_raw/compressed",
            vec![jpeg("/camera/image_raw/compressed"), compressed("/camera/image_raw/zstd", 1, "zstd")],
            false,
        ),
        // Depth without its name, and its name without depth.
        (
            "/oakd/rgb/preview/image_raw",
            vec![
                raw("/oakd/rgb/preview/image_raw"),
                depth("/oakd/stereo/image_raw"),
                compressed("/oakd/stereo/image_raw/compressedDepth", 1, "16UC1; compressedDepth png"),
            ],
            false,
        ),
        ("/depthai/rgb/image", vec![raw("/depthai/rgb/image")], false),
        (
            "/depth_camera/image_raw",
            vec![raw("/depth_camera/image_raw"), picture("/depth_camera/depth/image_raw", 1, "32FC1")],
            false,
        ),
        ("/cam/image", vec![raw("/cam/image"), picture("/cam/depth/image", 1, "mono16")], false),
        // Infrared pairs, with and without a colour camera.
        (
            "/d435/color/image_raw",
            vec![
                raw("/d435/color/image_raw"),
                depth("/d435/aligned_depth_to_color/image_raw"),
                grey("/d435/infra1/image_rect_raw"),
                grey("/d435/infra2/image_rect_raw"),
            ],
            true,
        ),
        (
            "/d435/infra1/image_rect_raw",
            vec![
                grey("/d435/infra1/image_rect_raw"),
                calibration("/d435/infra1/camera_info", 1, 0.0),
                grey("/d435/infra2/image_rect_raw"),
                calibration("/d435/infra2/camera_info", 1, -20.0),
            ],
            true,
        ),
        (
            "/stereo/left/image_raw",
            vec![
                raw("/stereo/left/image_raw"),
                calibration("/stereo/left/camera_info", 1, 0.0),
                raw("/stereo/right/image_raw"),
                calibration("/stereo/right/camera_info", 1, -20.0),
            ],
            true,
        ),
    ]);
}

#[test]
fn what_image_proc_and_detectors_make_is_taken_last() {
    expect_choices(&[
        (
            "/camera/image_raw",
            vec![
                raw("/camera/image_raw"),
                raw("/camera/image_rect_color"),
                grey("/camera/image_mono"),
                raw("/camera/image_color"),
            ],
            true,
        ),
        ("/camera/image_rect_color", vec![raw("/camera/image_rect_color"), grey("/camera/image_rect")], true),
        (
            "/front/image_raw",
            vec![
                raw("/front/image_raw"),
                raw("/yolo/dbg_image"),
                raw("/front/depth/colormap"),
                raw("/front/image_raw_throttled"),
            ],
            true,
        ),
        (
            "/zed/rgb_raw/image_raw_color",
            vec![
                raw("/zed/rgb/image_rect_color"),
                raw("/zed/rgb_raw/image_raw_color"),
                raw("/zed/left/image_rect_color"),
                raw("/zed/right/image_rect_color"),
                calibration("/zed/right/camera_info", 1, -40.0),
            ],
            true,
        ),
    ]);
}

#[test]
fn several_cameras_are_for_the_user_to_choose_and_none_is_explained() {
    let scratch = tempfile::tempdir().unwrap();
    let text = |messages: &[Said]| match bag(scratch.path(), messages).image_topic(None) {
        Err(error @ Error::Topic { .. }) => error.to_string(),
        other => panic!("{other:?}"),
    };
    let both = text(&[picture("/front/image_raw", 1, "rgb8"), picture("/rear/image_raw", 1, "rgb8")]);
    assert!(both.contains("expected one image topic, found 2") && both.contains("--topic image=NAME"), "{both}");
    assert!(
        both.contains("bag.mcap") && both.contains("\n  /rear/image_raw [sensor_msgs/msg/Image] 1 messages"),
        "{both}"
    );
    let other = |topic: &str, type_name: &str, serialization: &str| Said {
        type_name: type_name.to_owned(),
        serialization: serialization.to_owned(),
        ..picture(topic, 1, "rgb8")
    };
    for (message, words) in [
        (other("/camera/image_raw", "sensor_msgs/Image", "ros1"), "ROS 1"),
        (other("/camera/image", "foxglove.CompressedImage", "protobuf"), "serialized as protobuf"),
        (other("/camera/image", "foxglove.CompressedImage", "json"), "serialized as json"),
        (other("/camera/image", "foxglove_msgs/msg/CompressedImage", "cdr"), "of another type"),
        (other("/camera/video", "foxglove_msgs/msg/CompressedVideo", "cdr"), "video packets"),
        (other("/camera/ffmpeg", "ffmpeg_image_transport_msgs/msg/FFMPEGPacket", "cdr"), "video packets"),
        (other("/camera/image_raw", "", "cdr"), "doesn't state its type"),
        (compressed("/camera/image", 1, "h264"), "packets of h264 video"),
        (compressed("/camera/image_raw/zstd", 1, "zstd"), "\"zstd\""),
        (picture("/camera/depth", 1, "16UC1"), ": depth"),
        (picture("/camera/labels", 1, "32SC1"), ": depth or labels"),
        (picture("/camera/flow", 1, "32FC2"), "numbers of the encoding 32FC2"),
        (other("/camera/theora", "theora_image_transport/msg/Packet", "cdr"), "video packets"),
    ] {
        let topic = message.topic.clone();
        let none = text(&[message]);
        assert!(none.contains("found none") && none.contains(words) && none.contains(&topic), "{none}");
    }
    let spoken = said("/ask", 1, &StringMessage { data: "where am I?".into() });
    assert!(text(&[spoken]).contains("/ask [std_msgs/msg/String] 1 messages"));
}

#[test]
fn a_broken_first_message_does_not_decide_what_a_topic_is() {
    let scratch = tempfile::tempdir().unwrap();
    let broken = |topic: &str| Said { data: vec![0, 1, 0, 0, 9], ..picture(topic, 1, "rgb8") };
    let flow = "/camera/flow";
    for (count, is_known) in [(1, true), (9, true), (10, false)] {
        let mut messages = vec![broken(flow); count];
        messages.extend([picture(flow, 2, "32FC2"), picture("/rear/image_raw", 2, "rgb8")]);
        let bag = bag(scratch.path(), &messages);
        let chosen = bag.image_topic(None).map(|topic| topic.name.clone());
        assert_eq!(chosen.is_ok_and(|name| name == "/rear/image_raw"), is_known, "{count} broken messages");
    }
}

#[test]
fn types_are_known_by_their_names_in_idl_and_from_metadata() {
    let scratch = tempfile::tempdir().unwrap();
    for name in ["sensor_msgs::msg::Image", "sensor_msgs::msg::dds_::Image_", "sensor_msgs/Image"] {
        let image = Said { type_name: name.to_owned(), ..picture("/camera/image_raw", 1, "rgb8") };
        let bag = bag(scratch.path(), &[image]);
        assert_eq!(bag.image_topic(None).unwrap().name, "/camera/image_raw", "{name}");
        assert_eq!(bag.messages().next().unwrap().picture().unwrap().encoding, "rgb8");
    }
    let image = Said { type_name: String::new(), ..picture("/camera/image_raw", 1, "rgb8") };
    let folder = scratch.path().join("with metadata");
    std::fs::create_dir(&folder).unwrap();
    write_mcap(&folder.join("bag_0.mcap"), &[image]);
    let text = "rosbag2_bagfile_information:\n  relative_file_paths: [bag_0.mcap]\n  topics_with_message_count:\n    - \
                topic_metadata: {name: /camera/image_raw, type: sensor_msgs/msg/Image}\n";
    std::fs::write(folder.join("metadata.yaml"), text).unwrap();
    let bag = BagReader::open(&folder).unwrap();
    assert!(bag.image_topic(None).is_ok() && bag.messages().next().unwrap().picture().is_ok());
}

#[test]
fn pictures_in_version_2_of_cdr_are_read() {
    let scratch = tempfile::tempdir().unwrap();
    let mut image = picture("/camera/image_raw", 1, "rgb8");
    image.data[1] = 7;
    let bag = bag(scratch.path(), &[image]);
    assert_eq!(bag.image_topic(None).unwrap().name, "/camera/image_raw");
    assert_eq!(&*bag.messages().next().unwrap().picture().unwrap().data, &[7; 12]);
}

#[test]
fn odometry_and_depth_are_chosen_by_a_rule_and_the_flag_is_named() {
    let scratch = tempfile::tempdir().unwrap();
    let (base, none) = (["odom", "base_link"], ["odom", ""]);
    let cases: [(&str, &str, Vec<Said>); 7] = [
        (
            "/camera/image_raw",
            "/odometry/filtered",
            vec![odometry("/odom", 1, base), odometry("/odometry/filtered", 1, base)],
        ),
        ("/camera/image_raw", "/wheels/ekf", vec![odometry("/odom", 1, none), odometry("/wheels/ekf", 1, none)]),
        (
            "/camera/image_raw",
            "/odom",
            vec![
                odometry("/camera/odom/sample", 1, ["odom_frame", "camera_pose_frame"]),
                odometry("/odom", 1, ["odom", "base_footprint"]),
            ],
        ),
        (
            "/camera/image_raw",
            "/odometry/local",
            vec![odometry("/odometry/global", 1, ["map", "base_link"]), odometry("/odometry/local", 1, base)],
        ),
        (
            "/robot2/camera/image_raw",
            "/robot2/odom",
            vec![odometry("/robot1/odom", 1, base), odometry("/robot2/odom", 1, base)],
        ),
        ("/camera/image_raw", "/odom", vec![odometry("/a/visual", 1, base), odometry("/odom", 1, base)]),
        ("/camera/image_raw", "/left", vec![odometry("/left", 1, none), odometry("/right", 1, none)]),
    ];
    for (image, expected, mut messages) in cases {
        messages.push(picture(image, 1, "rgb8"));
        let bag = bag(scratch.path(), &messages);
        let choice = bag.odometry_choice(None, image, "base_link").unwrap().unwrap();
        assert_eq!(choice.topic.name, expected);
        assert!(choice.note().is_some_and(|note| note.contains("--topic odom=NAME")), "{choice}");
    }
    let depths = ["/d435/aligned_depth_to_color/image_raw", "/d435/depth/image_rect_raw"];
    let mut messages: Vec<Said> = depths.iter().map(|topic| picture(topic, 1, "16UC1")).collect();
    // Labels in the colour camera's pixels go behind depth that is further off.
    messages.push(picture("/d435/color/aligned_labels", 1, "32SC1"));
    messages.push(picture("/d435/color/image_raw", 1, "rgb8"));
    let bag = bag(scratch.path(), &messages);
    let choice = bag.depth_choice(None, "/d435/color/image_raw").unwrap().unwrap();
    assert_eq!(choice.topic.name, depths[0]);
    assert!(choice.note().is_some_and(|note| note.contains("--topic depth=NAME") && note.contains(depths[1])));
    let named = bag.depth_choice(Some(depths[1]), "/d435/color/image_raw").unwrap().unwrap();
    assert_eq!((named.topic.name.as_str(), named.note()), (depths[1], None));
    assert!(bag.odometry_choice(None, "/d435/color/image_raw", "base_link").unwrap().is_none());
}
