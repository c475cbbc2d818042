"""Robots as they are built: the same two pictures of a simulated room, sent as different drivers send them, on robots
whose frames, lenses and clocks differ. Whatever the form, the thing that is asked about stands within the interval of the
answer, and the answer says what the model was told about the camera."""

import array
import json
import math
import time

import numpy as np
import rclpy
from geometry_msgs.msg import TransformStamped
from nav_msgs.msg import Odometry
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy, qos_profile_sensor_data
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import String
from tf2_msgs.msg import TFMessage

from ros_harness import HAS_MODEL, NAMESPACE, Process, Stranger, perception, skip, status

FRAME = "camera_optical_frame"
OPTICAL = (-0.5, 0.5, -0.5, 0.5)  # x right, y down, z forward in a frame with x forward, z up
BEST_EFFORT = QoSProfile(depth=10, reliability=ReliabilityPolicy.BEST_EFFORT)
RELIABLE = QoSProfile(depth=10, reliability=ReliabilityPolicy.RELIABLE)
LATCHED = QoSProfile(depth=10, reliability=ReliabilityPolicy.RELIABLE, durability=DurabilityPolicy.TRANSIENT_LOCAL)
GAP_SECS = 0.5


def times(a, b):
    """The product of two quaternions (x, y, z, w)."""
    (ax, ay, az, aw), (bx, by, bz, bw) = a, b
    return (aw * bx + ax * bw + ay * bz - az * by, aw * by - ax * bz + ay * bw + az * bx,
            aw * bz + ax * by - ay * bx + az * bw, aw * bw - ax * bx - ay * by - az * bz)


def turned(turn, point):
    """A point, turned."""
    inverse = (-turn[0], -turn[1], -turn[2], turn[3])
    return times(times(turn, (*point, 0.0)), inverse)[:3]


def about(axis, degrees):
    """A turn about x, y or z (0, 1, 2)."""
    half = math.radians(degrees) / 2
    turn = [0.0, 0.0, 0.0, math.cos(half)]
    turn[axis] = math.sin(half)
    return tuple(turn)


class Scene:
    """Two pictures half a second apart, the camera that took them, and how far the nearest seen thing of a kind is."""

    def __init__(self, stranger):
        self.pictures, self.truths, self.links, self.info, self.mount = {}, {}, {}, None, None
        node = stranger.node
        subscriptions = [
            node.create_subscription(Image, f"{NAMESPACE}/image_raw", self.on_image, qos_profile_sensor_data),
            node.create_subscription(CameraInfo, f"{NAMESPACE}/camera_info", self.on_info, qos_profile_sensor_data),
            node.create_subscription(String, f"{NAMESPACE}/sim/truth", self.on_truth, RELIABLE),
            node.create_subscription(TFMessage, "/tf_static", self.on_transforms, LATCHED),
        ]
        with Process("sim_node", seed=3, rate_hz=4.0, rooms="heldout"):
            stranger.wait("a thing that is seen well", 60, self.choose)
        for subscription in subscriptions:
            node.destroy_subscription(subscription)

    def on_image(self, message):
        pixels = np.frombuffer(message.data, np.uint8).reshape(message.height, message.width, 3)
        self.pictures[message.header.stamp.sec * 10**9 + message.header.stamp.nanosec] = pixels

    def on_info(self, message):
        self.info = message

    def on_truth(self, message):
        truth = json.loads(message.data)
        self.truths[truth["stamp_nanos"]] = truth

    def on_transforms(self, message):
        """Where the optical frame is in base_link: position and rotation."""
        for link in message.transforms:
            at, turn = link.transform.translation, link.transform.rotation
            self.links[link.child_frame_id] = (link.header.frame_id, (at.x, at.y, at.z), (turn.x, turn.y, turn.z, turn.w))
        frame, at, turn = FRAME, (0.0, 0.0, 0.0), (0.0, 0.0, 0.0, 1.0)
        while frame != "base_link":
            if frame not in self.links:
                return
            frame, origin, rotation = self.links[frame]
            at = tuple(map(sum, zip(origin, turned(rotation, at))))
            turn = times(rotation, turn)
        self.mount = (at, turn)

    def choose(self):
        """Takes the newest two frames if something stands well in sight in both."""
        stamps = sorted(set(self.pictures) & set(self.truths))
        if len(stamps) < 8 or not self.info or not self.mount:
            return False
        first, second = stamps[-3], stamps[-1]
        near = [{thing["category"]: thing["distance_m"] for thing in self.truths[stamp]["objects"] if thing["seen"]}
                for stamp in (first, second)]
        names = [name for name in near[1] if name in near[0] and 1.5 < near[1][name] < 3.5 and name in ("door", "shelf")]
        if not names:
            return False
        self.frames = [self.pictures[first], self.pictures[second]]
        self.thing = names[0]
        seen = [thing for thing in self.truths[second]["objects"] if thing["category"] == self.thing and thing["seen"]]
        self.distance_m = min(thing["distance_m"] for thing in seen)
        self.height, self.width = self.frames[0].shape[:2]
        self.at, self.turn = self.mount
        return True


