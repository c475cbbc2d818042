#!/usr/bin/env bash
# Every check that CI runs, cheapest first.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/paths.sh
trap print_times EXIT
eval "$(scripts/ros_env.sh)"
unset CMAKE_PREFIX_PATH
export ROS_AUTOMATIC_DISCOVERY_RANGE=LOCALHOST

# Training over several processes is a feature that needs MPI; without it that feature is neither linted nor tested.
if command -v apt-get >/dev/null && ! command -v mpicc >/dev/null; then
  (. scripts/paths.sh && install_packages libopenmpi-dev openmpi-bin iproute2) || echo "no MPI: ranks can't be started" >&2
fi
timed check_launch python3 tests/python/check_launch.py
timed build scripts/build.sh
timed demo scripts/demo.sh
timed lint scripts/lint.sh
timed 'cargo test' cargo test --locked --workspace
timed colcon scripts/check_colcon.sh
# MuJoCo, an outside renderer that a test compares depth with, draws through EGL; without it that test is skipped.
if command -v apt-get >/dev/null && ! ldconfig -p | grep -q libEGL.so.1; then
  (. scripts/paths.sh && install_packages libegl1 libgl1-mesa-dri) || echo "no EGL: MuJoCo can't be asked" >&2
fi
# The page of an evaluation is opened in a real browser; without one that test is skipped.
if command -v apt-get >/dev/null && ! command -v chromium chromium-browser google-chrome >/dev/null; then
  (. scripts/paths.sh && install_packages chromium) || echo "no Chromium: the page can't be opened" >&2
fi
for test in tests/python/test_*.py; do
  [ -e "$test" ] || continue
  echo "$test"
  # Its own domain, so that no other test or robot is heard; bounded, so that a hung node fails. The first run of one
  # test fetches packages.
  timed "$test" env ROS_DOMAIN_ID=$((RANDOM % 100 + 1)) timeout --kill-after=10 900 python3 "$test"
done
