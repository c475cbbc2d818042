"""Parameters of every node: given at start, told to who asks, and no request for them ends a node."""

import pathlib
import tempfile

import rclpy
from rcl_interfaces.msg import Parameter, ParameterType, ParameterValue
from rcl_interfaces.srv import (DescribeParameters, GetParameters, GetParameterTypes, ListParameters, SetParameters,
                                SetParametersAtomically)
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy, qos_profile_services_default
from ros_harness import NAMESPACE, NANO, Process, perception, run
from spacer_msgs.msg import SpatialQuery
from spacer_msgs.srv import AskSpatial

KEPT = QoSProfile(depth=10, reliability=ReliabilityPolicy.RELIABLE, durability=DurabilityPolicy.TRANSIENT_LOCAL)


def text(value):
    return ParameterValue(type=ParameterType.PARAMETER_STRING, string_value=value)


def call(stranger, kind, name, request, node="perception_node", qos=qos_profile_services_default):
    client = stranger.node.create_client(kind, f"{NAMESPACE}/{node}/{name}", qos_profile=qos)
    stranger.wait(name, 20, client.service_is_ready)
    future = client.call_async(request)
    stranger.wait(f"reply of {name}", 10, future.done)
    stranger.node.destroy_client(client)
    return future.result()


def get(stranger, *names):
    return call(stranger, GetParameters, "get_parameters", GetParameters.Request(names=list(names))).values


def test_values_of_the_other_number_type_are_taken(stranger):
    # A trailing ".0" or its lack is YAML's business, not a robot's.
    with perception(still_luma=0, max_frame_age_secs=5, threads="1.0", constrained="False"):
        still, age, threads, constrained = get(stranger, "still_luma", "max_frame_age_secs", "threads", "constrained")
        assert (still.type, still.double_value) == (ParameterType.PARAMETER_DOUBLE, 0.0), still
        assert (age.type, age.double_value) == (ParameterType.PARAMETER_DOUBLE, 5.0), age
        assert (threads.type, threads.integer_value) == (ParameterType.PARAMETER_INTEGER, 1), threads
        assert constrained.type == ParameterType.PARAMETER_BOOL and not constrained.bool_value


def test_a_wrong_value_ends_the_start_with_its_name(_stranger):
    for name, value, words in (("hot_prefix", 1, ("expected true or false", "found a whole number 1")),
                               ("threads", -1, ("expected", "-1")), ("threads", 0.5, ("a whole number", "0.5")),
                               ("base_frame", 7, ("expected text", "'7'")), ("device", "gpu", ("cpu", "gpu")),
                               ("base_height_m", ".inf", ("expected metres", "inf")),
                               ("still_luma", -1.0, ("from 0 on", "-1")),
                               ("max_frame_age_secs", 0.0, ("above 0", "0"))):
        node = Process("perception_node", model_dir=NANO, **{name: value})
        code = node.process.wait(20)
        assert code == 1 and all(word in node.text() for word in (name, *words)), (code, node.text())


def test_arguments_that_ros_cannot_read(_stranger):
    node = Process("perception_node", **{"model_dir": "[1"})
    assert node.process.wait(20) == 1 and "command line" in node.text() and "panicked" not in node.text(), node.text()


def test_a_slip_in_a_name_is_warned_about(stranger):
    with perception(still_lumma=1.0, use_sim_time=False) as node:
        stranger.wait("the start", 20, lambda: "up " in node.text())
        assert "did you mean still_luma?" in node.text(), node.text()
        assert node.text().count("no such parameter") == 1, node.text()


def test_a_parameter_file_with_wildcards(stranger):
    with tempfile.TemporaryDirectory() as name:
        path = pathlib.Path(name) / "parameters.yaml"
        path.write_text("/**:\n  ros__parameters:\n    still_luma: 3\n    odometry_of_another_node: 1\n"
                        "/spacer/perception_node:\n  ros__parameters:\n    base_frame: base_footprint\n")
        with Process("perception_node", arguments=["--params-file", path], model_dir=NANO):
            still, frame = get(stranger, "still_luma", "base_frame")
            assert (still.double_value, frame.string_value) == (3.0, "base_footprint"), (still, frame)


