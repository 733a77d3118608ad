#!/bin/sh
# Builds out-of-tree Linux modules with Debian's headers: the kernel's own build system, for the kernel that
# scripts/fetch-debian.sh fetched.
#
#   scripts/build-module.sh [FOLDER]
#
# FOLDER has the sources and a Kbuild file (default: fixtures/out-of-tree). The modules end up in
# .cache/out-of-tree/RELEASE, whose name is printed. Exit status: 0, 66 no headers for the fetched kernel
# (scripts/bootstrap.sh test installs them), 69 the build failed.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
source=${1:-"$root/fixtures/out-of-tree"}
release=$(cat "$root/.cache/debian/current" 2>/dev/null || true)
headers=/usr/src/linux-headers-$release
if [ -z "$release" ] || [ ! -e "$headers/Makefile" ]; then
    echo "build-module: no headers of the fetched kernel (${release:-none}) \
in /usr/src: scripts/bootstrap.sh test installs them" >&2
    exit 66
fi
output="$root/.cache/out-of-tree/$release"
work="$output/build"
mkdir -p "$work"
# The build writes beside the sources: a copy, and only what has changed, so that a second run builds nothing.
for file in "$source"/*.c "$source"/*.h "$source"/Kbuild "$source"/Makefile; do
    [ -e "$file" ] || continue
    cmp -s "$file" "$work/${file##*/}" || cp "$file" "$work/"
done
if ! make -s -C "$headers" M="$work" modules >"$work/log" 2>&1; then
    cat "$work/log" >&2
    exit 69
fi
cp "$work"/*.ko "$output/"
echo "$output"
