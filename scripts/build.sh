#!/usr/bin/env bash
# Builds the whole workspace, ROS nodes included; arguments go to cargo.  usage: build.sh [CARGO_ARGUMENTS]
set -euo pipefail
cd "$(dirname "$0")/.."
eval "$(scripts/ros_env.sh)"
unset CMAKE_PREFIX_PATH # r2r reads it in place of AMENT_PREFIX_PATH
cargo build --locked --workspace "$@"