class Robot:
    """What one robot's drivers publish."""

    def __init__(self, stranger, scene):
        self.stranger, self.scene, self.node = stranger, scene, stranger.node
        self.publishers = {}

    def publish(self, kind, topic, message, qos):
        key = (topic, str(qos.reliability), str(qos.durability))
        if key not in self.publishers:
            self.publishers[key] = self.node.create_publisher(kind, topic, qos)
            self.stranger.wait(f"a subscriber of {topic}", 10, lambda: self.publishers[key].get_subscription_count() > 0)
            # The other side may learn of it a little later.
            self.stranger.spin(0.2)
        self.publishers[key].publish(message)

    def now(self):
        return self.node.get_clock().now().to_msg()

    def link(self, parent, child, at=(0.0, 0.0, 0.0), turn=(0.0, 0.0, 0.0, 1.0)):
        link = TransformStamped(child_frame_id=child)
        link.header.frame_id, link.header.stamp = parent, self.now()
        link.transform.translation.x, link.transform.translation.y, link.transform.translation.z = map(float, at)
        rotation = link.transform.rotation
        rotation.x, rotation.y, rotation.z, rotation.w = map(float, turn)
        return link

    def mounted(self, links, qos=LATCHED):
        self.publish(TFMessage, "/tf_static", TFMessage(transforms=links), qos)

    def usual_mount(self):
        self.mounted([self.link("base_link", FRAME, self.scene.at, self.scene.turn)])

    def calibration(self, k=None, size=None, **fields):
        info = CameraInfo(width=size[0] if size else self.scene.width, height=size[1] if size else self.scene.height)
        info.header.frame_id, info.header.stamp = FRAME, self.now()
        info.k = [float(value) for value in (self.scene.info.k if k is None else k)]
        info.distortion_model = "plumb_bob"
        for name, value in fields.items():
            setattr(info, name, value)
        return info

    def picture(self, rgb, **fields):
        image = Image(height=rgb.shape[0], width=rgb.shape[1], encoding="rgb8", step=rgb.shape[1] * 3)
        image.header.frame_id, image.header.stamp = FRAME, self.now()
        image.data = array.array("B", np.ascontiguousarray(rgb).tobytes())
        for name, value in fields.items():
            if name == "frame_id":
                image.header.frame_id = value
            elif name == "stamp":
                image.header.stamp = value
            else:
                setattr(image, name, array.array("B", value) if name == "data" else value)
        return image

    def look(self, picture=None, info=None, qos=qos_profile_sensor_data, info_qos=qos_profile_sensor_data):
        """Two pictures half a second apart. `picture(rgb)` makes the message, `info` is the calibration's."""
        for rgb in self.scene.frames:
            self.publish(CameraInfo, f"{NAMESPACE}/camera_info", info or self.calibration(), info_qos)
            message = picture(rgb) if picture else self.picture(rgb)
            self.publish(Image, f"{NAMESPACE}/image_raw", message, qos)
            self.stranger.spin(GAP_SECS)

    def check(self, what):
        """Asks, and compares with the truth."""
        answer = self.stranger.ask(f"how far is the {self.scene.thing}?")
        shown = f"{what}: {answer.text} truth {self.scene.distance_m:.2f} m; camera {answer.camera}"
        assert status(answer) == "ANSWERED", shown
        assert answer.frames_used == 2, f"{answer.frames_used} frames; {shown}"
        assert answer.lower <= self.scene.distance_m <= answer.upper, shown
        print(f"  {shown}", flush=True)
        return answer


