"""Reads a bag with `rosbags` and with `mcap-ros2-support`, and prints what each found as JSON.

    python read_bag.py BAG

Both decode every message with the definitions in the bag and nothing else. Printed are, by reader and topic, the type
and one summary per message: log time and the fields that tests look at."""

import json
import pathlib
import sys
import zlib

from mcap_ros2.reader import read_ros2_messages
from rosbags.highlevel import AnyReader
from rosbags.typesys import Stores, get_typestore


def summary(message):
    """The fields of a message of either reader that are plain, or stand for the rest."""
    found = {}
    for name in ("query_id", "text", "value", "status", "encoding", "width", "height", "frames_used", "model"):
        if hasattr(message, name):
            found[name] = getattr(message, name)
    if hasattr(message, "header"):
        stamp = message.header.stamp
        found["stamp"] = stamp.sec * 1_000_000_000 + stamp.nanosec
    if hasattr(message, "data"):
        data = message.data
        found["data"] = data if isinstance(data, str) else zlib.crc32(bytes(data))
    if hasattr(message, "k"):
        found["k"] = [float(value) for value in message.k]
    if hasattr(message, "pose"):
        found["x"], found["covariance"] = message.pose.pose.position.x, float(message.pose.covariance[35])
    if hasattr(message, "transforms"):
        found["children"] = [transform.child_frame_id for transform in message.transforms]
    if hasattr(message, "map"):
        found["objects"] = [item.category for item in message.map.objects]
    return found


def by_rosbags(bag):
    topics = {}
    with AnyReader([bag], default_typestore=get_typestore(Stores.EMPTY)) as reader:
        for connection, time, raw in reader.messages():
            topic = topics.setdefault(connection.topic, {"type": connection.msgtype, "messages": []})
            topic["messages"].append([time, summary(reader.deserialize(raw, connection.msgtype))])
    return topics


def by_mcap_ros2_support(bag):
    topics = {}
    # bag_10 comes behind bag_9.
    for path in sorted(bag.glob("*.mcap"), key=lambda path: int(path.stem.rsplit("_", 1)[1])):
        for message in read_ros2_messages(str(path)):
            topic = topics.setdefault(message.channel.topic, {"type": message.schema.name, "messages": []})
            topic["messages"].append([message.log_time_ns, summary(message.ros_msg)])
    return topics


if __name__ == "__main__":
    folder = pathlib.Path(sys.argv[1])
    json.dump({"rosbags": by_rosbags(folder), "mcap_ros2": by_mcap_ros2_support(folder)}, sys.stdout)
