"""Publishers of every quality of service are heard, by perception_node and in recordings; who can't be is named."""

import pathlib
import tempfile

import rclpy
import yaml
from bag_readers import read
from geometry_msgs.msg import TransformStamped
from nav_msgs.msg import Odometry
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from ros_harness import GOOD, HAS_MODEL, NAMESPACE, Process, perception, run, skip, status
from sensor_msgs.msg import CameraInfo, Image, LaserScan
from std_msgs.msg import String
from tf2_msgs.msg import TFMessage

QUESTION = "how far is the door?"
# Messages of each topic that are recorded.
COUNT = 40


def qos(reliable, kept=False):
    return QoSProfile(depth=10,
                      reliability=ReliabilityPolicy.RELIABLE if reliable else ReliabilityPolicy.BEST_EFFORT,
                      durability=DurabilityPolicy.TRANSIENT_LOCAL if kept else DurabilityPolicy.VOLATILE)


# Every offer that a publisher can make.
OFFERS = {"best effort": qos(False), "reliable": qos(True), "kept": qos(True, True), "kept best effort": qos(False, True)}


def link(stranger, parent, child):
    transform = TransformStamped(child_frame_id=child)
    transform.header.frame_id = parent
    transform.header.stamp = stranger.node.get_clock().now().to_msg()
    transform.transform.rotation.w = 1.0
    transform.transform.translation.z = 0.8
    return TFMessage(transforms=[transform])


def odometry(stranger):
    message = Odometry(child_frame_id="base_link")
    message.header.frame_id = "odom"
    message.header.stamp = stranger.node.get_clock().now().to_msg()
    message.pose.pose.orientation.w = 1.0
    return message


def place_map(stranger, odometry_qos, fixed_qos, image_qos):
    """Shows pictures and odometry; returns the answer."""
    odometries = stranger.node.create_publisher(Odometry, f"{NAMESPACE}/odom", odometry_qos)
    fixed = stranger.node.create_publisher(TFMessage, "/tf_static", fixed_qos)
    images = stranger.node.create_publisher(Image, f"{NAMESPACE}/image_raw", image_qos)
    if fixed_qos.durability == DurabilityPolicy.TRANSIENT_LOCAL:
        # Published before the node is there, as drivers do.
        fixed.publish(link(stranger, "base_link", "camera_optical_frame"))
    with perception():
        stranger.meet()
        stranger.wait("subscriptions", 10, lambda: all(
            publisher.get_subscription_count() > 0 for publisher in (odometries, fixed, images)))
        stranger.spin(1)
        if fixed_qos.durability != DurabilityPolicy.TRANSIENT_LOCAL:
            fixed.publish(link(stranger, "base_link", "camera_optical_frame"))
        for _ in range(12):
            odometries.publish(odometry(stranger))
            images.publish(stranger.image(64, 48))
            odometries.publish(odometry(stranger))
            stranger.spin(0.2)
        answer = stranger.ask(QUESTION)
        topics = stranger.fresh_diagnostics()["topics"]
    for publisher in (odometries, fixed, images):
        stranger.node.destroy_publisher(publisher)
    return answer, topics


def test_odometry_transforms_and_pictures_of_every_offer(stranger):
    if not HAS_MODEL:
        return skip("odometry of every offer")
    # The harness's own publisher of pictures is best effort; a second one of another offer joins it.
    for odometry_offer, fixed_offer, image_offer in (("best effort", "kept", "reliable"),
                                                     ("reliable", "reliable", "best effort"),
                                                     ("kept", "kept best effort", "kept")):
        stranger.diagnostics.clear()
        answer, topics = place_map(stranger, OFFERS[odometry_offer], OFFERS[fixed_offer], OFFERS[image_offer])
        assert status(answer) in GOOD, answer
        if answer.has_map:
            assert answer.map.registered and answer.map.header.frame_id == "odom", (odometry_offer, answer.map.header)
        expected = {"best effort": "best effort, volatile", "reliable": "reliable, volatile",
                    "kept": "reliable, transient local"}[odometry_offer]
        assert expected in topics["odom"] and "1 publishers" in topics["odom"], topics
        print(f"  odom {odometry_offer}, /tf_static {fixed_offer}, image_raw {image_offer}: {answer.text}")


