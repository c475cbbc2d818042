#!/usr/bin/env bash
# Builds the whole workspace, ROS nodes included; arguments go to cargo.  usage: build.sh [CARGO_ARGUMENTS]
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/paths.sh
eval "$(scripts/ros_env.sh)"
unset CMAKE_PREFIX_PATH # r2r reads it in place of AMENT_PREFIX_PATH
# r2r doesn't notice that the messages that it wraps have changed.
locate_ros
if [ -d target/debug ] && ! cmp -s "$ros_prefix/.messages" target/.messages; then
  cargo clean -q --locked -p r2r -p r2r_msg_gen
fi
mkdir -p target && cp "$ros_prefix/.messages" target/.messages
cargo build --locked --workspace "$@"
