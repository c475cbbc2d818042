#!/usr/bin/env bash
# The hot paths, each beside what it is compared with: one table. Models of random weights in real shapes are made once,
# in the cache (18 GB). With GENAI_BUILDER=PYTHON, an interpreter that has onnxruntime-genai's model builder
# (pip install onnxruntime-genai torch transformers), its own exports are measured too.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/paths.sh
scripts/build.sh
eval "$(scripts/ros_env.sh)"
unset CMAKE_PREFIX_PATH
cargo build --locked --workspace --examples
models=$cache/bench-1
python3 scripts/bench_models.py "$models" target/debug/examples ${GENAI_BUILDER:+--builder "$GENAI_BUILDER"}
genai=$(PYTHONPATH=tests/python python3 -c 'import outside_packages; print(outside_packages.genai_python())')
packages=()
for package in "$models"/*-builder; do [ ! -d "$package" ] || packages+=(--genai-package "$package"); done
target/debug/spacer bench --genai "$genai" "${packages[@]}" --rounds "${ROUNDS:-5}" \
  --model models/zoo/spacer-nano --model "$models/0.5b-f32" --model "$models/0.5b-int4" \
  --model "$models/0.5b-int4-all" --model "$models/3b-int4" "$@"
ROS_DOMAIN_ID=$((RANDOM % 100 + 1)) ROS_AUTOMATIC_DISCOVERY_RANGE=LOCALHOST python3 scripts/bench_ros.py