def test_none_pretends_to_be_set(stranger):
    with perception():
        def set_to(kind, name, *pairs):
            return call(stranger, kind, name, kind.Request(parameters=[Parameter(name=name, value=value)
                                                                       for name, value in pairs]))

        wanted = [("base_frame", text("base_footprint")), ("base_fram", text("x")),
                  ("threads", text("two")), ("device", text("cpu"))]
        fixed, unknown, wrong, same = set_to(SetParameters, "set_parameters", *wanted).results
        assert not fixed.successful and "restart the node with -p base_frame:=base_footprint" in fixed.reason, fixed
        assert not unknown.successful and "did you mean base_frame?" in unknown.reason, unknown
        assert not wrong.successful and all(word in wrong.reason for word in ("threads", "whole number", "two")), wrong
        assert same.successful, same
        both = set_to(SetParametersAtomically, "set_parameters_atomically", wanted[3], wanted[0]).result
        assert not both.successful and "base_frame" in both.reason, both
        assert get(stranger, "base_frame")[0].string_value == "base_link"


def test_parameters_are_listed_and_described(stranger):
    with perception():
        listed = call(stranger, ListParameters, "list_parameters", ListParameters.Request()).result.names
        assert {"model_dir", "still_luma", "use_sim_time"} <= set(listed), listed
        names = ["still_luma", "model_dir", "nothing"]
        described = call(stranger, DescribeParameters, "describe_parameters", DescribeParameters.Request(names=names))
        assert [(found.type, found.read_only) for found in described.descriptors] == [(3, True), (4, True), (0, False)]
        assert "luma" in described.descriptors[0].description, described
        types = call(stranger, GetParameterTypes, "get_parameter_types", GetParameterTypes.Request(names=names)).types
        assert list(types) == [3, 4, 0], types


def test_a_reply_that_cannot_be_delivered_ends_no_node(stranger):
    with tempfile.TemporaryDirectory() as folder:
        # camera_node and replay_node end by themselves without a source; the code is the same.
        for name, parameters in (("perception_node", {"model_dir": NANO}), ("recorder_node", {"folder": folder}),
                                 ("sim_node", {"width": 64, "height": 48})):
            with Process(name, **parameters) as node:
                list_parameters = stranger.node.create_client(
                    ListParameters, f"{NAMESPACE}/{name}/list_parameters", qos_profile=KEPT)
                get_parameters = stranger.node.create_client(
                    GetParameters, f"{NAMESPACE}/{name}/get_parameters", qos_profile=KEPT)
                asks = stranger.node.create_client(AskSpatial, f"{NAMESPACE}/ask_spatial", qos_profile=KEPT)
                stranger.wait(name, 20, lambda: stranger.node.count_publishers("/parameter_events") > 1)
                stranger.spin(2)
                for _ in range(3):
                    list_parameters.call_async(ListParameters.Request())
                    get_parameters.call_async(GetParameters.Request(names=["use_sim_time"]))
                    asks.call_async(AskSpatial.Request(query=SpatialQuery(text="how far is the door?")))
                stranger.wait("the warning", 10, lambda: "QoS does not fit" in node.text())
                assert call(stranger, ListParameters, "list_parameters", ListParameters.Request(), name).result.names
                for client in (list_parameters, get_parameters, asks):
                    stranger.node.destroy_client(client)


if __name__ == "__main__":
    run([test_values_of_the_other_number_type_are_taken, test_a_wrong_value_ends_the_start_with_its_name,
         test_arguments_that_ros_cannot_read, test_a_slip_in_a_name_is_warned_about,
         test_a_parameter_file_with_wildcards, test_none_pretends_to_be_set,
         test_parameters_are_listed_and_described, test_a_reply_that_cannot_be_delivered_ends_no_node])
    assert not rclpy.ok()
