#!/usr/bin/env bash
# Finds the video and pictures of opencv-doc, real input for the tests. Container images often leave /usr/share/doc
# out of every package; then the package is unpacked in the cache.
set -euo pipefail
. "$(dirname "$0")/paths.sh"

[ ! -e "$(pictures_dir)/vtest.avi" ] || exit 0
command -v apt-get >/dev/null || { say "no OpenCV example pictures; the tests of real input need them"; exit 0; }
mkdir -p "$cache"
exec 9>"$cache/opencv-doc.lock"
flock 9
[ ! -e "$(pictures_dir)/vtest.avi" ] || exit 0
say "unpacking the pictures of opencv-doc"
scratch=$(mktemp -d "$cache/opencv-doc.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
chmod 755 "$scratch"
(cd "$scratch" && quietly apt-get -q download opencv-doc && quietly dpkg-deb -x opencv-doc_*.deb unpacked)
rm -rf "$cache/opencv-doc"
mv "$scratch/unpacked" "$cache/opencv-doc"