def test_a_publisher_of_another_type_is_named(stranger):
    wrong = stranger.node.create_publisher(String, f"{NAMESPACE}/odom", 10)
    with perception() as node:
        stranger.meet()
        stranger.wait("the warning", 10, lambda: "/stranger publishes std_msgs/msg/String" in node.text())
        topics = stranger.fresh_diagnostics()["topics"]
        assert topics["level"] == b"\x01" and "/stranger" in topics["message"], topics
        stranger.spin(2)
        assert node.text().count("std_msgs/msg/String") == 1, node.text()
    stranger.node.destroy_publisher(wrong)


def test_questions_of_a_best_effort_asker(stranger):
    asks = stranger.node.create_publisher(String, f"{NAMESPACE}/ask", qos(False))
    with perception():
        stranger.meet()
        stranger.wait("subscription", 10, lambda: asks.get_subscription_count() > 0)
        stranger.answers.clear()
        # The same words by both kinds of askers are two questions.
        asks.publish(String(data="who are you?"))
        stranger.asks.publish(String(data="who are you?"))
        stranger.wait("answers", 20, lambda: len(stranger.answers) == 2)
        stranger.spin(1)
        assert len({answer.query_id for answer in stranger.answers}) == len(stranger.answers) == 2
    stranger.node.destroy_publisher(asks)


def offered(bag):
    """By topic: how many messages, and the policies that the bag says were offered."""
    information = yaml.safe_load((bag / "metadata.yaml").read_text())["rosbag2_bagfile_information"]
    topics = {}
    for topic in information["topics_with_message_count"]:
        (profile,) = yaml.safe_load(topic["topic_metadata"]["offered_qos_profiles"])
        topics[topic["topic_metadata"]["name"]] = (topic["message_count"], profile["reliability"], profile["durability"])
    return topics


def publish_all(stranger, publishers):
    """Publishes `COUNT` messages of each while the recorder finds out how they are offered."""
    for index in range(COUNT):
        for publisher, message, _ in publishers.values():
            stamped = message.transforms[0] if isinstance(message, TFMessage) else message
            stamped.header.stamp.sec = index + 1
            publisher.publish(message)
        stranger.spin(0.1)
    stranger.spin(1)


def test_recordings_have_what_every_publisher_offers(stranger):
    """Policies by rmw's numbers: 1 is reliable or transient local, 2 best effort or volatile."""
    make = stranger.node.create_publisher
    fixed = make(TFMessage, "/tf_static", qos(True, True))
    fixed.publish(link(stranger, "base_link", "camera_link"))
    with tempfile.TemporaryDirectory() as name:
        stranger.diagnostics.clear()
        with Process("recorder_node", folder=name):
            stranger.wait("recorder_node", 20, lambda: "recording" in stranger.diagnostics)
            publishers = {
                "/spacer/odom": (make(Odometry, f"{NAMESPACE}/odom", qos(False)), Odometry(), (2, 2)),
                "/tf": (make(TFMessage, "/tf", qos(False)), link(stranger, "odom", "base_link"), (2, 2)),
                "/spacer/scan": (make(LaserScan, f"{NAMESPACE}/scan", qos(True)), LaserScan(), (1, 2)),
                "/spacer/camera_info": (make(CameraInfo, f"{NAMESPACE}/camera_info", qos(True, True)), CameraInfo(),
                                        (1, 1)),
                "/spacer/depth/image_raw": (make(Image, f"{NAMESPACE}/depth/image_raw", qos(True)), Image(), (1, 2)),
            }
            stranger.wait("subscriptions", 20, lambda: all(
                publisher.get_subscription_count() > 0 for publisher, _, _ in publishers.values()))
            publish_all(stranger, publishers)
        (bag,) = pathlib.Path(name).iterdir()
        found, recorded = offered(bag), read(bag)["rosbags"]
    assert found["/tf_static"] == (1, 1, 1), found
    for topic, (_, _, policies) in publishers.items():
        count, *said = found[topic]
        assert tuple(said) == policies, (topic, found)
        # The first may be lost while publisher and subscription meet; nothing is missing later, nothing comes twice.
        assert COUNT - 2 <= count <= COUNT, (topic, found)
        if topic != "/tf":
            stamps = [message["stamp"] // 10**9 for _, message in recorded[topic]["messages"]]
            assert stamps == list(range(COUNT + 1 - count, COUNT + 1)), (topic, stamps)
    for publisher in [fixed, *(publisher for publisher, _, _ in publishers.values())]:
        stranger.node.destroy_publisher(publisher)


if __name__ == "__main__":
    run([test_odometry_transforms_and_pictures_of_every_offer, test_a_publisher_of_another_type_is_named,
         test_questions_of_a_best_effort_asker, test_recordings_have_what_every_publisher_offers])
    assert not rclpy.ok()
