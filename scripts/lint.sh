#!/usr/bin/env bash
# Formatting, clippy and rustdoc over the whole workspace, warnings refused.
set -euo pipefail
cd "$(dirname "$0")/.."
eval "$(scripts/ros_env.sh)"
unset CMAKE_PREFIX_PATH
cargo fmt --all --check
cargo clippy --locked --workspace --all-targets -- -D warnings
RUSTDOCFLAGS="-D warnings" cargo doc --locked --workspace --no-deps --quiet
