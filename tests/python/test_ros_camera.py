"""Real input: camera_node plays the video and the stereo pictures of opencv-doc to perception_node."""

import os
import pathlib
import shutil
import tempfile

from rclpy.qos import qos_profile_sensor_data
from ros_harness import GOOD, NAMESPACE, Process, perception, run, status
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

PICTURES = pathlib.Path(os.environ.get("SPACER_PICTURES", "/usr/share/doc/opencv-doc/examples/data"))
QUESTIONS = ("how far is the door?", "how many people are there?", "what do you see?")
CALIBRATION = """image_width: 640
image_height: 480
camera_name: left
camera_matrix: {rows: 3, cols: 3, data: [536.07, 0, 342.37, 0, 536.01, 235.53, 0, 0, 1]}
distortion_model: plumb_bob
distortion_coefficients: {rows: 1, cols: 5, data: [-0.265, -0.046, 0.0018, -0.0003, 0.25]}
"""


def play_and_ask(stranger, source, size, **parameters):
    images = []
    subscription = stranger.node.create_subscription(Image, f"{NAMESPACE}/image_raw", images.append,
                                                     qos_profile_sensor_data)
    with Process("camera_node", source=source, loop=True, **parameters), perception():
        stranger.meet()
        stranger.wait("images", 20, lambda: len(images) >= 3)
        stranger.spin(2)
        found = [status(stranger.ask(question)) for question in QUESTIONS]
        frames = stranger.fresh_diagnostics()["frames"]
    stranger.node.destroy_subscription(subscription)
    print(f"  {source.name}: {images[0].width}x{images[0].height}, received {frames['received']}, {found}")
    assert set(found) <= GOOD, found
    assert int(frames["received"]) > 0 and frames["rejected"] == "0", frames
    assert {(image.width, image.height) for image in images} == {size}


def test_the_street_video(stranger):
    play_and_ask(stranger, PICTURES / "vtest.avi", (768, 576))


def test_the_stereo_pictures(stranger):
    infos = []
    listen = stranger.node.create_subscription
    subscription = listen(CameraInfo, f"{NAMESPACE}/camera_info", infos.append, qos_profile_sensor_data)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name) / "left"
        folder.mkdir()
        for picture in sorted(PICTURES.glob("left[0-9][0-9].jpg")):
            shutil.copy(picture, folder)
        (folder / "notes.txt").write_text("not a picture")
        calibration = pathlib.Path(name) / "left.yaml"
        calibration.write_text(CALIBRATION)
        play_and_ask(stranger, folder, (640, 480), rate_hz=10.0, camera_info_file=calibration)
    assert infos and infos[0].k[0] == 536.07 and len(infos[0].d) == 5
    stranger.node.destroy_subscription(subscription)


def test_compressed_images(stranger):
    publisher = stranger.node.create_publisher(CompressedImage, f"{NAMESPACE}/image_raw/compressed",
                                               qos_profile_sensor_data)
    good = CompressedImage(format="jpeg", data=(PICTURES / "left01.jpg").read_bytes())
    bad = [CompressedImage(format="jpeg", data=good.data[:2000].tobytes()[20:]), CompressedImage(format="png")]
    with perception():
        stranger.meet()
        for message in [good, *bad, good]:
            message.header.stamp = stranger.node.get_clock().now().to_msg()
            publisher.publish(message)
            stranger.spin(0.6)
        frames = stranger.fresh_diagnostics()["frames"]
        assert (frames["received"], frames["kept"], frames["rejected_undecodable"]) == ("4", "2", "2"), frames
        assert status(stranger.ask(QUESTIONS[0])) in GOOD


def ends_with(words, **parameters):
    node = Process("camera_node", **parameters)
    code = node.process.wait(20)
    assert all(word in node.text() for word in words), node.text()
    return code


def test_sources_that_are_none(_stranger):
    with tempfile.TemporaryDirectory() as name:
        empty, broken = pathlib.Path(name) / "empty", pathlib.Path(name) / "broken.avi"
        empty.mkdir()
        broken.write_bytes((PICTURES / "vtest.avi").read_bytes()[:100])
        for source, word in ((empty, "pictures"), (broken, "OpenCV"), (pathlib.Path("/nowhere.mp4"), "nowhere.mp4")):
            assert ends_with(["expected" if source != broken else word, word], source=source) == 1
        folder = pathlib.Path(name) / "mixed"
        folder.mkdir()
        (folder / "a.png").write_bytes(b"no picture")
        shutil.copy(PICTURES / "left01.jpg", folder / "b.jpg")
        # One bad picture is skipped, and the end of the source is an ordinary one.
        assert ends_with(["skipped a frame", "a.png", "end of the source"], source=folder) == 0


if __name__ == "__main__":
    assert (PICTURES / "vtest.avi").exists(), f"no opencv-doc at {PICTURES}; run: make setup"
    run([test_the_street_video, test_the_stereo_pictures, test_compressed_images, test_sources_that_are_none])
