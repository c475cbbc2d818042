# Where things are, and a few words the other scripts share. Sourced, not run.
# shellcheck shell=bash

repo=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/spacer
onnxruntime_version=1.31.1
onnxruntime_dir=$cache/onnxruntime-$onnxruntime_version-$(uname -m)
onnxruntime_library=$onnxruntime_dir/libonnxruntime.so

say() { printf 'setup: %s\n' "$*" >&2; }
die() { printf 'error: %s\n' "$*" >&2; exit 1; }

# Runs a command and notes how long it took, under NAME.  usage: timed NAME COMMAND…
timed() {
  local name=$1 began=$SECONDS status=0
  shift
  "$@" || status=$?
  times+=("$(printf '%5d s  %s' $((SECONDS - began)) "$name")")
  return "$status"
}
times=()

# Prints where the time went; to be called at the end, or on EXIT.
print_times() {
  [ "${#times[@]}" -gt 0 ] || return 0
  printf 'time spent:\n' >&2
  printf '  %s\n' "${times[@]}" >&2
  printf '  %5d s  in all\n' "$SECONDS" >&2
}

# Runs a command with its output kept back, and shows the output only if the command fails.
quietly() {
  local log status=0
  log=$(mktemp)
  "$@" >"$log" 2>&1 || status=$?
  [ "$status" -eq 0 ] || { tail -n 40 "$log" >&2; printf 'error: failed: %s\n' "$*" >&2; }
  rm -f "$log"
  return "$status"
}

# Installs Debian packages, as root or with `sudo -n`; else ends with the one line that does.
install_packages() {
  local as_root=()
  if [ "$(id -u)" -ne 0 ]; then
    sudo -n true 2>/dev/null || die "packages are missing; run: sudo apt-get install $*"
    as_root=(sudo -n)
  fi
  say "installing $*"
  quietly "${as_root[@]}" apt-get -q -o DPkg::Lock::Timeout=300 update
  quietly "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get -q -o DPkg::Lock::Timeout=300 install -y --no-install-recommends "$@"
}

# Prints the interpreter for private environments: one that ROS wheels exist for, with venv and C headers.
find_python() {
  local name
  for name in ${SPACER_PYTHON:-} python3 /usr/bin/python3 python3.12 python3.11 python3.13 python3.10; do
    "$name" - 2>/dev/null <<'PY' && return 0
import sys, sysconfig, os
assert (3, 10) <= sys.version_info[:2] <= (3, 13)
import ensurepip, venv
assert os.path.exists(os.path.join(sysconfig.get_paths()["include"], "Python.h"))
print(sys._base_executable)  # not that of an active virtual environment
PY
  done
  return 1
}

# Prints the folder of OpenCV's example video and pictures: the system's, else the one in the cache.
pictures_dir() {
  local data=usr/share/doc/opencv-doc/examples/data
  if [ -e "/$data/vtest.avi" ]; then printf '/%s' "$data"; else printf '%s' "$cache/opencv-doc/$data"; fi
}

# Prints a digest of the content of the given files and folders.
digest_of() {
  find "$@" -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sed "s#$repo/##" | sha256sum | cut -c1-12
}

# Prints the entries of AMENT_PREFIX_PATH that are not ours: empty unless a ROS is sourced.
sourced_ros() {
  local entry out=
  local IFS=:
  for entry in ${AMENT_PREFIX_PATH:-}; do
    case $entry in "$cache"/*) ;; ?*) out=$out${out:+:}$entry ;; esac
  done
  printf '%s' "$out"
}

# Sets `ros_distro`, `ros_private` (yes or no), `ros_prefix` (where our messages are installed) and `ros_path` (the
# AMENT_PREFIX_PATH to use).
locate_ros() {
  local sourced python tag
  sourced=$(sourced_ros)
  if [ -n "$sourced" ]; then
    ros_private=no
    ros_distro=${ROS_DISTRO:?a ROS is sourced, but ROS_DISTRO is not set}
    ros_prefix=$cache/messages-$ros_distro-$(printf '%s' "$sourced" | sha256sum | cut -c1-8)
    ros_path=$ros_prefix:$sourced
  else
    ros_private=yes
    ros_distro=jazzy
    python=$(find_python) || die "no usable Python 3.10 to 3.13; install: apt-get install python3-venv python3-dev"
    tag=$("$python" -c 'import sys; print("cp%d%d" % sys.version_info[:2])')
    ros_python=$python
    ros_prefix=$cache/ros-$ros_distro-$tag-$(sha256sum "$repo/scripts/setup_ros.sh" | cut -c1-8)
    ros_path=$ros_prefix
  fi
}
