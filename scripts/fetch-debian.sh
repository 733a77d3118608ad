#!/bin/sh
# Fetches Debian's kernel and modules of it by package name: real input for the tests, never committed.
#
#   scripts/fetch-debian.sh [--cloud | --release RELEASE] [MODULE...]
#
# RELEASE is what `uname -r` prints on that kernel (6.1.0-56-amd64); the default is the one behind the package
# linux-image-amd64, found once and remembered; --cloud: behind linux-image-cloud-amd64. MODULE defaults to dummy; what a module depends on comes with it.
# Everything ends up in .cache/debian/RELEASE:
#
#   vmlinuz           the bzImage as packaged
#   vmlinux           the ELF file in it, with .BTF (types) and __ksymtab/__kcrctab (exports and their CRCs)
#   modules/NAME.ko   modules, as packaged
#
# and .cache/debian/current (current-cloud) names the default RELEASE. Prints that folder on stdout. Uses no network when everything is
# already there. Exit status: 0, 64 usage, 65 the package is not what was expected, 66 no such module or package,
# 69 no network or no package lists.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
cache="$root/.cache/debian"

say() { echo "fetch-debian: $*" >&2; }
fail() {
    status=$1
    shift
    say "$*"
    exit "$status"
}

release=""
modules=""
metapackage=linux-image-amd64
current="$cache/current"
while [ $# -gt 0 ]; do
    case "$1" in
    --release)
        [ $# -ge 2 ] || fail 64 "--release needs a value"
        release=$2
        shift
        ;;
    --cloud)
        metapackage=linux-image-cloud-amd64
        current="$cache/current-cloud"
        ;;
    -*) fail 64 "unknown option $1 (usage: fetch-debian.sh [--cloud | --release RELEASE] [MODULE...])" ;;
    *[!A-Za-z0-9_-]*) fail 64 "not a module name: $1" ;;
    *) modules="$modules $1" ;;
    esac
    shift
done
[ -n "$modules" ] || modules=" dummy"
case "$release" in */* | *..*) fail 64 "not a kernel release: $release" ;; esac

mkdir -p "$cache"
# One at a time: tests and make may both ask.
if command -v flock >/dev/null 2>&1; then
    exec 9>"$cache/lock"
    flock 9
fi

default=false
if [ -z "$release" ]; then
    default=true
    if [ -s "$current" ]; then release=$(cat "$current"); fi
fi

complete() {
    [ -n "$release" ] && [ -s "$cache/$release/vmlinuz" ] && [ -s "$cache/$release/vmlinux" ] || return 1
    for module in $modules; do [ -s "$cache/$release/modules/$module.ko" ] || return 1; done
}
if complete; then
    echo "$cache/$release"
    exit 0
fi

command -v apt-get >/dev/null 2>&1 || fail 69 "apt-get is not here: this needs a Debian system"
"$root/scripts/bootstrap.sh" debian

refresh() {
    if [ "$(id -u)" -eq 0 ]; then
        apt-get update -qq
    elif command -v sudo >/dev/null 2>&1; then
        sudo apt-get update -qq
    else
        return 1
    fi
}
behind() { apt-cache depends "$metapackage" 2>/dev/null | sed -n 's/.*Depends: linux-image-\([0-9][^ ]*\).*/\1/p' | head -n 1; }
refreshed=false
if [ -z "$release" ]; then
    release=$(behind)
    if [ -z "$release" ]; then
        refresh >&2 || fail 69 "cannot refresh the package lists"
        refreshed=true
        release=$(behind)
    fi
    [ -n "$release" ] || fail 69 "no package $metapackage in the package lists"
fi
folder="$cache/$release"
mkdir -p "$folder/modules"
work=$(mktemp -d "$folder/work.XXXXXX")
trap 'rm -rf "$work"' EXIT

# The package itself stays, so that another module needs no network.
if [ ! -s "$folder/package.deb" ]; then
    say "downloading linux-image-$release (26 or 70 MB)"
    download() {
        (cd "$work" && apt-get download -qq -o APT::Sandbox::User=root "linux-image-$release" >log 2>&1)
    }
    if ! download; then
        if ! $refreshed && refresh >&2 && download; then
            :
        else
            cat "$work/log" >&2
            fail 69 "cannot download linux-image-$release"
        fi
    fi
    mv "$work"/linux-image-*.deb "$folder/package.deb"
fi

if [ ! -s "$folder/contents" ]; then
    dpkg-deb --fsys-tarfile "$folder/package.deb" | tar -t >"$work/contents" || fail 65 "the package cannot be read"
    mv "$work/contents" "$folder/contents"
fi
extract() { # MEMBER FILE
    dpkg-deb --fsys-tarfile "$folder/package.deb" | tar -x -O "$1" >"$work/member" || fail 65 "the package has no $1"
    mv "$work/member" "$2"
}

[ -s "$folder/vmlinuz" ] || extract "./boot/vmlinuz-$release" "$folder/vmlinuz"

# The bzImage's payload (Documentation/x86/boot.rst: setup_sects 0x1f1, payload_offset 0x248, payload_length 0x24c).
if [ ! -s "$folder/vmlinux" ]; then
    number() { od -An -v -t "u$2" -j "$1" -N "$2" "$folder/vmlinuz" | tr -d ' '; }
    [ "$(dd if="$folder/vmlinuz" bs=1 skip=514 count=4 2>/dev/null)" = HdrS ] || fail 65 "vmlinuz has no setup header"
    start=$((($(number 497 1) + 1) * 512 + $(number 584 4)))
    length=$(number 588 4)
    dd if="$folder/vmlinuz" of="$work/payload" bs=64k iflag=skip_bytes,count_bytes skip="$start" count="$length" \
        2>/dev/null
    case $(od -An -t x1 -N 6 "$work/payload" | tr -d ' ') in
    fd377a585a00) xz -dc --single-stream <"$work/payload" >"$work/vmlinux" || fail 65 "the kernel's payload is damaged" ;;
    # LZ4's legacy frame; the last four bytes are the size of what comes out.
    02214c18*)
        head -c $((length - 4)) "$work/payload" | lz4 -dcq >"$work/vmlinux" || fail 65 "the kernel's payload is damaged"
        ;;
    *) fail 65 "the kernel's payload is compressed neither by XZ nor by LZ4, which is all this script unpacks" ;;
    esac
    [ "$(od -An -t x1 -N 4 "$work/vmlinux" | tr -d ' ')" = 7f454c46 ] || fail 65 "the kernel's payload is no ELF file"
    mv "$work/vmlinux" "$folder/vmlinux"
fi

# File names use - and _ as they please; module names use _.
pending=$modules
while [ -n "${pending# }" ]; do
    next=""
    for module in $pending; do
        target="$folder/modules/$module.ko"
        if [ ! -s "$target" ]; then
            pattern=$(echo "$module" | sed 's/[-_]/[-_]/g')
            member=$(grep "/$pattern\.ko\$" "$folder/contents" | head -n 1)
            [ -n "$member" ] || fail 66 "linux-image-$release has no module $module"
            extract "$member" "$target"
        fi
        depends=$(tr '\000' '\n' <"$target" | sed -n 's/^depends=\([A-Za-z0-9_,-]*\)$/\1/p' | head -n 1 | tr ',' ' ')
        for dependency in $depends; do
            [ -s "$folder/modules/$dependency.ko" ] || next="$next $dependency"
        done
    done
    pending=$next
done

if $default; then echo "$release" >"$current"; fi
echo "$folder"
