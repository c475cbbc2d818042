#!/usr/bin/env bash
# Everything a build and a run need that is not in the repository. Says nothing when all is there.
set -euo pipefail
here=$(dirname "$0")
command -v cargo >/dev/null || { echo 'error: no cargo; install Rust 1.90 or newer: https://rustup.rs' >&2; exit 1; }
for part in apt pictures ros messages onnxruntime; do
  "$here/setup_$part.sh"
done
