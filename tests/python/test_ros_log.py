"""A node's log and its end: on /rosout too, foreign text bounded, SIGTERM within 3 s in every state."""

import os
import pathlib
import signal
import tempfile
import time

import rclpy
from rcl_interfaces.msg import Log
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from ros_harness import GOOD, HAS_MODEL, NAMESPACE, NANO, Process, perception, run, skip, status
from spacer_msgs.msg import AnswerFeedback, SpatialQuery
from std_msgs.msg import String

QUESTION = "how far is the door?"
LONGEST_END_SECS = 3.0


def rosout(stranger):
    lines = []
    kept = QoSProfile(depth=1000, reliability=ReliabilityPolicy.RELIABLE, durability=DurabilityPolicy.TRANSIENT_LOCAL)
    stranger.node.create_subscription(Log, "/rosout", lines.append, kept)
    return lines


def test_lines_reach_rosout_without_colours(stranger):
    lines = rosout(stranger)
    with perception() as node:
        stranger.meet()
        stranger.wait("lines", 10, lambda: any(line.msg.startswith("up ") for line in lines))
        ready = "ready " if HAS_MODEL else "no usable model"
        stranger.wait("the model's line", 20, lambda: any(line.msg.startswith(ready) for line in lines))
        ours = [line for line in lines if line.name == "spacer.perception_node"]
        (up,) = [line for line in ours if line.msg.startswith("up ")]
        assert up.level == 20 and up.file.endswith(".rs") and up.line > 0 and up.stamp.sec > 0, up
        assert "\x1b" not in node.text() and up.msg in node.text(), node.text()


def test_a_model_that_cannot_be_read_is_an_error_in_the_log(stranger):
    lines = rosout(stranger)
    with tempfile.TemporaryDirectory() as folder:
        with Process("perception_node", started_in=folder, model_dir="models/zoo/spacer-nano") as node:
            stranger.meet()
            stranger.wait("the reason", 10, lambda: "no usable model" in node.text())
            (line,) = [line for line in node.text().splitlines() if "no usable model" in line]
            assert "ERROR" in line and f"{folder}/models/zoo/spacer-nano" in line, line
            assert f"was looked up in {folder}" in node.text(), node.text()
            stranger.wait("the error on /rosout", 5, lambda: any(line.level == 40 for line in lines))
            answer = stranger.ask(QUESTION)
            assert status(answer) == "MODEL_ERROR" and folder in answer.text, answer


def test_foreign_text_is_escaped_cut_and_counted(stranger):
    feedback = stranger.node.create_publisher(AnswerFeedback, f"{NAMESPACE}/feedback", 10)
    with perception() as node:
        stranger.meet()
        stranger.wait("subscription", 10, lambda: feedback.get_subscription_count() > 0)
        forged = "x\n2026-11-30T00:00:00.000000Z ERROR all is lost\x1b[31m"
        for _ in range(50):
            feedback.publish(AnswerFeedback(query_id=forged, text="y" * (1 << 20)))
            stranger.images.publish(stranger.image(64, 48, encoding=forged + "z" * 100_000))
            stranger.spin(0.02)
        stranger.wait("feedback", 10, lambda: "feedback" in node.text())
        stranger.spin(0.5)
        lines = node.text().splitlines()
        assert all(len(line) < 1500 for line in lines), max(map(len, lines))
        assert not any(line.startswith("2026-11-30T00:00:00.000000Z") for line in lines) and "\x1b" not in node.text()
        for word in ("feedback", "frame refused"):
            assert sum(word in line for line in lines) == 1, [line[:200] for line in lines]


def test_a_long_id_is_refused_and_not_thrown_back(stranger):
    with perception():
        stranger.meet()
        stranger.show()
        for length, statuses in ((256, GOOD), (257, {"BAD_QUERY"}), (4 << 20, {"BAD_QUERY"})):
            stranger.answers.clear()
            stranger.queries.publish(SpatialQuery(query_id="i" * length, text=QUESTION))
            stranger.wait("answer", 30, lambda: stranger.answers)
            (answer,) = stranger.answers
            assert status(answer) in statuses and len(answer.query_id) <= 256, (length, status(answer))
            if length > 256:
                assert "256 bytes" in answer.text and str(length) in answer.text, answer.text
        questions = stranger.fresh_diagnostics()["questions"]
        assert (questions["asked"], questions["bad_query"], questions["waiting"]) == ("3", "2", "0"), questions


def ends_in_time(node, what):
    began = time.monotonic()
    node.process.send_signal(signal.SIGTERM)
    code = node.process.wait(20)
    took = time.monotonic() - began
    print(f"  {what}: {took:.2f} s, exit status {code}")
    assert took < LONGEST_END_SECS and code == 0, (what, took, code, node.text())


def test_sigterm_ends_every_node_in_time(stranger):
    with tempfile.TemporaryDirectory() as folder:
        for name, parameters in (("recorder_node", {"folder": folder}), ("sim_node", {"width": 64, "height": 48})):
            node = Process(name, **parameters)
            stranger.wait(name, 20, lambda: stranger.node.count_publishers("/parameter_events") > 1)
            stranger.spin(1)
            ends_in_time(node, name)


def slow_to_load(folder):
    """A model directory whose first file never ends: a pipe that nobody writes to."""
    slow = pathlib.Path(folder) / "slow"
    slow.mkdir()
    os.mkfifo(slow / "manifest.toml")
    return slow


def test_sigterm_ends_perception_in_every_state(stranger):
    for delay in (0.05, 0.2, 0.4):
        node = perception()
        time.sleep(delay)
        began = time.monotonic()
        node.process.send_signal(signal.SIGTERM)
        code = node.process.wait(20)
        # Before the node listens to signals they end it as they end any process.
        assert time.monotonic() - began < LONGEST_END_SECS and code in (0, -signal.SIGTERM), (delay, code, node.text())
    with tempfile.TemporaryDirectory() as folder:
        node = perception(model_dir=slow_to_load(folder))
        stranger.wait("perception_node", 30, lambda: "up " in node.text() and stranger.asks.get_subscription_count() > 0)
        for _ in range(5):
            stranger.asks.publish(String(data=QUESTION))
        stranger.spin(0.5)
        ends_in_time(node, "loading")
    if not HAS_MODEL:
        return skip("SIGTERM while answering")
    for delay in (0.01, 0.05):
        stranger.diagnostics.clear()
        node = perception()
        stranger.meet()
        stranger.show()
        stranger.answers.clear()
        for _ in range(8):
            stranger.asks.publish(String(data="how many chairs are there?"))
        stranger.spin(delay)
        ends_in_time(node, f"answering (+{delay} s)")
        stranger.spin(0.5)
        assert {status(answer) for answer in stranger.answers} <= GOOD | {"CANCELLED", "BUSY"}


if __name__ == "__main__":
    run([test_lines_reach_rosout_without_colours, test_a_model_that_cannot_be_read_is_an_error_in_the_log,
         test_foreign_text_is_escaped_cut_and_counted, test_a_long_id_is_refused_and_not_thrown_back,
         test_sigterm_ends_every_node_in_time, test_sigterm_ends_perception_in_every_state])
    assert not rclpy.ok()
