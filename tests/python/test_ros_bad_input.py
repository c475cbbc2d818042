"""Bad input to perception_node: each has a status or a message, none ends the node."""

import os
import pathlib
import shutil
import tempfile

from rclpy.serialization import serialize_message
from ros_harness import GOOD, HAS_MODEL, NANO, Process, perception, run, skip, status
from spacer_msgs.msg import SpatialQuery
from std_msgs.msg import String

QUESTION = "how far is the door?"


def counters(stranger):
    return {key: int(value) for key, value in stranger.fresh_diagnostics()["frames"].items() if value.isdigit()}


def test_frames_that_lie(stranger):
    bad = {
        "rejected_unknown_encoding": {"encoding": "bayer_rggb16_ä" + "x" * 500},
        "rejected_zero_size": {"width": 0, "height": 0, "step": 0, "data": b""},
        "rejected_too_large": {"width": 4_000_000_000, "height": 4_000_000_000},
        "rejected_short_step": {"step": 10, "data": b"\0" * 480},
        "rejected_wrong_length": {"data": b"\0" * 100},
    }
    with perception():
        stranger.meet()
        for changes in [*bad.values(), {"data": b""}]:
            stranger.show(1, 0.05, **changes)
        found = counters(stranger)
        assert found["received"] == found["rejected"] == 6 and found["kept"] == 0, found
        assert all(found[name] >= 1 for name in bad), found
        answer = stranger.ask(QUESTION)
        assert status(answer) == ("NO_FRAMES" if HAS_MODEL else "MODEL_ERROR"), answer
        # Whole data tell the step.
        stranger.show(1, 0.05, step=4_000_000_000)
        found = counters(stranger)
        assert (found["rejected"], found["repaired"], found["kept"]) == (6, 1, 1), found
        # And it still works.
        stranger.show()
        assert status(stranger.ask(QUESTION)) in GOOD


def test_frames_that_stop_are_stale(stranger):
    if not HAS_MODEL:
        return skip("STALE_FRAMES")
    with perception(max_frame_age_secs=1.0):
        stranger.meet()
        stranger.show()
        assert status(stranger.ask(QUESTION)) in GOOD
        stranger.spin(1.5)
        answer = stranger.ask(QUESTION)
        assert status(answer) == "STALE_FRAMES" and "1 s" in answer.text, answer
        stranger.show(2)
        assert status(stranger.ask(QUESTION)) in GOOD


def test_stamps_that_jump_back(stranger):
    with perception():
        stranger.meet()
        stranger.show(4, 0.55)
        # A straggler, however late, takes nothing away; a clock that was set back begins the window anew.
        for seconds, jumps, late in ((9, 0, 1), (3, 0, 2), (4, 0, 3), (5, 1, 3)):
            image = stranger.image(64, 48)
            image.header.stamp.sec = seconds
            stranger.images.publish(image)
            stranger.spin(0.1)
            found = counters(stranger)
            assert (found["stamp_jumps"], found["late"]) == (jumps, late), found
        assert found["received"] == 8 and found["cleared"] >= 2, found
        assert status(stranger.ask(QUESTION)) in GOOD


def test_questions_that_are_none(stranger):
    with perception():
        stranger.meet()
        stranger.show()
        not_utf8 = serialize_message(String(data="how far is the XXXX?")).replace(b"XXXX", b"\xff\xfe\xc3\x28")
        cases = {"long": "how far is the door? " * 5000, "empty": "", "blank": " \n\t ", "bytes": not_utf8,
                 "truncated": not_utf8[:9]}
        for name, text in cases.items():
            answer = stranger.ask(text)
            assert status(answer) == "BAD_QUERY" and answer.query_id and answer.text, (name, answer)
            assert len(answer.text) < 1000, "the question is not thrown back"
            assert name != "bytes" or "UTF-8" in answer.text, answer.text
        query = serialize_message(SpatialQuery(query_id="mine", text="XXXX?")).replace(b"XXXX", b"\xff\xfe\xc3\x28")
        stranger.answers.clear()
        stranger.queries.publish(query)
        for deadline in (-1.0, float("nan"), float("inf")):
            stranger.queries.publish(SpatialQuery(query_id="mine", text=QUESTION, deadline=deadline))
        stranger.queries.publish(SpatialQuery(query_id="mine", text=QUESTION, options=["x" * 200_000]))
        stranger.wait("answers", 20, lambda: len(stranger.answers) == 5)
        assert {(answer.query_id, status(answer)) for answer in stranger.answers} == {("mine", "BAD_QUERY")}


