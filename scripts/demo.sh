#!/usr/bin/env bash
# Builds the nodes and asks a simulated robot one question over ROS 2.  usage: ASK="how far is the door?" demo.sh
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/paths.sh
trap print_times EXIT
# Only what the demo runs, and with the features of the whole workspace, so that `make test` finds it built.
timed build scripts/build.sh --bin perception_node --bin sim_node
eval "$(scripts/ros_env.sh)"
# A domain of its own, on this machine only: no other robot hears the demo.
export ROS_DOMAIN_ID=${SPACER_DEMO_DOMAIN:-$((RANDOM % 100 + 1))} ROS_AUTOMATIC_DISCOVERY_RANGE=LOCALHOST
timed demo timeout --kill-after=10 85 python3 scripts/demo.py "${ASK:-how far is the door?}"
