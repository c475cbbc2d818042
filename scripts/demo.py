"""Asks a simulated robot one question over ROS 2 and shows the answer beside the truth.

    python3 scripts/demo.py "how far is the door?"

Runs `sim_node` and `perception_node` from PATH as child processes, speaks to them through rclpy like any other node,
and writes `target/demo/{answer.json, frame.png, map.png}`. `scripts/demo.sh` builds and sets the environment.
"""

import argparse
import ctypes
import json
import math
import pathlib
import re
import signal
import struct
import subprocess
import sys
import time
import zlib

import numpy as np
import rclpy
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy, qos_profile_sensor_data
from sensor_msgs.msg import Image
from spacer_msgs.msg import ImaginedMap, SpatialAnswer
from std_msgs.msg import String

REPO = pathlib.Path(__file__).resolve().parents[1]
NAMESPACE = "/spacer"
LOOK_SECS = 25  # longest search for the object that is asked about
GRID = 10
STATUS_NAMES = {
    getattr(SpatialAnswer, name): name
    for name in ("ANSWERED", "NOT_SEEN", "NO_FRAMES", "STALE_FRAMES", "BAD_QUERY", "BUSY", "TIMEOUT", "CANCELLED",
                 "MODEL_ERROR", "UNSUPPORTED")
}
TIMES = ("queue", "vision", "prefill", "first_token", "decode", "total")


class Failed(Exception):
    """The demo cannot go on; the text says why."""


def end_with_parent():
    """In a child, before it starts: it gets SIGKILL should this process die without cleaning up (Linux)."""
    pr_set_pdeathsig = 1
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)


class Children:
    """The node processes; leaving the context ends every one of them."""

    def __init__(self, log_folder):
        self.log_folder = log_folder
        self.running = {}

    def __enter__(self):
        return self

    def start(self, executable, **parameters):
        command = [executable, "--ros-args", "-r", f"__ns:={NAMESPACE}"]
        for name, value in parameters.items():
            command += ["-p", f"{name}:={value}"]
        with (self.log_folder / f"{executable}.log").open("w") as log:
            try:
                self.running[executable] = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, cwd=REPO,
                                                            preexec_fn=end_with_parent)
            except FileNotFoundError:
                raise Failed(f"no {executable} on PATH; run: make build") from None

    def check(self):
        for executable, process in self.running.items():
            if process.poll() is not None:
                log = (self.log_folder / f"{executable}.log").read_text(errors="replace")
                raise Failed(f"{executable} ended with {process.returncode}:\n" + "\n".join(log.splitlines()[-15:]))

    def __exit__(self, *_):
        for process in self.running.values():
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
        deadline = time.monotonic() + 3
        for process in self.running.values():
            try:
                process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


class Asker:
    """A stranger to the nodes: knows their topics only."""

    def __init__(self, children):
        self.children = children
        self.node = rclpy.create_node("demo")
        self.images, self.truths, self.answers = {}, {}, []
        self.map = None
        # An open window of stamps: old images and truths are dropped once there are more than these.
        self.kept = 200
        latched = QoSProfile(depth=1, reliability=ReliabilityPolicy.RELIABLE,
                             durability=DurabilityPolicy.TRANSIENT_LOCAL)
        subscribe = self.node.create_subscription
        subscribe(Image, f"{NAMESPACE}/image_raw", self.on_image, qos_profile_sensor_data)
        subscribe(String, f"{NAMESPACE}/sim/truth", self.on_truth, 10)
        subscribe(SpatialAnswer, f"{NAMESPACE}/answer", self.answers.append, 10)
        subscribe(ImaginedMap, f"{NAMESPACE}/imagined_map", self.on_map, latched)
        self.ask_publisher = self.node.create_publisher(String, f"{NAMESPACE}/ask", 10)

    def on_image(self, image):
        self.keep(self.images, stamp_nanos(image.header.stamp), image)

    def on_truth(self, message):
        truth = json.loads(message.data)
        self.keep(self.truths, truth["stamp_nanos"], truth)

    def on_map(self, message):
        self.map = message

    def keep(self, store, stamp, value):
        store[stamp] = value
        while len(store) > self.kept:
            del store[next(iter(store))]

    def wait(self, what, seconds, ready):
        deadline = time.monotonic() + seconds
        while not ready():
            if time.monotonic() > deadline:
                raise Failed(f"no {what} within {seconds} s")
            self.children.check()
            rclpy.spin_once(self.node, timeout_sec=0.1)

    def ask(self, question, watch_secs):
        self.wait("subscriber of `ask`", 20, lambda: self.ask_publisher.get_subscription_count() > 0)
        self.wait("image", 30, lambda: self.images)
        self.wait("truth", 10, lambda: self.truths)
        # The robot walks; the model answers from a window of frames, so let it see something first.
        began = time.monotonic()
        self.wait("walk", watch_secs + 5, lambda: time.monotonic() - began > watch_secs)
        # A person would ask about what the robot can see: let it walk on for a while if the object is out of sight.
        began = time.monotonic()
        self.wait("walk", LOOK_SECS + 5, lambda: in_sight(question, self.truths) or time.monotonic() - began > LOOK_SECS)
        self.ask_publisher.publish(String(data=question))
        self.wait("answer", 30, lambda: self.answers)
        answer = self.answers[0]
        if answer.has_map:
            self.wait("imagined map", 5, lambda: self.map is not None)
        newest = stamp_nanos(answer.newest_stamp)
        if newest and newest not in self.truths:
            began = time.monotonic()
            self.wait("truth", 5, lambda: newest in self.truths or time.monotonic() - began > 2)
        return answer


