#!/bin/sh
# The driver of the main job: Debian's dummy.ko when it has been fetched, else our own.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
cache="$root/.cache/debian"
if [ -s "$cache/current" ] && [ -s "$cache/$(cat "$cache/current")/modules/dummy.ko" ]; then
    echo "dummy.ko"
else
    echo "nullnet.ko"
fi
