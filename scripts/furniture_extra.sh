#!/usr/bin/env bash
# Builds the extra furniture for training in the cache, from Debian's sweethome3d-furniture, which is installed as root
# or with `sudo -n` if it is missing. Says nothing when the pack is there.
set -euo pipefail
. "$(dirname "$0")/paths.sh"

name=furniture-extra-1
[ ! -e "$cache/$name.pack" ] || exit 0
if [ ! -e /usr/share/sweethome3d/furniture/Scopia.sh3f ]; then
  command -v apt-get >/dev/null || die "not a Debian system: the extra furniture is made from Debian's sweethome3d-furniture"
  install_packages sweethome3d-furniture
fi
mkdir -p "$cache"
scratch=$(mktemp -d "$cache/$name.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
say "building $cache/$name.pack"
cd "$repo"
quietly cargo run --locked -p sim --features pack-builder --bin build_furniture_pack -- --extra "$scratch/$name.pack"
mv "$scratch/$name.md" "$scratch/$name.pack" "$cache/"
