#!/usr/bin/env python3
"""How long a question takes through ROS, from its publication to its answer, while a 1080p camera sends 30 images a second.

    python3 scripts/bench_ros.py [--questions 200]

Runs `perception_node` from PATH with spacer-nano, a camera in a process of its own, and asks one question after the
other. Prints the median, the 95th and the 99th percentile. Called by `scripts/bench.sh`.
"""

import argparse
import pathlib
import subprocess
import sys
import time

import rclpy

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tests/python"))
from ros_harness import GOOD, NANO, Stranger, end_with_parent, perception, status  # noqa: E402

SIZE = (1920, 1080)
RATE_HZ = 30
QUESTIONS = ("how far is the door?", "how many chairs are there?", "where is the table?", "how far is the window?")


def camera():
    """Publishes until it is killed."""
    stranger = Stranger()
    image = stranger.image(*SIZE)
    began, sent = time.monotonic(), 0
    while rclpy.ok():
        # Another line each time: a camera never sends the same picture twice.
        row = sent % SIZE[1] * image.step
        image.data[row:row + image.step] = type(image.data)("B", bytes([sent * 37 % 256]) * image.step)
        image.header.stamp = stranger.node.get_clock().now().to_msg()
        stranger.images.publish(image)
        sent += 1
        time.sleep(max(0.0, began + sent / RATE_HZ - time.monotonic()))


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, round(share * (len(ordered) - 1)))]


def row(name, value, unit):
    print(f"{NANO.name:<16} {name:<66} {f'{value:.3f} {unit}':>14}")


def measure(questions):
    stranger = Stranger()
    with perception():
        stranger.meet()
        source = subprocess.Popen([sys.executable, __file__, "--camera"], preexec_fn=end_with_parent)
        try:
            # Until a whole window has been seen and read.
            stranger.spin(8)
            before, began = int(stranger.fresh_diagnostics()["frames"]["received"]), time.monotonic()
            times = []
            for index in range(questions):
                asked = time.monotonic()
                answer = stranger.ask(QUESTIONS[index % len(QUESTIONS)])
                times.append(1000 * (time.monotonic() - asked))
                assert status(answer) in GOOD, answer
            received = int(stranger.fresh_diagnostics()["frames"]["received"]) - before
            rate = received / (time.monotonic() - began)
        finally:
            source.kill()
            source.wait()
    stranger.close()
    for share in (50, 95, 99):
        row(f"question to answer through ROS, p{share} of {questions}", percentile(times, share / 100), "ms")
    row(f"{SIZE[0]}x{SIZE[1]} images that reached the node meanwhile", rate, "Hz")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--questions", type=int, default=200)
    parser.add_argument("--camera", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    rclpy.init(args=[])
    if arguments.camera:
        camera()
    else:
        measure(arguments.questions)
    rclpy.try_shutdown()


if __name__ == "__main__":
    main()