def test_a_thousand_questions_at_once(stranger):
    with perception():
        stranger.meet()
        stranger.show()
        for _ in range(1000):
            stranger.asks.publish(String(data=QUESTION))
        stranger.wait("an answer for each", 90, lambda: len(stranger.answers) >= 1000)
        stranger.spin(0.5)
        found = [status(answer) for answer in stranger.answers]
        counts = {name: found.count(name) for name in set(found)}
        print(f"  {counts}")
        assert len(found) == 1000 and len({answer.query_id for answer in stranger.answers}) == 1000
        assert set(found) <= GOOD | {"BUSY"}
        if HAS_MODEL:
            assert counts["BUSY"] >= 900, counts
        questions = stranger.fresh_diagnostics()["questions"]
        assert (questions["asked"], questions["waiting"]) == ("1000", "0"), questions


def broken_models(folder):
    """Copies of the model directory, each with one fault, and what the node must say of it."""
    def copy(name):
        target = folder / name
        shutil.copytree(NANO, target)
        return target

    cut = copy("truncated")
    graph = max((cut / "onnx").iterdir(), key=lambda path: path.stat().st_size)
    os.truncate(graph, graph.stat().st_size // 2)
    changed = copy("tampered")
    tokenizer = changed / "tokenizer.json"
    tokenizer.write_bytes(tokenizer.read_bytes().replace(b"a", b"b", 1))
    lost = copy("without_a_file")
    (lost / "config.json").unlink()
    return {cut: [graph.name, "expected", "found"], changed: ["tokenizer.json", "expected", "found"],
            lost: ["config.json"]}


def expect_model_error(stranger, words, **parameters):
    stranger.diagnostics.clear()
    with perception(**parameters):
        stranger.meet()
        answer = stranger.ask(QUESTION)
        assert status(answer) == "MODEL_ERROR", answer
        model = stranger.fresh_diagnostics()["model"]
        assert model["state"] == "failed" and model["level"] == b"\x02", model
        for word in words:
            assert word in answer.text and word in model["message"], (word, answer.text)


def test_a_missing_model(stranger):
    expect_model_error(stranger, ["/nowhere/at/all"], model_dir="/nowhere/at/all")


def test_broken_model_files(stranger):
    if not HAS_MODEL:
        return skip("truncated and tampered models")
    with tempfile.TemporaryDirectory() as folder:
        for directory, words in broken_models(pathlib.Path(folder)).items():
            expect_model_error(stranger, words, model_dir=directory)


def test_no_onnx_runtime(stranger):
    if not HAS_MODEL:
        return skip("a missing ONNX Runtime library")
    expect_model_error(stranger, ["/nowhere/libonnxruntime.so", "pip"], ort_library="/nowhere/libonnxruntime.so")


def refused(words, **parameters):
    """A node that can't work as it is told to says so and ends."""
    node = Process("perception_node", **parameters)
    code = node.process.wait(20)
    assert code not in (0, 101) and code > 0, (code, node.text())
    for word in words:
        assert word in node.text(), node.text()


def test_parameters_out_of_range(_stranger):
    refused(["model_dir", "expected"])
    refused(["window_frames", "expected", "found"], model_dir=NANO, window_frames=1000)
    refused(["frame_rate_hz"], model_dir=NANO, frame_rate_hz=-1.0)
    refused(["queue_capacity"], model_dir=NANO, queue_capacity="many")


if __name__ == "__main__":
    run([test_frames_that_lie, test_frames_that_stop_are_stale, test_stamps_that_jump_back,
         test_questions_that_are_none, test_a_thousand_questions_at_once, test_a_missing_model,
         test_broken_model_files, test_no_onnx_runtime, test_parameters_out_of_range])
