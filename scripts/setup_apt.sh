#!/usr/bin/env bash
# Installs the system packages that are missing, as root or with `sudo -n`; else says in one line what to install.
set -euo pipefail
. "$(dirname "$0")/paths.sh"

wanted=(clang cmake ninja-build g++ pkg-config libopencv-{core,imgproc,imgcodecs,videoio}-dev opencv-doc)
if ! command -v dpkg-query >/dev/null; then
  for tool in clang cmake ninja g++ pkg-config; do
    command -v "$tool" >/dev/null || die "not a Debian system, and $tool is missing; install the likes of: ${wanted[*]}"
  done
  exit 0
fi

installed=$(dpkg-query -W -f '${db:Status-Abbrev} ${Package}\n' | sed -n 's/^ii *//p')
missing=()
for package in "${wanted[@]}"; do
  # pkg-config is a virtual package of pkgconf on newer releases
  grep -qxF "$package" <<<"$installed" || { [ "$package" = pkg-config ] && command -v pkg-config >/dev/null; } || missing+=("$package")
done
grep -qE '^libclang(-[0-9]+)?-dev$' <<<"$installed" || missing+=(libclang-dev)
find_python >/dev/null || missing+=(python3-venv python3-dev)
[ "${#missing[@]}" -gt 0 ] || exit 0

install_packages "${missing[@]}"
