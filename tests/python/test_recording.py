"""Strangers read our bags: `rosbags` and `mcap-ros2-support` find every message of every topic, field by field.

The bag comes from the example `record_episode` of the crate `recording`, which `cargo test` builds."""

import pathlib
import subprocess
import tempfile
import zlib

from bag_readers import read
from outside_packages import built_example

START, PERIOD = 1_700_000_000_000_000_000, 33_333_333
FRAMES = 30
TYPES = {
    "/camera/image_raw": "sensor_msgs/msg/Image",
    "/camera/image_raw/compressed": "sensor_msgs/msg/CompressedImage",
    "/camera/camera_info": "sensor_msgs/msg/CameraInfo",
    "/odom": "nav_msgs/msg/Odometry",
    "/tf": "tf2_msgs/msg/TFMessage",
    "/tf_static": "tf2_msgs/msg/TFMessage",
    "/spacer/query": "spacer_msgs/msg/SpatialQuery",
    "/spacer/answer": "spacer_msgs/msg/SpatialAnswer",
    "/spacer/feedback": "spacer_msgs/msg/AnswerFeedback",
    "/spacer/sim/truth": "std_msgs/msg/String",
}


def pixels(number):
    return bytes((i // 160 + number) % 256 for i in range(160 * 120 * 3))


def check(topics):
    """The episode of the example, field by field."""
    assert {name: topic["type"] for name, topic in topics.items()} == TYPES, topics.keys()
    messages = {name: topic["messages"] for name, topic in topics.items()}
    counts = {name: len(found) for name, found in messages.items()}
    rare = {"/tf_static": 1, "/spacer/query": 3, "/spacer/answer": 3, "/spacer/feedback": 3,
            "/camera/image_raw/compressed": 3}
    assert counts == {name: rare.get(name, FRAMES) for name in TYPES}, counts
    for number, (log_time, image) in enumerate(messages["/camera/image_raw"]):
        now = START + number * PERIOD
        assert (log_time, image["stamp"], image["encoding"], image["width"]) == (now, now, "rgb8", 160), image
        assert image["data"] == zlib.crc32(pixels(number)), f"frame {number}"
    for number, (_, odometry) in enumerate(messages["/odom"]):
        assert (odometry["x"], odometry["covariance"]) == (number / 10, 0.25), odometry
    assert messages["/camera/camera_info"][0][1]["k"] == [120, 0, 79.5, 0, 120, 59.5, 0, 0, 1]
    assert messages["/tf_static"][0][1]["children"] == ["camera_optical_frame"]
    for number, (_, answer) in zip((9, 19, 29), messages["/spacer/answer"], strict=True):
        expected = {"query_id": f"q{number}", "value": 2.4, "objects": ["door"], "model": "spacer-nano 0.2.0"}
        assert expected.items() <= answer.items(), answer
    assert [feedback["value"] for _, feedback in messages["/spacer/feedback"]] == [2.6] * 3
    assert messages["/spacer/sim/truth"][7][1]["data"] == '{"frame": 7}'


def test_strangers_read_every_message(recorder, scratch):
    bag = scratch / "bag"
    subprocess.run([recorder, bag, str(FRAMES)], check=True, stdout=subprocess.DEVNULL)
    for reader, topics in read(bag).items():
        check(topics)
        print(f"  {reader}: {sum(len(topic['messages']) for topic in topics.values())} messages")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        test_strangers_read_every_message(built_example("record_episode"), pathlib.Path(name))
    print("recordings are read by rosbags and mcap-ros2-support")
