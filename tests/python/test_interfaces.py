"""The ROS interfaces carry the constants of the Rust vocabulary and travel between two rclpy nodes."""

import pathlib
import re
import time

import rclpy
from rclpy.action import ActionClient, ActionServer
from rclpy.executors import SingleThreadedExecutor
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from spacer_msgs.action import AnswerSpatialQuery
from spacer_msgs.msg import ImaginedMap, MapObject, SpatialAnswer
from spacer_msgs.srv import AskSpatial
from tf2_msgs.msg import TFMessage

REPO = pathlib.Path(__file__).resolve().parents[2]


def test_status_constants_equal_the_rust_codes():
    source = (REPO / "msgs/src/answer.rs").read_text(encoding="utf-8")
    codes = {name: int(code) for name, code in re.findall(r"^    (\w+) = (\d+),$", source, re.MULTILINE)}
    names = dict(re.findall(r'Self::(\w+) => "([A-Z_]+)"', source))
    assert len(codes) == 10 and set(codes) == set(names), (codes, names)
    for variant, code in codes.items():
        assert getattr(SpatialAnswer, names[variant]) == code, variant


def spin_until(executor, ready, what, seconds=20):
    deadline = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < deadline, f"no {what} within {seconds} s"
        executor.spin_once(timeout_sec=0.1)


def test_a_late_joiner_gets_the_map(executor, server, client):
    latched = QoSProfile(depth=1, reliability=ReliabilityPolicy.RELIABLE, durability=DurabilityPolicy.TRANSIENT_LOCAL)
    sent = ImaginedMap(size=10, cell_size_m=0.5, objects=[MapObject(category="door", x=3, y=2)])
    server.create_publisher(ImaginedMap, "imagined_map", latched).publish(sent)
    received = []
    client.create_subscription(ImaginedMap, "imagined_map", received.append, latched)
    spin_until(executor, lambda: received, "map")
    assert received[0] == sent


def test_service(executor, server, client):
    def answer(request, response):
        response.answer = SpatialAnswer(query_id=request.query.query_id, status=SpatialAnswer.NOT_SEEN)
        return response

    server.create_service(AskSpatial, "ask_spatial", answer)
    caller = client.create_client(AskSpatial, "ask_spatial")
    spin_until(executor, caller.service_is_ready, "service")
    request = AskSpatial.Request()
    request.query.query_id = "q1"
    future = caller.call_async(request)
    spin_until(executor, future.done, "response")
    assert future.result().answer.query_id == "q1"
    assert future.result().answer.status == SpatialAnswer.NOT_SEEN


def test_action_with_feedback(executor, server, client):
    def execute(goal):
        feedback = AnswerSpatialQuery.Feedback(phase=AnswerSpatialQuery.Feedback.DECODE, partial_text="The door")
        goal.publish_feedback(feedback)
        goal.succeed()
        return AnswerSpatialQuery.Result(answer=SpatialAnswer(value=goal.request.query.deadline))

    running = ActionServer(server, AnswerSpatialQuery, "answer_spatial_query", execute)
    caller = ActionClient(client, AnswerSpatialQuery, "answer_spatial_query")
    spin_until(executor, caller.server_is_ready, "action server")
    goal = AnswerSpatialQuery.Goal()
    goal.query.deadline = 2.5
    heard = []
    accepted = caller.send_goal_async(goal, feedback_callback=lambda message: heard.append(message.feedback))
    spin_until(executor, accepted.done, "acceptance")
    result = accepted.result().get_result_async()
    spin_until(executor, lambda: result.done() and heard, "result and feedback")
    assert result.result().result.answer.value == 2.5
    assert (heard[0].phase, heard[0].partial_text) == (AnswerSpatialQuery.Feedback.DECODE, "The door")
    running.destroy()
    caller.destroy()


def main():
    test_status_constants_equal_the_rust_codes()
    assert TFMessage().transforms == []
    rclpy.init()
    executor = SingleThreadedExecutor()
    server, client = rclpy.create_node("server"), rclpy.create_node("client")
    executor.add_node(server)
    executor.add_node(client)
    for test in (test_a_late_joiner_gets_the_map, test_service, test_action_with_feedback):
        test(executor, server, client)
    executor.shutdown()
    rclpy.try_shutdown()
    print("interfaces: ok")


if __name__ == "__main__":
    main()
