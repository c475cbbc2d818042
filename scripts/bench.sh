#!/usr/bin/env bash
# The hot paths, each beside what it is compared with.
set -euo pipefail
cd "$(dirname "$0")/.."
eval "$(scripts/ros_env.sh)"
unset CMAKE_PREFIX_PATH
cargo build --locked -p spacer
exec target/debug/spacer bench "$@"
