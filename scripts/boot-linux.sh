#!/bin/sh
# Boots Debian's unmodified kernels in lvdsim to a busybox shell, types commands on the serial line, loads modules, and
# ends the machine: `make boot-linux`.
#
#   scripts/boot-linux.sh LVDSIM [cloud|generic|all]
#
# cloud (default): vmlinux on one minimal processor (twice, for the digest) and on two by ACPI, and the bzImage (LZ4) by the
# 32-bit boot protocol. generic: the same with the generic kernel, its bzImage (XZ) by the 64-bit one. all: both.
# Exit status: 0, 1 a boot did not do what it should, 64 usage.
set -eu

[ $# -ge 1 ] || { echo "usage: boot-linux.sh LVDSIM [cloud|generic|all]" >&2; exit 64; }
lvdsim=$1
which=${2:-cloud}
root=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
    echo "boot-linux: $*" >&2
    exit 1
}

# What is typed. The last command ends the machine.
commands() { # END
    cat <<EOF
uname -r
insmod /modules/dummy.ko && ifconfig dummy0 10.0.0.1 up && echo dummy0 \$(cat /sys/class/net/dummy0/operstate)
insmod /modules/configfs.ko
insmod /modules/null_blk.ko
dd if=/dev/zero of=/dev/nullb0 bs=4096 count=64 2>&1
dmesg | grep nullb0
echo processors \$(grep -c ^processor /proc/cpuinfo)
$1
EOF
}

boot() { # NAME IMAGE PROCESSORS ARGUMENTS...
    name=$1
    image=$2
    processors=$3
    shift 3
    status=0
    "$lvdsim" boot "$image" --initrd "$work/initramfs" --stats --digest "$@" \
        <"$work/commands" >"$work/out" 2>"$work/err" || status=$?
    for line in "lvdsim: shell" "$release" "dummy0 unknown" "null_blk: disk nullb0 created" "64+0 records out" \
        "processors $processors"; do
        if [ "$status" -ne 0 ] || ! grep -qF "$line" "$work/out"; then
            tail -n 40 "$work/out" "$work/err" >&2
            fail "$name: status $status, or no '$line' on the serial line"
        fi
    done
    echo "$name: shell, commands and modules; $(awk '
        $1 == "instructions" { i = $2 } $1 == "CPU" { s = $3 } $1 == "MIPS" { m = $2 } $1 == "digest" { d = $2 }
        END { print i " instructions, " s " s, " m " MIPS, digest " d }' "$work/err")"
}

# Nothing but what is needed: no ACPI, no PCI, no local APIC.
minimal="console=ttyS0 acpi=off pci=off nokaslr cryptomgr.notests quiet panic=-1"
acpi="console=ttyS0 nokaslr cryptomgr.notests quiet panic=-1"

kernel() { # NAME FOLDER PROTOCOL
    release=$(basename "$2")
    "$root/scripts/make-initramfs.sh" "$work/initramfs" \
        "$2/modules/dummy.ko" "$2/modules/configfs.ko" "$2/modules/null_blk.ko"
    commands "reboot -f" >"$work/commands"
    boot "$1, one minimal processor" "$2/vmlinux" 1 --cpu minimal --memory 128M --append "$minimal"
    first=$(grep digest "$work/err")
    boot "$1, the same again" "$2/vmlinux" 1 --cpu minimal --memory 128M --append "$minimal"
    [ "$first" = "$(grep digest "$work/err")" ] || fail "$1: another digest the second time"
    commands "poweroff -f" >"$work/commands"
    boot "$1, two processors by ACPI" "$2/vmlinux" 2 --cpu max --cpus 2 --memory 256M --append "$acpi"
    grep -q "switched the machine off" "$work/err" || fail "$1: no power-off"
    commands "reboot -f" >"$work/commands"
    boot "$1, bzImage by $3" "$2/vmlinuz" 1 --cpu minimal --protocol "$3" --memory 256M --append "$minimal"
}

case "$which" in
cloud | all) kernel cloud "$("$root/scripts/fetch-debian.sh" --cloud dummy null_blk)" linux32 ;;
generic) ;;
*) echo "boot-linux: unknown kernel '$which' (cloud, generic, all)" >&2; exit 64 ;;
esac
case "$which" in generic | all) kernel generic "$("$root/scripts/fetch-debian.sh" dummy null_blk)" linux64 ;; esac