def stamp_nanos(stamp):
    return stamp.sec * 1_000_000_000 + stamp.nanosec


def nearest(store, stamp):
    """The stored value whose stamp is closest, or the newest for stamp 0."""
    key = min(store, key=lambda known: abs(known - stamp)) if stamp else max(store)
    return store[key]


def in_sight(question, truths):
    """Whether the object that the question names has been in view for a second; true if it names none."""
    recent = [truth for stamp, truth in truths.items() if stamp > max(truths) - 1_000_000_000]
    named = [true_value(question, "ego_distance", truth) for truth in recent]
    return all(value is not None or category is None for value, category in named)


def singular(word):
    """`chairs` to `chair`, `shelves` to `shelf`: enough for furniture."""
    for ending, replacement in (("shelves", "shelf"), ("boxes", "box"), ("couches", "couch"), ("benches", "bench")):
        if word.endswith(ending):
            return word[: -len(ending)] + replacement
    return word[:-1] if word.endswith("s") and not word.endswith("ss") else word


def true_value(question, kind, truth):
    """The exact answer, a number or None for "not seen", and the category asked about; (None, None) if not numeric."""
    text = " ".join(singular(word) for word in re.findall(r"[a-z]+", question.lower().replace("_", " ")))
    categories = {thing["category"] for thing in truth["objects"]}
    named = [name for name in categories if re.search(rf"\b{re.escape(name.replace('_', ' '))}\b", text)]
    category = max(named, key=len) if named else None
    seen = [thing for thing in truth["objects"] if thing["category"] == category and thing["seen"]]
    if not seen or kind not in ("ego_distance", "object_counting"):
        return None, category
    if kind == "object_counting":
        return len(seen), category
    return min(thing["distance_m"] for thing in seen), category


def rgb_array(image):
    """height × width × 3 bytes, R G B, of a sensor_msgs/Image."""
    channels = {"rgb8": 3, "bgr8": 3, "rgba8": 4, "bgra8": 4, "mono8": 1}.get(image.encoding)
    if channels is None:
        raise Failed(f"image encoding {image.encoding!r} is not known to the demo")
    rows = np.frombuffer(image.data, np.uint8)[: image.height * image.step].reshape(image.height, image.step)
    pixels = rows[:, : image.width * channels].reshape(image.height, image.width, channels)
    if channels == 1:
        return np.repeat(pixels, 3, axis=2)
    return pixels[:, :, 2::-1] if image.encoding.startswith("bgr") else pixels[:, :, :3]


def write_png(path, pixels):
    """Writes height × width × 3 bytes, R G B."""
    height, width, _ = pixels.shape
    rows = np.zeros((height, 1 + width * 3), np.uint8)
    rows[:, 1:] = pixels.reshape(height, width * 3)

    def chunk(name, data):
        body = name + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows.tobytes()))
                     + chunk(b"IEND", b""))


