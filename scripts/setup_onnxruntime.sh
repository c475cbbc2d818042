#!/usr/bin/env bash
# Takes the ONNX Runtime library out of its PyPI wheel, and makes a small Python environment with `onnx` for the tests.
set -euo pipefail
. "$(dirname "$0")/paths.sh"

mkdir -p "$cache"
if [ ! -e "$onnxruntime_dir/.complete" ]; then
  exec 9>"$onnxruntime_dir.lock"
  flock 9
  [ ! -e "$onnxruntime_dir/.complete" ] || exit 0
  python=$(find_python) || die "no usable Python 3.10 to 3.13; install: apt-get install python3-venv python3-dev"
  say "fetching ONNX Runtime $onnxruntime_version"
  unset PYTHONPATH PYTHONHOME
  rm -rf "$onnxruntime_dir"
  quietly "$python" -m venv "$onnxruntime_dir"
  venv=$onnxruntime_dir/bin/python
  # The library is the same in the wheels of every Python, so the newest one's does for a Python without its own.
  quietly "$venv" -m pip download -q --no-deps --only-binary=:all: --python-version 3.12 \
    -d "$onnxruntime_dir/wheel" "onnxruntime==$onnxruntime_version"
  "$venv" - "$onnxruntime_dir" <<'PY'
import pathlib, sys, zipfile
folder = pathlib.Path(sys.argv[1])
(wheel,) = folder.glob("wheel/*.whl")
with zipfile.ZipFile(wheel) as archive:
    (name,) = [n for n in archive.namelist() if pathlib.Path(n).name.startswith("libonnxruntime.so")]
    (folder / "libonnxruntime.so").write_bytes(archive.read(name))
PY
  rm -rf "$onnxruntime_dir/wheel"
  quietly "$venv" -m pip install -q onnx numpy
  touch "$onnxruntime_dir/.complete"
fi
