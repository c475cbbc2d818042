#!/usr/bin/env bash
# Everything a build and a run need that is not in the repository. Says nothing when all is there.
set -euo pipefail
here=$(dirname "$0")
. "$here/paths.sh"
command -v cargo >/dev/null || { echo 'error: no cargo; install Rust 1.90 or newer: https://rustup.rs' >&2; exit 1; }
for part in apt pictures ros messages onnxruntime; do
  timed "set-up: $part" "$here/setup_$part.sh"
done
# Where nothing was to be done there is nothing to tell.
[ "$SECONDS" -lt 10 ] || print_times