def imagined_cells(answer):
    """{category: [(x, y)]} and the robot's cell of an answer's map."""
    if not answer.has_map:
        return {}, None
    cells = {}
    for thing in answer.map.objects:
        cells.setdefault(thing.category, []).append((thing.x, thing.y))
    return cells, (answer.map.robot_x, answer.map.robot_y) if answer.map.has_robot else None


def true_cells(truth):
    cells = {name: [tuple(cell) for cell in found] for name, found in truth["map"]["objects"].items()}
    return cells, tuple(truth["map"]["robot"])


def letters_for(categories):
    """One letter for each category: its own initial where free, else the next free letter."""
    letters, free = {}, [letter for letter in "ABCDEFGHIJKLMNOPQSTUVWXYZ"]  # R is the robot
    for name in sorted(categories):
        wanted = [letter for letter in name.upper() if letter in free] or free
        letters[name] = wanted[0] if wanted else "?"
        if wanted:
            free.remove(wanted[0])
    return letters


def text_grid(cells, robot, letters):
    """GRID lines of text; `R` is the robot, `*` several categories in one cell."""
    grid = [["·"] * GRID for _ in range(GRID)]
    for name, found in cells.items():
        for x, y in found:
            if 0 <= x < GRID and 0 <= y < GRID:
                grid[y][x] = letters[name] if grid[y][x] in ("·", letters[name]) else "*"
    if robot and 0 <= robot[0] < GRID and 0 <= robot[1] < GRID:
        grid[robot[1]][robot[0]] = "R"
    return [" ".join(row) for row in grid]


def map_picture(maps, categories, cell=24):
    """The imagined and the true map side by side: one colour a category, the robot white."""
    colours = {name: np.array([(37 * i * i + 90 * i + 200) % 200 + 40, (151 * i + 80) % 200 + 40,
                               (67 * i + 160) % 200 + 40], np.uint8) for i, name in enumerate(sorted(categories))}
    picture = np.full((GRID * cell, (2 * GRID + 1) * cell, 3), 24, np.uint8)
    for side, (cells, robot) in enumerate(maps):
        left = side * (GRID + 1) * cell

        def fill(x, y, colour, left=left):
            if 0 <= x < GRID and 0 <= y < GRID:
                picture[y * cell + 1:(y + 1) * cell - 1, left + x * cell + 1:left + (x + 1) * cell - 1] = colour

        for y in range(GRID):
            for x in range(GRID):
                fill(x, y, 52)
        for name, found in cells.items():
            for x, y in found:
                fill(x, y, colours[name])
        if robot:
            fill(*robot, 255)
    return picture


def with_unit(value, unit):
    return f"{value:.2f} {unit}" if unit else f"{value:g}"


def finite(value):
    return value if math.isfinite(value) else None


def report(question, answer, truth):
    """The lines shown to a person, and the record written to answer.json."""
    status = STATUS_NAMES.get(answer.status, str(answer.status))
    exact, category = true_value(question, answer.kind, truth)
    unit, value = answer.unit, finite(answer.value)
    lines = [f"question  {question}", f"answer    {answer.text}  [{status}]"]
    if value is not None:
        lines.append(f"value     {with_unit(value, unit)}")
        if finite(answer.coverage) and finite(answer.lower) is not None and finite(answer.upper) is not None:
            lines[-1] += (f", {answer.coverage:.0%} interval {with_unit(answer.lower, unit)} to "
                          f"{with_unit(answer.upper, unit)}")
    error = None
    if exact is not None:
        lines.append(f"truth     {with_unit(exact, unit or ('m' if answer.kind == 'ego_distance' else ''))}")
        if value is not None:
            error = value - exact
            relative = f" ({abs(error) / exact:.0%})" if exact else ""
            lines.append(f"error     {'+' if error >= 0 else '-'}{with_unit(abs(error), unit)}{relative}")
    elif category:
        lines.append(f"truth     the {category} has not been in view")
    elif answer.kind in ("ego_distance", "object_counting"):
        lines.append("truth     nothing of that name is in the room")
    times = {name: getattr(answer.timing, name) for name in TIMES}
    lines.append("time      " + ", ".join(f"{name.replace('_', ' ')} {secs * 1e3:.0f} ms" for name, secs in times.items()))
    lines.append(f"tokens    prompt {answer.prompt_tokens} ({answer.cached_tokens} cached), generated "
                 f"{answer.generated_tokens}; {answer.frames_used} frames; model {answer.model}")
    record = {
        "question": question, "status": status, "kind": answer.kind, "text": answer.text, "value": value, "unit": unit,
        "lower": finite(answer.lower), "upper": finite(answer.upper), "coverage": finite(answer.coverage),
        "truth": exact, "error": error, "confidence": finite(answer.confidence), "thinking": answer.thinking,
        "newest_stamp_nanos": stamp_nanos(answer.newest_stamp), "frames_used": answer.frames_used,
        "timing_secs": times, "model": answer.model,
        "tokens": {"prompt": answer.prompt_tokens, "cached": answer.cached_tokens,
                   "generated": answer.generated_tokens},
    }
    return lines, record


