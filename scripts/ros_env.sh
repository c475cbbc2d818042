#!/usr/bin/env bash
# Prints the export lines of the ROS environment that everything here runs in:  eval "$(make -s ros-env)"
set -euo pipefail
. "$(dirname "$0")/paths.sh"

locate_ros
[ -e "$ros_prefix/.messages" ] || die "no ROS environment yet; run: make setup"

line() { printf 'export %s=%q\n' "$1" "$2"; }
# Puts FOLDER in front of the list in VARIABLE, once.
prepend() {
  local list=:${!1:-}:
  list=${list//:"$2":/:}
  list=${list#:}
  list=${list%:}
  line "$1" "$2${list:+:$list}"
}

path=$repo/target/debug
if [ "$ros_private" = yes ]; then
  path=$ros_prefix/bin:$path
  line _ROS_WHEELS_BOOTSTRAP_COMPLETE 1
else
  site=$(find "$ros_prefix" -type d -path '*/python3*/*-packages/spacer_msgs' -print -quit)
  prepend PYTHONPATH "${site%/spacer_msgs}"
fi
prepend PATH "$path"
# For r2r's build script too, which is linked to the messages but carries no run path.
prepend LD_LIBRARY_PATH "$ros_prefix/lib"
line AMENT_PREFIX_PATH "$ros_path"
line ROS_DISTRO "$ros_distro"
line FASTRTPS_DEFAULT_PROFILES_FILE "$repo/launch/config/fastdds.xml"
line ORT_DYLIB_PATH "$onnxruntime_library"
line SPACER_ONNX_PYTHON "$onnxruntime_dir/bin/python"
line SPACER_PICTURES "$(pictures_dir)"
