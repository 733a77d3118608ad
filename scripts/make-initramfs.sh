#!/bin/sh
# Makes an initial RAM disk with Debian's busybox and kernel modules: a shell on the serial line.
#
#   scripts/make-initramfs.sh FILE [MODULE.ko...]
#
# Its /init mounts proc, sysfs and devtmpfs, says "lvdsim: shell" and starts a shell on the console; when the shell ends,
# it reboots. Modules are in /modules. The same inputs give the same bytes. Exit status: 0, 64 usage, 66 no such module,
# 69 a package is missing.
set -eu

[ $# -ge 1 ] || { echo "usage: make-initramfs.sh FILE [MODULE.ko...]" >&2; exit 64; }
root=$(cd "$(dirname "$0")/.." && pwd)
file=$1
shift
"$root/scripts/bootstrap.sh" linux

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
tree="$work/tree"
mkdir -p "$tree/bin" "$tree/dev" "$tree/proc" "$tree/sys" "$tree/tmp" "$tree/modules"
cp "$(command -v busybox)" "$tree/bin/busybox"
for applet in sh mount insmod rmmod lsmod cat ls echo uname dmesg poweroff reboot sync sleep dd setsid cttyhack ifconfig ip \
    grep head tail wc; do
    ln -s busybox "$tree/bin/$applet"
done
for module in "$@"; do
    [ -f "$module" ] || { echo "make-initramfs: no module $module" >&2; exit 66; }
    cp "$module" "$tree/modules/"
done
cat >"$tree/init" <<'INIT'
#!/bin/sh
export PATH=/bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
echo "lvdsim: shell"
setsid cttyhack sh
reboot -f
INIT
chmod 755 "$tree/init"

# Nothing of this machine or of now: times, owners, inode numbers.
find "$tree" -exec touch -h -d @0 {} +
(cd "$tree" && find . | LC_ALL=C sort | cpio --quiet --reproducible -o -H newc -R 0:0) >"$work/initramfs"
mv "$work/initramfs" "$file"
