#!/usr/bin/env bash
# The hot paths, each beside what it is compared with.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/build.sh
exec target/debug/spacer bench "$@"
