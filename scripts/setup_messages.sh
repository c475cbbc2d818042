#!/usr/bin/env bash
# Builds the interface packages into the ROS prefix: the private one, or an overlay in the cache over a sourced ROS.
set -euo pipefail
. "$(dirname "$0")/paths.sh"

locate_ros
stamp=$ros_prefix/.messages
digest=$(digest_of "$repo"/msgs/{msg,srv,action,third_party,package.xml,CMakeLists.txt} "$repo/scripts/setup_messages.sh")
[ "$(cat "$stamp" 2>/dev/null)" != "$digest" ] || exit 0
mkdir -p "$cache"
exec 9>"$ros_prefix.lock"
flock 9
[ "$(cat "$stamp" 2>/dev/null)" != "$digest" ] || exit 0

export AMENT_PREFIX_PATH=$ros_path
export CMAKE_PREFIX_PATH=${ros_path//:/;}
if [ "$ros_private" = yes ]; then
  export PATH=$ros_prefix/bin:$PATH _ROS_WHEELS_BOOTSTRAP_COMPLETE=1
  unset PYTHONPATH PYTHONHOME
fi
python=$(command -v python3)
build=$(mktemp -d)
trap 'rm -rf "$build"' EXIT

# build_package FOLDER
build_package() {
  local name
  name=$(sed -n 's#.*<name>\(.*\)</name>.*#\1#p' "$1/package.xml")
  say "building $name for ROS 2 $ros_distro"
  quietly cmake -G Ninja -S "$1" -B "$build/$name" -DCMAKE_INSTALL_PREFIX="$ros_prefix" -DCMAKE_BUILD_TYPE=Release \
    -DBUILD_TESTING=OFF '-DCMAKE_INSTALL_RPATH=$ORIGIN;$ORIGIN/../../..' -DPython3_EXECUTABLE="$python"
  quietly cmake --build "$build/$name"
  quietly cmake --install "$build/$name"
}

has_package() {
  local entry
  local IFS=:
  for entry in $ros_path; do [ ! -e "$entry/share/$1/package.xml" ] || return 0; done
  return 1
}

has_package tf2_msgs || build_package "$repo/msgs/third_party/tf2_msgs"
build_package "$repo/msgs"
echo "$digest" >"$stamp"
