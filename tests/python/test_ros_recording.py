"""recorder_node writes what was published, message by message; replay_node plays it to perception_node.

    python3 test_ros_recording.py [--seconds 600] [--only full_rate]

The endurance figure is `--seconds 600 --only full_rate`. It writes 28 MB a second to the folder for temporary files; with
`--compression lz4` next to nothing, as its pictures are grey."""

import argparse
import contextlib
import pathlib
import stat
import tempfile
import time

from bag_readers import read
from ros_harness import GOOD, NAMESPACE, Process, perception, run, status
from rclpy.qos import qos_profile_sensor_data
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import LaserScan, Range
from spacer_msgs.msg import AnswerFeedback, SpatialQuery
from std_msgs.msg import String

ARGUMENTS = argparse.ArgumentParser(description=__doc__.splitlines()[0])
ARGUMENTS.add_argument("--seconds", type=float, default=10.0, help="how long the test at full rate records")
ARGUMENTS.add_argument("--compression", default="none", help="of the bag at full rate: none, lz4 or zstd")
ARGUMENTS.add_argument("--only", default="", help="run the tests with this in their names")
ARGUMENTS = ARGUMENTS.parse_args()
SECONDS = ARGUMENTS.seconds
# Of the simulation.
RATE_HZ = 10.0
QUESTION = "how far is the door?"
# What sim_node publishes with every frame.
PER_FRAME = ("image_raw", "camera_info", "odom", "sim/truth")


def nanos(stamp):
    return stamp.sec * 1_000_000_000 + stamp.nanosec


@contextlib.contextmanager
def recording(stranger, folder, compression="none", **clock):
    """recorder_node beside perception_node; leaving asserts that nothing was dropped and the bag was closed."""
    stranger.diagnostics.clear()
    with Process("recorder_node", folder=folder, compression=compression, **clock), perception(**clock):
        stranger.meet()
        stranger.wait("recorder_node", 30, lambda: stranger.node.count_subscribers(f"{NAMESPACE}/image_raw") >= 2
                      and "recording" in stranger.diagnostics)
        yield
        stranger.spin(1.5)
        stranger.wait("diagnostics", 10, lambda: stranger.diagnostics["recording"]["waiting_bytes"] == "0")
        counts = stranger.diagnostics["recording"]
    assert counts["dropped"] == "0", counts
    (bag,) = folder.iterdir()
    assert (bag / "metadata.yaml").exists(), list(bag.iterdir())


def record_simulation(stranger, folder, during):
    """Records a simulation while `during` runs; returns the last stamp published."""
    clocks = []
    heard = stranger.node.create_subscription(Clock, "/clock", lambda clock: clocks.append(nanos(clock.clock)), 10)
    with recording(stranger, folder, use_sim_time=True):
        with Process("sim_node", rate_hz=RATE_HZ, width=320, height=240):
            # Furnishing the room takes its time.
            stranger.wait("sim_node", 30, lambda: clocks)
            during()
    stranger.node.destroy_subscription(heard)
    return clocks[-1]


def check_frames(topics, last):
    """From the first message that was heard on, none is missing; returns the number of images."""
    period = 1_000_000_000 / RATE_HZ
    for name in PER_FRAME:
        messages = topics[f"{NAMESPACE}/{name}"]["messages"]
        stamps = [message.get("stamp", log_time) for log_time, message in messages]
        if name == "sim/truth":
            # The only one without a header: it says its stamp itself.
            stamps = [int(message["data"].split('"stamp_nanos":')[1].split("}")[0].split(",")[0])
                      for _, message in messages]
        gaps = [(before, after) for before, after in zip(stamps, stamps[1:]) if abs(after - before - period) > 2]
        assert not gaps, f"{name}: {len(gaps)} gaps, the first between {gaps[0]}"
        assert stamps[-1] == last, f"{name}: recorded up to {stamps[-1]}, published up to {last}"
        if name == "image_raw":
            images = stamps
    assert images[0] <= 1_000_000_000_000 + 3 * 1_000_000_000, f"the first {images[0]} came late"
    return len(images)


def test_record_and_replay(stranger):
    feedback = stranger.node.create_publisher(AnswerFeedback, f"{NAMESPACE}/feedback", 10)
    # Best effort, as drivers publish.
    scans = stranger.node.create_publisher(LaserScan, f"{NAMESPACE}/scan", qos_profile_sensor_data)
    ranges = stranger.node.create_publisher(Range, f"{NAMESPACE}/range", qos_profile_sensor_data)

    def during():
        stranger.spin(3)
        answer = stranger.ask(QUESTION)
        assert status(answer) in GOOD, answer
        stranger.queries.publish(SpatialQuery(query_id="mine", text=QUESTION))
        stranger.wait("answer", 40, lambda: len(stranger.answers) == 2)
        feedback.publish(AnswerFeedback(query_id="mine", value=2.5))
        scans.publish(LaserScan(range_max=9.0, ranges=[1.0, 2.0]))
        ranges.publish(Range(max_range=4.0, range=0.5))
        stranger.spin(3)

    with tempfile.TemporaryDirectory() as name:
        last = record_simulation(stranger, pathlib.Path(name), during)
        (bag,) = pathlib.Path(name).iterdir()
        found = read(bag)
        for reader, topics in found.items():
            count = check_frames(topics, last)
            messages = {topic.removeprefix(f"{NAMESPACE}/"): [message for _, message in content["messages"]]
                        for topic, content in topics.items()}
            assert [message["data"] for message in messages["ask"]] == [QUESTION]
            assert [message["query_id"] for message in messages["query"]] == ["mine"]
            assert len(messages["answer"]) == 2 and messages["answer"][1]["query_id"] == "mine"
            assert [(message["query_id"], message["value"]) for message in messages["feedback"]] == [("mine", 2.5)]
            assert [len(messages[name]) for name in ("scan", "range")] == [1, 1]
            assert messages["/tf_static"][0]["children"] == ["odom", "camera_link", "camera_optical_frame"]
            print(f"  {reader}: {count} images without a gap, {len(topics)} topics")
        stamps = {message["stamp"] for _, message in found["rosbags"][f"{NAMESPACE}/image_raw"]["messages"]}
        replay_and_ask(stranger, bag, stamps)


