#!/bin/sh
# Installs the Debian packages that the project needs, and only those that are missing.
#
#   scripts/bootstrap.sh [SET...]      build (default)   what `swift build` needs besides Swift itself
#                                      debian            what scripts/fetch-debian.sh needs
#                                      linux             what scripts/make-initramfs.sh needs
#                                      test              oracles that the tests compare with
#                                      bochs             what scripts/bochs.sh needs
#                                      bench             what `make bench` compares with
#
# Says nothing when nothing is missing. On a system without dpkg it prints what to install and goes on.
# Exit status: 0 everything is there, 64 usage, 69 a package cannot be installed.
set -eu

packages=""
needs_swift=false
[ $# -gt 0 ] || set -- build
for set in "$@"; do
    case "$set" in
    build)
        packages="$packages libelf-dev pkg-config make"
        needs_swift=true
        ;;
    debian) packages="$packages xz-utils lz4" ;;
    linux) packages="$packages busybox-static cpio" ;;
    bochs) packages="$packages bochs bochsbios vgabios grub-pc-bin grub-common xorriso mtools" ;;
    test)
        packages="$packages libzydis-dev pkg-config qemu-system-x86 xz-utils binutils"
        packages="$packages bochs bochsbios vgabios grub-pc-bin grub-common xorriso mtools"
        packages="$packages linux-headers-amd64 make gcc"
        ;;
    bench) packages="$packages qemu-system-x86" ;;
    *)
        echo "bootstrap: unknown set '$set' (build, debian, linux, test, bochs, bench)" >&2
        exit 64
        ;;
    esac
done

if $needs_swift && ! command -v swift >/dev/null 2>&1; then
    echo "bootstrap: no swift on PATH: install Swift 6.2 or later from https://www.swift.org/install" >&2
    exit 69
fi

if ! command -v dpkg-query >/dev/null 2>&1; then
    echo "bootstrap: not a Debian system; make sure that what these Debian packages hold is installed:$packages" >&2
    exit 0
fi

missing=""
for package in $packages; do
    case " $missing " in *" $package "*) continue ;; esac
    state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
    [ "$state" = installed ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

run=""
if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null 2>&1; then
        echo "bootstrap: needs root or sudo to install:$missing" >&2
        exit 69
    fi
    run="sudo"
fi

echo "bootstrap: installing$missing" >&2
log=$(mktemp)
trap 'rm -f "$log"' EXIT
install() {
    # shellcheck disable=SC2086 # $run and $missing are lists of words.
    $run env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >"$log" 2>&1
}
# Package lists may be absent or old: refresh them once, and only if the first try fails.
if ! install; then
    if ! $run apt-get update -qq >"$log" 2>&1 || ! install; then
        cat "$log" >&2
        echo "bootstrap: could not install$missing" >&2
        exit 69
    fi
fi
