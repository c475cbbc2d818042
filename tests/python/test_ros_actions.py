"""The action towards rclpy's client: every goal gets exactly one result, and none is left behind."""

import pathlib
import random
import time

import rclpy
from action_msgs.msg import GoalInfo, GoalStatus, GoalStatusArray
from action_msgs.srv import CancelGoal
from rclpy.action import ActionClient
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from ros_harness import GOOD, HAS_MODEL, NAMESPACE, perception, run, skip, status
from spacer_msgs.action import AnswerSpatialQuery
from spacer_msgs.msg import SpatialQuery
from unique_identifier_msgs.msg import UUID

ACTION = f"{NAMESPACE}/answer_spatial_query"
# Answered from the window alone, so that a goal takes milliseconds.
QUESTION = "how far is the door?"


def goal(query_id="", text=QUESTION):
    return AnswerSpatialQuery.Goal(query=SpatialQuery(query_id=query_id, text=text))


def ready_client(stranger):
    client = ActionClient(stranger.node, AnswerSpatialQuery, ACTION)
    stranger.wait("action server", 20, client.server_is_ready)
    return client


def send(stranger, client, *given):
    accepted = client.send_goal_async(goal(*given))
    stranger.wait("acceptance", 20, accepted.done)
    return accepted.result()


def result_of(stranger, handle):
    result = handle.get_result_async()
    stranger.wait("result", 30, result.done)
    return result.result()


def processor_secs(node):
    fields = pathlib.Path(f"/proc/{node.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / 100


def processor_share(stranger, node, seconds=4.0):
    before, began = processor_secs(node), time.monotonic()
    stranger.spin(seconds)
    return (processor_secs(node) - before) / (time.monotonic() - began)


def test_goals_are_forgotten_and_a_node_rests_as_before(stranger):
    known = []
    kept = QoSProfile(depth=1, reliability=ReliabilityPolicy.RELIABLE, durability=DurabilityPolicy.TRANSIENT_LOCAL)
    with perception() as node:
        stranger.meet()
        client = ready_client(stranger)
        stranger.show()
        idle = processor_share(stranger, node)
        found = []
        for index in range(200):
            if index % 20 == 0:
                stranger.show(1, 0.01)
            found.append(status(result_of(stranger, send(stranger, client, f"g{index}")).result.answer))
        assert set(found) <= GOOD, set(found)
        # A late joiner gets the state of all goals that are known.
        stranger.node.create_subscription(GoalStatusArray, f"{ACTION}/_action/status", known.append, kept)
        stranger.wait("status", 10, lambda: known)
        stranger.wait("the end of the last goal's time", 20, lambda: not known[-1].status_list)
        rest = processor_share(stranger, node)
        print(f"  200 goals; at rest before {idle:.1%} of a core, after {rest:.1%}")
        assert rest <= 2 * idle + 0.03, (idle, rest)
        client.destroy()


def test_goals_that_are_cancelled_get_one_result_each(stranger):
    if not HAS_MODEL:
        return skip("cancelling")
    random.seed(18)
    with perception():
        stranger.meet()
        stranger.show()
        client, counts = ready_client(stranger), {}
        for index in range(150):
            if index % 5 == 0:
                stranger.show(1, 0.01)
            handle = send(stranger, client, f"g{index}")
            result = handle.get_result_async()
            stranger.spin(random.uniform(0, 0.1))
            cancelled = handle.cancel_goal_async()
            stranger.wait(f"result of g{index}", 10, lambda: result.done() and cancelled.done())
            answer, code = result.result().result.answer, cancelled.result().return_code
            assert answer.query_id == f"g{index}" and status(answer) in GOOD | {"CANCELLED"}, answer
            assert code in (CancelGoal.Response.ERROR_NONE, CancelGoal.Response.ERROR_GOAL_TERMINATED), code
            state = result.result().status
            wanted = (GoalStatus.STATUS_CANCELED if status(answer) == "CANCELLED" else GoalStatus.STATUS_SUCCEEDED)
            assert state == wanted, (state, answer)
            key = (status(answer), code)
            counts[key] = counts.get(key, 0) + 1
        stranger.spin(0.5)
        ids = [answer.query_id for answer in stranger.answers]
        assert sorted(ids) == sorted({f"g{index}" for index in range(150)}), "one answer each"
        assert stranger.fresh_diagnostics()["questions"]["waiting"] == "0"
        print(f"  {counts}")
        client.destroy()


def test_wishes_about_goals_that_are_none(stranger):
    with perception():
        stranger.meet()
        client = ready_client(stranger)
        unknown = UUID(uuid=[7] * 16)
        results = stranger.node.create_client(AnswerSpatialQuery.Impl.GetResultService, f"{ACTION}/_action/get_result")
        cancels = stranger.node.create_client(CancelGoal, f"{ACTION}/_action/cancel_goal")
        stranger.wait("services", 10, lambda: results.service_is_ready() and cancels.service_is_ready())
        result = results.call_async(AnswerSpatialQuery.Impl.GetResultService.Request(goal_id=unknown))
        cancel = cancels.call_async(CancelGoal.Request(goal_info=GoalInfo(goal_id=unknown)))
        every = cancels.call_async(CancelGoal.Request())
        stranger.wait("replies", 10, lambda: result.done() and cancel.done() and every.done())
        assert result.result().status == GoalStatus.STATUS_UNKNOWN
        assert cancel.result().return_code == CancelGoal.Response.ERROR_UNKNOWN_GOAL_ID
        assert every.result().return_code == CancelGoal.Response.ERROR_NONE and not every.result().goals_canceling
        # A goal whose number is taken is rejected, and the first one stays.
        number = UUID(uuid=[9] * 16)
        first = client.send_goal_async(goal("first"), goal_uuid=number)
        stranger.wait("acceptance", 10, first.done)
        sends = stranger.node.create_client(AnswerSpatialQuery.Impl.SendGoalService, f"{ACTION}/_action/send_goal")
        stranger.wait("service", 10, sends.service_is_ready)
        second = sends.call_async(AnswerSpatialQuery.Impl.SendGoalService.Request(goal_id=number, goal=goal("second")))
        stranger.wait("rejection", 10, second.done)
        assert first.result().accepted and not second.result().accepted
        assert result_of(stranger, first.result()).result.answer.query_id == "first"
        client.destroy()


def test_every_goal_can_be_cancelled_at_once(stranger):
    if not HAS_MODEL:
        return skip("cancelling all")
    with perception():
        stranger.meet()
        stranger.show()
        client = ready_client(stranger)
        sent = [client.send_goal_async(goal(f"g{index}")) for index in range(6)]
        stranger.wait("acceptance", 20, lambda: all(one.done() for one in sent))
        handles = [one.result() for one in sent]
        results = [handle.get_result_async() for handle in handles if handle.accepted]
        cancels = stranger.node.create_client(CancelGoal, f"{ACTION}/_action/cancel_goal")
        stranger.wait("service", 10, cancels.service_is_ready)
        every = cancels.call_async(CancelGoal.Request())
        stranger.wait("results", 20, lambda: every.done() and all(result.done() for result in results))
        found = [status(result.result().result.answer) for result in results]
        assert set(found) <= GOOD | {"CANCELLED"}, found
        assert found.count("CANCELLED") <= len(every.result().goals_canceling), (found, every.result())
        client.destroy()


if __name__ == "__main__":
    run([test_goals_are_forgotten_and_a_node_rests_as_before, test_goals_that_are_cancelled_get_one_result_each,
         test_wishes_about_goals_that_are_none, test_every_goal_can_be_cancelled_at_once])
    assert not rclpy.ok()
