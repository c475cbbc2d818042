#!/usr/bin/env bash
# Latency and throughput figures.
set -euo pipefail
cd "$(dirname "$0")/.."
eval "$(scripts/ros_env.sh)"
unset CMAKE_PREFIX_PATH
cargo build --locked -p cli
exec target/debug/spacer bench "$@"
