#!/usr/bin/env bash
# Formatting, clippy and rustdoc over the whole workspace, warnings refused; with the feature `mpi` where there is MPI.
set -euo pipefail
cd "$(dirname "$0")/.."
eval "$(scripts/ros_env.sh)"
unset CMAKE_PREFIX_PATH
features=()
if command -v mpicc >/dev/null; then features=(--features spacer-train/mpi); fi
cargo fmt --all --check
cargo clippy --locked --workspace "${features[@]}" --all-targets -- -D warnings
RUSTDOCFLAGS="-D warnings" cargo doc --locked --workspace --no-deps --quiet