def replay_and_ask(stranger, bag, stamps):
    with perception(use_sim_time=True):
        stranger.meet()
        replay = Process("replay_node", bag=bag)
        stranger.wait("frames", 30, lambda: int(stranger.fresh_diagnostics()["frames"]["kept"]) >= 4)
        answer = stranger.ask(QUESTION)
        assert status(answer) in GOOD and answer.frames_used == 2, answer
        assert {nanos(answer.oldest_stamp), nanos(answer.newest_stamp)} <= stamps, answer
        stranger.wait("end of the bag", 60, lambda: replay.process.poll() is not None)
        assert replay.process.returncode == 0 and "end of the bag" in replay.text(), replay.text()
        frames = stranger.fresh_diagnostics()["frames"]
        assert frames["rejected"] == "0" and int(frames["received"]) >= 0.9 * len(stamps), frames
    print(f"  replayed {frames['received']} of {len(stamps)} images: {answer.text}")


def test_full_rate_beside_perception(stranger):
    with tempfile.TemporaryDirectory() as name:
        image, stamps = stranger.image(640, 480), []
        with recording(stranger, pathlib.Path(name), ARGUMENTS.compression):
            began = time.monotonic()
            while time.monotonic() < began + SECONDS:
                image.header.stamp = stranger.node.get_clock().now().to_msg()
                stamps.append(nanos(image.header.stamp))
                stranger.images.publish(image)
                if len(stamps) % 150 == 0:
                    stranger.asks.publish(String(data=QUESTION))
                stranger.spin(max(0.0, began + len(stamps) / 30 - time.monotonic()))
        (bag,) = pathlib.Path(name).iterdir()
        topics = read(bag)["mcap_ros2"]
        recorded = [message["stamp"] for _, message in topics[f"{NAMESPACE}/image_raw"]["messages"]]
    lost, strange = sorted(set(stamps) - set(recorded)), sorted(set(recorded) - set(stamps))
    assert not lost and not strange, f"{len(lost)} of {len(stamps)} images lost, {len(strange)} never published: {lost[:1]}"
    apart = next((pair for pair in zip(stamps, recorded) if pair[0] != pair[1]), None)
    assert recorded == stamps, f"{len(recorded)} recorded of {len(stamps)}; published and recorded first differ at {apart}"
    rate = len(stamps) / SECONDS
    print(f"  {SECONDS:.0f} s at {rate:.1f} Hz: {len(recorded)} images of 640x480 recorded, none lost")


def test_a_full_disk_is_told_and_the_node_lives(stranger):
    with tempfile.TemporaryDirectory() as name:
        limited = pathlib.Path(name) / "limited_recorder"
        limited.write_text("#!/bin/bash\nulimit -S -f 2000; trap '' XFSZ; exec recorder_node \"$@\"\n")
        limited.chmod(limited.stat().st_mode | stat.S_IXUSR)
        stranger.diagnostics.clear()
        with Process(str(limited), folder=pathlib.Path(name) / "episodes"):
            stranger.wait("recorder_node", 30, lambda: stranger.images.get_subscription_count() > 0)
            for _ in range(40):
                stranger.images.publish(stranger.image(320, 240))
                stranger.spin(0.03)
            stranger.wait("the error", 10, lambda: "ended" in stranger.diagnostics.get("recording", {}).get("message", ""))
            recording = stranger.diagnostics["recording"]
            assert recording["level"] == b"\x02" and int(recording["recorded"]) > 0, recording
            print(f"  {recording['message']}")
        (bag,) = (pathlib.Path(name) / "episodes").iterdir()
        assert sum(file.stat().st_size for file in bag.iterdir()) <= 2000 * 1024


def test_wrong_parameters_are_refused(_stranger):
    for executable, parameters, word in (
        ("recorder_node", {"topics": "odom"}, "name:type"),
        ("recorder_node", {"topics": "odom:no_msgs/msg/Odometry"}, "no_msgs"),
        ("recorder_node", {"compression": "zip"}, "zstd"),
        ("replay_node", {"bag": "/nowhere"}, "/nowhere"),
        ("replay_node", {"bag": "/nowhere", "rate": 0.0}, "rate"),
    ):
        with tempfile.TemporaryDirectory() as name:
            parameters = {"folder": name, **parameters} if executable == "recorder_node" else parameters
            node = Process(executable, **parameters)
            assert node.process.wait(20) == 1 and word in node.text(), node.text()


if __name__ == "__main__":
    every = [test_record_and_replay, test_full_rate_beside_perception, test_a_full_disk_is_told_and_the_node_lives,
             test_wrong_parameters_are_refused]
    run([test for test in every if ARGUMENTS.only in test.__name__])
