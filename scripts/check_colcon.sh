#!/usr/bin/env bash
# Builds the ROS packages with colcon in a scratch folder, and uses what it installed.
#
# The nodes are built through their CMakeLists.txt with the environment and profile of scripts/build.sh, so that
# cargo finds its work done. `SPACER_COLCON_PACKAGES` narrows the choice of packages.
set -euo pipefail
. "$(dirname "$0")/paths.sh"
cd "$repo"

locate_ros
eval "$(scripts/ros_env.sh)"
packages=${SPACER_COLCON_PACKAGES:-spacer_msgs spacer_bringup spacer_nodes}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# A ROS that is sourced usually brings colcon along; otherwise it lives in an environment of its own.
if ! command -v colcon >/dev/null; then
  colcon=$cache/colcon-0.3.0
  (
    exec 9>"$colcon.lock"
    flock 9
    [ -e "$colcon/.complete" ] && exit 0
    rm -rf "$colcon"
    quietly "$(find_python)" -m venv "$colcon"
    quietly "$colcon/bin/python" -m pip install -q 'colcon-common-extensions==0.3.0' 'setuptools<80'
    touch "$colcon/.complete"
  )
  PATH=$PATH:$colcon/bin
fi

export COLCON_LOG_PATH=$scratch/log
quietly colcon build --base-paths msgs launch nodes/ros_nodes --packages-select $packages \
  --build-base "$scratch/build" --install-base "$scratch/install" \
  --cmake-args -DBUILD_TESTING=OFF "-DPython3_EXECUTABLE=$(command -v python3)" \
  -DSPACER_CARGO_PROFILE=dev -DSPACER_CARGO_PACKAGES=--workspace "-DSPACER_AMENT_PREFIX_PATH=$AMENT_PREFIX_PATH"

set +u
. "$scratch/install/setup.bash"
set -u
for package in $packages; do
  case $package in
    spacer_msgs)
      python3 - "$scratch" <<'PY'
import sys, spacer_msgs
from spacer_msgs.action import AnswerSpatialQuery
from spacer_msgs.msg import SpatialAnswer
from spacer_msgs.srv import AskSpatial
assert spacer_msgs.__file__.startswith(sys.argv[1]), spacer_msgs.__file__
assert SpatialAnswer().status == SpatialAnswer.ANSWERED
AskSpatial.Request().query.text = AnswerSpatialQuery.Goal().query.text
PY
      ;;
    spacer_bringup) test -f "$scratch/install/spacer_bringup/share/spacer_bringup/launch/sim.launch.py" ;;
    spacer_nodes)
      for node in perception_node camera_node sim_node recorder_node replay_node; do
        test -x "$scratch/install/spacer_nodes/lib/spacer_nodes/$node"
      done
      test -f "$scratch/install/spacer_nodes/share/spacer_nodes/models/spacer-nano/config.json"
      ;;
  esac
done
echo "colcon build: ok ($packages)"
