"""Bags as strangers read them: `read_bag.py` in a virtual environment with `rosbags` and `mcap-ros2-support`."""

import json
import subprocess

from outside_packages import REPO, python_with, without_python_paths

PACKAGES = ["rosbags==0.11.9", "mcap-ros2-support==0.6.0", "mcap==1.6.0"]


def read(bag):
    """By reader and topic: the type, and log time and summary of every message."""
    command = [python_with("bag-readers-1", PACKAGES), REPO / "tests/python/read_bag.py", bag]
    output = subprocess.run(command, check=True, env=without_python_paths(), stdout=subprocess.PIPE).stdout
    return json.loads(output)
