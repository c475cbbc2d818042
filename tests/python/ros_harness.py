"""What the tests of the ROS nodes share: child processes that are always ended, and a stranger who speaks to them."""

import array
import ctypes
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.qos import QoSProfile, ReliabilityPolicy, qos_profile_sensor_data
from sensor_msgs.msg import Image
from spacer_msgs.msg import SpatialAnswer, SpatialQuery
from std_msgs.msg import String

REPO = pathlib.Path(__file__).resolve().parents[2]
# SPACER_TEST_MODEL: another model directory to run these tests with.
NANO = pathlib.Path(os.environ.get("SPACER_TEST_MODEL", REPO / "models/zoo/spacer-nano"))
NAMESPACE = "/spacer"
# The weights come with a training run; without them every question is answered MODEL_ERROR.
HAS_MODEL = (NANO / "manifest.toml").exists() and (NANO / "onnx/model.onnx").exists()
STATUS = {
    getattr(SpatialAnswer, name): name
    for name in ("ANSWERED", "NOT_SEEN", "NO_FRAMES", "STALE_FRAMES", "BAD_QUERY", "BUSY", "TIMEOUT", "CANCELLED",
                 "MODEL_ERROR", "UNSUPPORTED")
}
# What a question about good frames may be answered with.
GOOD = {"ANSWERED", "NOT_SEEN"} if HAS_MODEL else {"MODEL_ERROR"}


def skip(what):
    print(f"SKIPPED {what}: {NANO} has no weights yet")


def end_with_parent():
    pr_set_pdeathsig = 1
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)


class Process:
    """One node; leaving the context ends it by its id and asserts that it had not ended before."""

    def __init__(self, executable, environment=None, arguments=(), started_in=REPO, **parameters):
        self.executable = executable
        command = [executable, "--ros-args", "-r", f"__ns:={NAMESPACE}", *map(str, arguments)]
        for name, value in parameters.items():
            command += ["-p", f"{name}:={str(value).lower() if isinstance(value, bool) else value}"]
        self.log = tempfile.NamedTemporaryFile("w+", prefix=f"{executable}-", suffix=".log")
        # Tests read the log, so it must not depend on the caller's level.
        environment = {**(os.environ if environment is None else environment), "RUST_LOG": "info"}
        self.process = subprocess.Popen(command, stdout=self.log, stderr=subprocess.STDOUT, cwd=started_in,
                                        env=environment, preexec_fn=end_with_parent)

    def __enter__(self):
        return self

    def text(self):
        return pathlib.Path(self.log.name).read_text(errors="replace")

    def end(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(8)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        return self.process.returncode

    def __exit__(self, kind, *_):
        ended = self.process.poll()
        code = self.end()
        if kind is not None:
            print(f"--- {self.executable}:\n{self.text()[-3000:]}", file=sys.stderr)
        else:
            assert ended is None, f"{self.executable} ended by itself with {ended}:\n{self.text()[-3000:]}"
            assert code == 0, f"{self.executable} answered SIGINT with {code}:\n{self.text()[-3000:]}"


def perception(**parameters):
    return Process("perception_node", **{"model_dir": NANO, **parameters})


class Stranger:
    """A node that knows topics only."""

    def __init__(self):
        self.node = rclpy.create_node("stranger")
        self.answers, self.diagnostics = [], {}
        deep = QoSProfile(depth=3000, reliability=ReliabilityPolicy.RELIABLE)
        self.answer_subscription = self.node.create_subscription(
            SpatialAnswer, f"{NAMESPACE}/answer", self.answers.append, deep)
        self.node.create_subscription(DiagnosticArray, "/diagnostics", self.on_diagnostics, 10)
        self.images = self.node.create_publisher(Image, f"{NAMESPACE}/image_raw", qos_profile_sensor_data)
        self.asks = self.node.create_publisher(String, f"{NAMESPACE}/ask", deep)
        self.queries = self.node.create_publisher(SpatialQuery, f"{NAMESPACE}/query", deep)

    def close(self):
        self.node.destroy_node()

    def on_diagnostics(self, message):
        for status in message.status:
            values = {pair.key: pair.value for pair in status.values}
            self.diagnostics[status.name.rsplit(": ", 1)[1]] = {"message": status.message, "level": status.level,
                                                                **values}

    def spin(self, seconds):
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            rclpy.spin_once(self.node, timeout_sec=left)

    def wait(self, what, seconds, ready):
        until = time.monotonic() + seconds
        while not ready():
            assert time.monotonic() < until, f"no {what} within {seconds} s"
            rclpy.spin_once(self.node, timeout_sec=0.05)

    def meet(self):
        """Waits until the node hears and is heard, and its model is ready or refused."""
        # That of a node before this one says nothing.
        self.diagnostics.pop("model", None)
        self.wait("perception_node", 30, lambda: self.asks.get_subscription_count() > 0
                  and self.queries.get_subscription_count() > 0 and self.images.get_subscription_count() > 0
                  and self.node.count_publishers(f"{NAMESPACE}/answer") > 0)
        self.wait("a model's state", 60, lambda: self.diagnostics.get("model", {}).get("state") in ("ready", "failed"))
        self.spin(0.3)

    def fresh_diagnostics(self):
        self.diagnostics.clear()
        self.wait("diagnostics", 10, lambda: {"frames", "questions", "model"} <= set(self.diagnostics))
        return self.diagnostics

    def image(self, width, height, /, **changes):
        """A picture of two greys, for one would show nothing, stamped now, with some fields changed."""
        image = Image(width=width, height=height, encoding="rgb8", step=width * 3)
        image.header.frame_id = "camera_optical_frame"
        image.header.stamp = self.node.get_clock().now().to_msg()
        row = bytes([90]) * (width // 2 * 3) + bytes([140]) * ((width - width // 2) * 3)
        image.data = array.array("B", row * height)
        for name, value in changes.items():
            setattr(image, name, array.array("B", value) if name == "data" else value)
        return image

    def show(self, count=6, period=0.2, **changes):
        for _ in range(count):
            self.images.publish(self.image(64, 48, **changes))
            self.spin(period)

    def ask(self, text, seconds=40):
        """Asks one question and returns its answer."""
        self.answers.clear()
        self.asks.publish(text if isinstance(text, bytes) else String(data=text))
        self.wait("answer", seconds, lambda: self.answers)
        return self.answers[0]


def status(answer):
    return STATUS[answer.status]


def run(tests):
    """Runs each test with a stranger of its own."""
    assert shutil.which("perception_node"), "no perception_node on PATH; run: make build"
    rclpy.init(args=[])
    for test in tests:
        began = time.monotonic()
        stranger = Stranger()
        try:
            test(stranger)
        finally:
            stranger.close()
        print(f"{test.__name__}: ok, {time.monotonic() - began:.1f} s", flush=True)
    rclpy.try_shutdown()