def show_maps(answer, truth):
    imagined, actual = imagined_cells(answer), true_cells(truth)
    categories = set(imagined[0]) | set(actual[0])
    letters = letters_for(categories)
    size = truth["map"]["cell_size_m"]
    scale = f"{answer.map.cell_size_m:.2f} m cells" if answer.has_map and answer.map.cell_size_m else "no scale"
    lines = ["", f"{'imagined map (' + scale + ')' if answer.has_map else 'no imagined map':<28}"
                 f"true map ({size:.2f} m cells)"]
    for left, right in zip(text_grid(*imagined, letters), text_grid(*actual, letters)):
        lines.append(f"{left:<28}{right}")
    lines.append("R robot, " + ", ".join(f"{letter} {name}" for name, letter in sorted(letters.items())))
    return lines, map_picture([imagined, actual], categories)


def run(arguments, output):
    with Children(output) as children:
        children.start("sim_node", seed=arguments.seed, width=640, height=480, rate_hz=10.0, rooms=arguments.rooms)
        children.start("perception_node", model_dir=arguments.model, use_sim_time="true")
        asker = Asker(children)
        answer = asker.ask(arguments.question, arguments.watch_secs)
    newest = stamp_nanos(answer.newest_stamp)
    truth = nearest(asker.truths, newest)
    lines, record = report(arguments.question, answer, truth)
    map_lines, picture = show_maps(answer, truth)
    print("\n".join(lines + map_lines))
    imagined, robot = imagined_cells(answer)
    record["imagined_map"] = {"cell_size_m": answer.map.cell_size_m, "robot": robot, "objects": imagined,
                              "registered": answer.map.registered}
    record["true_map"] = truth["map"]
    (output / "answer.json").write_text(json.dumps(record, indent=2, allow_nan=False) + "\n")
    write_png(output / "frame.png", rgb_array(nearest(asker.images, newest)))
    write_png(output / "map.png", picture)
    print(f"\nwritten: {output.relative_to(REPO)}/answer.json, frame.png, map.png")
    if answer.status not in (SpatialAnswer.ANSWERED, SpatialAnswer.NOT_SEEN):
        raise Failed(f"the node answered {record['status']}: {answer.text}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("question", nargs="?", default="how far is the door?")
    parser.add_argument("--model", default=str(REPO / "models/zoo/spacer-nano"), help="model directory")
    parser.add_argument("--rooms", default="heldout", help="set of rooms: train, heldout or novel")
    parser.add_argument("--seed", type=int, default=1, help="chooses the room")
    parser.add_argument("--watch-secs", type=float, default=5.0, help="how long the robot walks before the question")
    arguments = parser.parse_args()
    output = REPO / "target/demo"
    output.mkdir(parents=True, exist_ok=True)
    # `timeout` and Ctrl-C end the demo through an exception, so that the children are always ended.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(124))
    rclpy.init(args=[], signal_handler_options=rclpy.signals.SignalHandlerOptions.NO)
    try:
        run(arguments, output)
    except Failed as failure:
        print(f"error: {failure}", file=sys.stderr)
        return 1
    finally:
        rclpy.try_shutdown()
    return 0


if __name__ == "__main__":
    sys.exit(main())