def yuv(rgb):
    """BT.601, limited range, as cameras send it."""
    red, green, blue = (rgb[..., channel].astype(float) for channel in range(3))
    planes = (16 + 0.256788 * red + 0.504129 * green + 0.097906 * blue,
              128 - 0.148223 * red - 0.290993 * green + 0.439216 * blue,
              128 + 0.439216 * red - 0.367788 * green - 0.071427 * blue)
    return [np.clip(np.rint(plane), 0, 255).astype(np.uint8) for plane in planes]


def packed_422(rgb, order):
    luma, u, v = yuv(rgb)
    parts = {"y0": luma[:, ::2], "u": u[:, ::2], "y1": luma[:, 1::2], "v": v[:, ::2]}
    return np.stack([parts[name] for name in order], axis=2).tobytes()


def planes_420(rgb, swap):
    luma, u, v = yuv(rgb)
    pair = (v, u) if swap else (u, v)
    return luma.tobytes() + np.stack([plane[::2, ::2] for plane in pair], axis=2).tobytes()


def bayer(rgb, pattern):
    """One colour a pixel; `pattern` names those of the first four."""
    mosaic = np.zeros(rgb.shape[:2], np.uint8)
    for index, colour in enumerate(pattern):
        rows, columns = slice(index // 2, None, 2), slice(index % 2, None, 2)
        mosaic[rows, columns] = rgb[rows, columns, "rgb".index(colour)]
    return mosaic.tobytes()


def encoded(robot, width):
    """Name, and a maker of messages, by encoding."""
    wide = lambda rgb: (rgb.astype("<u2") * 257).tobytes()
    grey = lambda rgb: np.rint(rgb @ np.array([0.299, 0.587, 0.114]))
    alpha = lambda rgb: np.dstack([rgb, np.full(rgb.shape[:2], 255, np.uint8)]).tobytes()
    forms = {
        "bgr8": (3, lambda rgb: rgb[..., ::-1].tobytes()),
        "rgba8": (4, alpha),
        "bgra8": (4, lambda rgb: alpha(rgb[..., ::-1])),
        "mono8": (1, lambda rgb: grey(rgb).astype(np.uint8).tobytes()),
        "mono16": (2, lambda rgb: (grey(rgb).astype("<u2") * 257).tobytes()),
        "rgb16": (6, wide),
        "bgr16": (6, lambda rgb: wide(rgb[..., ::-1])),
        "yuv422": (2, lambda rgb: packed_422(rgb, ("u", "y0", "v", "y1"))),
        "uyvy": (2, lambda rgb: packed_422(rgb, ("u", "y0", "v", "y1"))),
        "yuv422_yuy2": (2, lambda rgb: packed_422(rgb, ("y0", "u", "y1", "v"))),
        "nv12": (1, lambda rgb: planes_420(rgb, False)),
        "nv21": (1, lambda rgb: planes_420(rgb, True)),
        **{f"bayer_{pattern}8": (1, lambda rgb, pattern=pattern: bayer(rgb, pattern))
           for pattern in ("rggb", "bggr", "gbrg", "grbg")},
    }
    for name, (pixel_bytes, make) in forms.items():
        yield name, lambda rgb, name=name, step=width * pixel_bytes, make=make: robot.picture(
            rgb, encoding=name, step=step, data=make(rgb))


def every_encoding(stranger, scene):
    with perception():
        stranger.meet()
        robot = Robot(stranger, scene)
        robot.usual_mount()
        for name, make in encoded(robot, scene.width):
            robot.look(make)
            robot.check(name)
            stranger.spin(GAP_SECS)


def steps_and_rows_that_lie(stranger, scene):
    with perception():
        stranger.meet()
        robot = Robot(stranger, scene)
        robot.usual_mount()
        for name, change in (("step 0", {"step": 0}), ("step of a pixel", {"step": 3}),
                             ("8 rows too many", {"more": bytes(scene.width * 3 * 8)})):
            more = change.pop("more", b"")
            robot.look(lambda rgb: robot.picture(rgb, data=rgb.tobytes() + more, **change))
            robot.check(name)
            stranger.spin(GAP_SECS)


def every_offer_is_heard(stranger, scene):
    """Pictures and calibrations reliable, best effort or latched; odometry best effort, as micro-ROS sends it."""
    for qos, info_qos, odometry_qos in ((RELIABLE, LATCHED, BEST_EFFORT), (BEST_EFFORT, RELIABLE, RELIABLE)):
        with perception():
            stranger.meet()
            robot = Robot(stranger, scene)
            robot.usual_mount()
            moved = Odometry(child_frame_id="base_link")
            moved.header.frame_id = "odom"
            moved.pose.pose.orientation.w = 1.0

            def drive(steps):
                for _ in range(steps):
                    moved.header.stamp = robot.now()
                    robot.publish(Odometry, f"{NAMESPACE}/odom", moved, odometry_qos)
                    stranger.spin(0.05)

            def picture(rgb):
                drive(5)
                return robot.picture(rgb)

            drive(40)
            robot.look(picture, qos=qos, info_qos=info_qos)
            answer = robot.check(f"pictures {qos.reliability.name}, odometry {odometry_qos.reliability.name}")
            assert "pose in odom" in answer.camera, answer.camera
            for publisher in robot.publishers.values():
                stranger.node.destroy_publisher(publisher)


def frames_of_real_robots(stranger, scene):
    """base_link over the floor, a camera in a body frame, upside down and on its side."""
    x, y, z = scene.at
    pitched = times(scene.turn, tuple(-part for part in OPTICAL[:3]) + OPTICAL[3:])
    half = lambda rgb: rgb[::-1, ::-1]
    k = scene.info.k
    on_side = dict(k=[k[4], 0, scene.height - k[5], 0, k[0], k[2], 0, 0, 1], size=(scene.height, scene.width))
    robots = {
        "base_link half a metre over the floor": (
            [("base_footprint", "base_link", (0, 0, 0.5), None), ("base_link", FRAME, (x, y, z - 0.5), scene.turn)],
            FRAME, None, {}, "base_footprint"),
        "camera_link": ([("base_link", "camera_link", scene.at, pitched)], "camera_link", None, {}, "no optical frame"),
        "upside down": ([("base_link", FRAME, scene.at, times(scene.turn, about(2, 180)))], FRAME, half, {}, "180 degrees"),
        "on its side": ([("base_link", FRAME, scene.at, times(scene.turn, about(2, 90)))], FRAME, np.rot90, on_side,
                        "by 90 degrees"),
    }
    for name, (links, frame_id, turned, calibration, told) in robots.items():
        with perception():
            stranger.meet()
            robot = Robot(stranger, scene)
            robot.mounted([robot.link(*link[:3], *link[3:] if link[3] else ()) for link in links])
            robot.look(lambda rgb: robot.picture(np.ascontiguousarray(turned(rgb) if turned else rgb), frame_id=frame_id),
                       info=robot.calibration(**calibration))
            answer = robot.check(name)
            assert told in answer.camera, answer.camera
            for publisher in robot.publishers.values():
                stranger.node.destroy_publisher(publisher)


def bent(rgb, k, strength):
    """What a barrel lens (plumb_bob, k1 = `strength`) makes of a straight picture."""
    rows, columns = np.mgrid[:rgb.shape[0], :rgb.shape[1]].astype(float)
    x, y = (columns - k[2]) / k[0], (rows - k[5]) / k[4]
    straight_x, straight_y = x.copy(), y.copy()
    for _ in range(20):
        radial = 1 + strength * (straight_x**2 + straight_y**2)
        straight_x, straight_y = x / radial, y / radial
    column = np.clip(np.rint(straight_x * k[0] + k[2]), 0, rgb.shape[1] - 1).astype(int)
    row = np.clip(np.rint(straight_y * k[4] + k[5]), 0, rgb.shape[0] - 1).astype(int)
    return rgb[row, column]


def lenses_sizes_and_clocks(stranger, scene):
    k = list(scene.info.k)
    halved = [value / 2 if index < 6 else value for index, value in enumerate(k)]
    boot = [0]

    def from_boot(rgb):
        boot[0] += 1
        image = robot.picture(rgb)
        image.header.stamp.sec, image.header.stamp.nanosec = 100 + boot[0] // 2, boot[0] % 2 * 500_000_000
        return image

    with perception():
        stranger.meet()
        robot = Robot(stranger, scene)
        robot.usual_mount()
        lens = robot.calibration(d=[-0.15, 0.0, 0.0, 0.0, 0.0])
        robot.look(lambda rgb: robot.picture(bent(rgb, k, -0.15)), info=lens)
        assert "plumb_bob, straightened" in robot.check("a barrel lens").camera
        small = lambda rgb: robot.picture(rgb[::2, ::2])
        robot.look(small)
        robot.check("half the calibration's size")
        robot.look(small, info=robot.calibration(binning_x=2, binning_y=2))
        robot.check("binned by two")
        robot.look(small, info=robot.calibration(k=halved, size=(scene.width // 2, scene.height // 2)))
        robot.check("another size of camera")
        robot.look(lambda rgb: robot.picture(rgb, stamp=Image().header.stamp))
        robot.check("stamps of zero")
        moving = TFMessage(transforms=[robot.link("odom", "base_link")])
        robot.publish(TFMessage, "/tf", moving, RELIABLE)
        stranger.spin(0.2)
        robot.look(from_boot)
        robot.check("stamps that count from boot")


def what_the_model_is_told_is_shown(stranger, scene):
    with perception() as node:
        stranger.meet()
        robot = Robot(stranger, scene)
        robot.usual_mount()
        robot.look(lambda rgb: robot.picture(rgb, frame_id="oak_rgb_camera_optical_frame"))
        answer = stranger.ask(f"how far is the {scene.thing}?")
        assert "height unknown" in answer.camera and "oak_rgb_camera_optical_frame" in answer.camera, answer.camera
        stranger.diagnostics.clear()
        stranger.wait("the camera's diagnostics", 5, lambda: "camera" in stranger.diagnostics)
        shown = stranger.diagnostics["camera"]
        assert shown["height_m"] == "unknown" and shown["picture"] == f"{scene.width}x{scene.height}", shown
        assert int.from_bytes(shown["level"], "little") == 1, shown
        assert "oak_rgb_camera_optical_frame" in node.text(), node.text()


def main():
    if not HAS_MODEL:
        return skip("robots")
    rclpy.init(args=[])
    stranger = Stranger()
    scene = Scene(stranger)
    print(f"the {scene.thing}, {scene.distance_m:.2f} m away", flush=True)
    stranger.close()
    for test in (every_encoding, steps_and_rows_that_lie, every_offer_is_heard, frames_of_real_robots,
                 lenses_sizes_and_clocks, what_the_model_is_told_is_shown):
        began, stranger = time.monotonic(), Stranger()
        try:
            test(stranger, scene)
        finally:
            stranger.close()
        print(f"{test.__name__}: ok, {time.monotonic() - began:.1f} s", flush=True)
    rclpy.try_shutdown()


if __name__ == "__main__":
    main()
