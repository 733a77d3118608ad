#!/usr/bin/env bash
# Boots a multiboot image on Bochs, from a CD that GRUB is put on, and prints what the image writes to the serial port.
#
#   scripts/bochs.sh [-c CPU] [-n PROCESSORS] [-t SECONDS] IMAGE [ARGUMENTS [MODULE...]]
#
# IMAGE is an ELF file with a multiboot-1 header, ARGUMENTS its command line behind its name, MODULE "FILE WORDS". The image
# ends the run with a write of "Shutdown" to port 0x8900, or the time limit does.
# Needs the Debian packages of `scripts/bootstrap.sh bochs`.
# Exit status: 0 the image ended the run, 1 it did not in time, 64 usage, 66 no such file, 69 no Bochs, or one that aborts.
set -euo pipefail
cpu=corei7_haswell_4770 processors=1 seconds=120
while getopts c:n:t: option; do
    case $option in
    c) cpu=$OPTARG ;;
    n) processors=$OPTARG ;;
    t) seconds=$OPTARG ;;
    *) exit 64 ;;
    esac
done
shift $((OPTIND - 1))
[ $# -ge 1 ] || { echo "bochs: name an image" >&2; exit 64; }
for program in bochs grub-mkrescue xorriso mformat; do
    command -v "$program" >/dev/null || { echo "bochs: no $program: scripts/bootstrap.sh bochs" >&2; exit 69; }
done
image=$1 arguments=${2:-}
[ -f "$image" ] || { echo "bochs: $image: there is no such file" >&2; exit 66; }
shift $(($# < 2 ? $# : 2))
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkdir -p "$scratch/cd/boot/grub"
name=$(basename "$image")
cp "$image" "$scratch/cd/boot/$name"
{
    echo 'set timeout=0'
    echo 'menuentry image {'
    echo "    multiboot /boot/$name $name $arguments"
    for module in "$@"; do
        file=${module%% *}
        [ -f "$file" ] || { echo "bochs: $file: there is no such file" >&2; exit 66; }
        cp "$file" "$scratch/cd/boot/"
        echo "    module /boot/$(basename "$file") ${module#* }"
    done
    echo '}'
} >"$scratch/cd/boot/grub/grub.cfg"
grub-mkrescue -o "$scratch/image.iso" --install-modules="multiboot normal iso9660 biosdisk part_msdos boot" \
    "$scratch/cd" >"$scratch/mkrescue" 2>&1 || { cat "$scratch/mkrescue" >&2; exit 69; }
cat >"$scratch/bochsrc" <<END
display_library: rfb, options="timeout=0"
romimage: file=/usr/share/bochs/BIOS-bochs-latest
vgaromimage: file=/usr/share/vgabios/vgabios.bin
cpu: model=$cpu, count=$processors, ips=200000000, reset_on_triple_fault=0, ignore_bad_msrs=1
memory: guest=256, host=256
ata0: enabled=1, ioaddr1=0x1f0, ioaddr2=0x3f0, irq=14
ata0-master: type=cdrom, path=$scratch/image.iso, status=inserted
boot: cdrom
com1: enabled=1, mode=file, dev=$scratch/serial
clock: sync=none
log: $scratch/log
panic: action=fatal
END
# Debian's Bochs has the debugger built in, which waits to be told to go on.
echo c >"$scratch/debugger"
status=0
(cd "$scratch" && timeout "$seconds" bochs -q -f bochsrc -rc debugger >"$scratch/console" 2>&1 </dev/null) || status=$?
[ ! -f "$scratch/serial" ] || tr -d "\r" <"$scratch/serial"
if [ -n "${BOCHS_LOG:-}" ]; then cat "$scratch/console" "$scratch/log" >"$BOCHS_LOG"; fi
# Bochs ends with a panic or a message when it is told to shut down; the log says so.
grep -qi 'shutdown' "$scratch/log" "$scratch/console" && exit 0
if [ $status = 134 ] && [ ! -s "$scratch/serial" ]; then
    echo "bochs: Debian's Bochs aborts on this machine before it runs anything: $(tail -n 1 "$scratch/console")" >&2
    exit 69
fi
echo "bochs: no end after $seconds s (status $status)" >&2
tail -n 3 "$scratch/log" >&2
exit 1
