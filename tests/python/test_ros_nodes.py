"""The ROS nodes towards a stranger: every question is answered with a typed status, every frame is accounted for."""

import json
import math
import time

import rclpy
from nav_msgs.msg import Odometry
from rclpy.action import ActionClient
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy, qos_profile_sensor_data
from ros_harness import GOOD, HAS_MODEL, NAMESPACE, Process, perception, run, skip, status
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import CameraInfo, Image
from spacer_msgs.action import AnswerSpatialQuery
from spacer_msgs.msg import ImaginedMap, SpatialQuery
from spacer_msgs.srv import AskSpatial
from std_msgs.msg import String
from tf2_msgs.msg import TFMessage


def nanos(stamp):
    return stamp.sec * 1_000_000_000 + stamp.nanosec


def publish_and_ask(stranger, width, height, seconds=6.0):
    """Publishes at 30 Hz and asks once a second; returns how many frames were sent and questions asked."""
    image = stranger.image(width, height)
    period, began, sent, asked = 1 / 30, time.monotonic(), 0, 0
    while (elapsed := time.monotonic() - began) < seconds:
        image.header.stamp = stranger.node.get_clock().now().to_msg()
        stranger.images.publish(image)
        sent += 1
        if elapsed >= asked + 1:
            stranger.queries.publish(SpatialQuery(query_id=f"mine-{asked}", text="how far is the door?"))
            asked += 1
        stranger.spin(max(0.0, began + sent * period - time.monotonic()))
    return sent, asked


def frames_and_questions(stranger, width, height, least_share):
    with perception():
        stranger.meet()
        sent, asked = publish_and_ask(stranger, width, height)
        stranger.wait("answers", 60, lambda: len(stranger.answers) >= asked)
        assert sorted(answer.query_id for answer in stranger.answers) == [f"mine-{i}" for i in range(asked)]
        found = {status(answer) for answer in stranger.answers}
        assert found <= GOOD, found
        frames = {key: int(value) for key, value in stranger.fresh_diagnostics()["frames"].items() if value.isdigit()}
    accounted = frames["kept"] + frames["skipped_rate"] + frames["skipped_still"] + frames["rejected"]
    print(f"  {width}x{height}: {sent} sent, {frames['received']} received, {frames['kept']} kept, "
          f"{frames['skipped_rate']} + {frames['skipped_still']} skipped, {asked} questions: {sorted(found)}")
    assert frames["received"] == accounted and frames["rejected"] == 0, frames
    assert least_share * sent <= frames["received"] <= sent, (sent, frames)
    assert frames["kept"] >= 5, frames


def test_30_hz_of_vga(stranger):
    # A starved publisher or a full history loses best-effort images before the node is handed them.
    frames_and_questions(stranger, 640, 480, 0.9)


def test_30_hz_of_1080p(stranger):
    # What a best-effort publisher loses on its way is lost outside the node.
    frames_and_questions(stranger, 1920, 1080, 0.5)


def test_service_and_action(stranger):
    with perception():
        stranger.meet()
        stranger.show()
        caller = stranger.node.create_client(AskSpatial, f"{NAMESPACE}/ask_spatial")
        stranger.wait("service", 10, caller.service_is_ready)
        request = AskSpatial.Request()
        request.query.query_id, request.query.text = "same", "how many chairs are there?"
        # Two calls with one id: each gets its own answer.
        futures = [caller.call_async(request) for _ in range(2)]
        stranger.wait("responses", 60, lambda: all(future.done() for future in futures))
        for future in futures:
            answer = future.result().answer
            assert (answer.query_id, answer.kind) == ("same", "object_counting") and status(answer) in GOOD, answer

        client = ActionClient(stranger.node, AnswerSpatialQuery, f"{NAMESPACE}/answer_spatial_query")
        stranger.wait("action server", 10, client.server_is_ready)
        heard = []
        goal = AnswerSpatialQuery.Goal()
        goal.query.query_id, goal.query.text = "goal", "how far is the door?"
        accepted = client.send_goal_async(goal, feedback_callback=lambda message: heard.append(message.feedback.phase))
        stranger.wait("acceptance", 10, accepted.done)
        result = accepted.result().get_result_async()
        stranger.wait("result", 60, result.done)
        answer = result.result().result.answer
        assert answer.query_id == "goal" and status(answer) in GOOD, answer
        assert heard and heard[0] == AnswerSpatialQuery.Feedback.QUEUED and heard == sorted(heard), heard
        client.destroy()


def test_a_goal_can_be_cancelled(stranger):
    # A node without frames for the model to look at answers at once, so that this needs the real one.
    if not HAS_MODEL:
        return skip("cancelling")
    with perception():
        stranger.meet()
        stranger.show()
        client = ActionClient(stranger.node, AnswerSpatialQuery, f"{NAMESPACE}/answer_spatial_query")
        stranger.wait("action server", 10, client.server_is_ready)
        goals = []
        for _ in range(4):
            goal = AnswerSpatialQuery.Goal()
            goal.query.text = "how far is the door?"
            goals.append(client.send_goal_async(goal))
        stranger.wait("acceptance", 20, lambda: all(goal.done() for goal in goals))
        last = goals[-1].result()
        cancelled = last.cancel_goal_async()
        result = last.get_result_async()
        stranger.wait("end of the goal", 60, lambda: cancelled.done() and result.done())
        assert status(result.result().result.answer) in {"CANCELLED"} | GOOD
        client.destroy()


def test_sim_node_keeps_its_contract(stranger):
    heard = {"image": [], "info": [], "odom": [], "tf": [], "fixed": [], "clock": [], "truth": []}
    latched = QoSProfile(depth=1, reliability=ReliabilityPolicy.RELIABLE, durability=DurabilityPolicy.TRANSIENT_LOCAL)
    listen = stranger.node.create_subscription
    listen(Image, f"{NAMESPACE}/image_raw", heard["image"].append, qos_profile_sensor_data)
    listen(CameraInfo, f"{NAMESPACE}/camera_info", heard["info"].append, qos_profile_sensor_data)
    listen(Odometry, f"{NAMESPACE}/odom", heard["odom"].append, 10)
    listen(TFMessage, "/tf", heard["tf"].append, 100)
    listen(Clock, "/clock", heard["clock"].append, 10)
    listen(String, f"{NAMESPACE}/sim/truth", heard["truth"].append, latched)
    with Process("sim_node", seed=1, width=320, height=240, rate_hz=10.0, rooms="heldout"):
        stranger.wait("frames", 30, lambda: len(heard["image"]) >= 15)
        # A late joiner gets the fixed transforms.
        listen(TFMessage, "/tf_static", heard["fixed"].append, latched)
        stranger.wait("fixed transforms", 10, lambda: heard["fixed"])
    stamps = [nanos(image.header.stamp) for image in heard["image"]]
    assert stamps == sorted(set(stamps)) and stamps[0] > 0
    clock = [nanos(message.clock) for message in heard["clock"]]
    assert clock == sorted(set(clock))
    truths = {truth["stamp_nanos"]: truth for truth in (json.loads(message.data) for message in heard["truth"])}
    assert set(stamps[3:-1]) <= set(truths), "every frame has its truth"
    truth = truths[stamps[-2]]
    assert truth["objects"] and all({"category", "distance_m", "seen"} <= set(thing) for thing in truth["objects"])
    assert truth["map"]["robot"] == [5, 9] and truth["map"]["cell_size_m"] in (0.4, 0.6, 0.8, 1.0, 1.2)
    image, info = heard["image"][-1], heard["info"][-1]
    assert (image.encoding, image.step, len(image.data)) == ("rgb8", 960, 320 * 240 * 3)
    assert max(image.data) - min(image.data) > 40, "a picture of something"
    assert (info.k[2], info.k[5]) == (159.5, 119.5) and info.header.frame_id == image.header.frame_id
    links = {t.child_frame_id: t for m in heard["fixed"] + heard["tf"] for t in m.transforms}
    parents = {child: link.header.frame_id for child, link in links.items()}
    assert parents == {"odom": "map", "base_link": "odom", "camera_link": "base_link",
                       "camera_optical_frame": "camera_link"}, parents
    assert 0.3 <= links["camera_link"].transform.translation.z <= 1.7
    odom, base = heard["odom"][-1].pose.pose.position, links["base_link"].transform.translation
    assert math.dist((odom.x, odom.y), (base.x, base.y)) < 0.2


def test_sim_and_perception_place_the_map(stranger):
    if not HAS_MODEL:
        return skip("the map in TF")
    maps = []
    latched = QoSProfile(depth=1, reliability=ReliabilityPolicy.RELIABLE, durability=DurabilityPolicy.TRANSIENT_LOCAL)
    with Process("sim_node", seed=1, rate_hz=10.0), perception(use_sim_time=True):
        stranger.meet()
        stranger.spin(4)
        answer = stranger.ask("how far is the door?")
        assert status(answer) in GOOD, answer
        stranger.node.create_subscription(ImaginedMap, f"{NAMESPACE}/imagined_map", maps.append, latched)
        if answer.has_map:
            stranger.wait("latched map", 10, lambda: maps)
            # Not the whole: `agreement` is NaN, which equals nothing.
            assert (maps[0].header, maps[0].objects) == (answer.map.header, answer.map.objects)
            assert answer.map.registered and answer.map.header.frame_id == "odom", answer.map.header


if __name__ == "__main__":
    run([test_30_hz_of_vga, test_30_hz_of_1080p, test_service_and_action, test_a_goal_can_be_cancelled,
         test_sim_node_keeps_its_contract, test_sim_and_perception_place_the_map])
    assert not rclpy.ok()
