#!/usr/bin/env bash
# Speed: the project's integer payload (Sources/Guest/bench) in lvdsim and under QEMU's interpreter with exact instruction
# counting (-icount shift=0), the same image one after the other; then changes of view and VM exits (bench/switching), and
# the default run. CPU time, not wall time.
#
#   scripts/bench.sh LVDSIM [ROUNDS]
set -euo pipefail
lvdsim=$1
rounds=${2:-30}
root=$(cd "$(dirname "$0")/.." && pwd)
payload=$root/fixtures/images/payload.elf
"$root/scripts/bootstrap.sh" bench
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
TIMEFORMAT='%U %S'

# Both end with status 1: the payload found every checksum right.
status=0
"$lvdsim" boot "$payload" --append "rounds=$rounds" --stats >"$scratch/ours" 2>"$scratch/stats" || status=$?
if [ "$status" -ne 1 ]; then
    cat "$scratch/ours" "$scratch/stats" >&2
    echo "bench: the payload failed in lvdsim (status $status)" >&2
    exit 1
fi
status=0
{ time qemu-system-x86_64 -accel tcg -icount shift=0 -m 256 -display none -monitor none -serial "file:$scratch/theirs" \
    -device isa-debug-exit,iobase=0xf4,iosize=4 -no-reboot -kernel "$payload" -append "rounds=$rounds" \
    2>/dev/null || status=$?; } 2>"$scratch/time"
if [ "$status" -ne 1 ]; then
    echo "bench: the payload failed under QEMU (status $status)" >&2
    exit 1
fi
instructions=$(awk '$1 == "instructions" { gsub(",", ""); print $2 }' "$scratch/stats")
seconds=$(awk '$1 == "CPU" { print $3 }' "$scratch/stats")
awk -v n="$instructions" -v ours="$seconds" -v rounds="$rounds" '{
    theirs = $1 + $2
    printf "payload, %d rounds, %.0f million instructions\n", rounds, n / 1e6
    printf "  lvdsim                             %8.2f s  %8.1f MIPS\n", ours, n / ours / 1e6
    printf "  qemu -accel tcg -icount shift=0    %8.2f s  %8.1f MIPS\n", theirs, n / theirs / 1e6
    printf "  lvdsim / qemu                      %8.2f\n", theirs / ours
}' "$scratch/time"

# Rates of N operations without what starting takes: the same with 2 N, less the same with N.
echo "changes of view and VM exits, million per second of CPU time"
seconds_of() {
    status=0
    "$lvdsim" boot "$root/fixtures/images/switching.elf" --append "$1=$2" --stats >"$scratch/ours" 2>"$scratch/stats" || status=$?
    if [ "$status" -ne 1 ]; then
        cat "$scratch/stats" >&2
        echo "bench: $1 failed in lvdsim (status $status)" >&2
        exit 1
    fi
    awk '$1 == "CPU" { print $3 }' "$scratch/stats"
}
rate() {
    local once twice
    once=$(seconds_of "$1" 3000000)
    twice=$(seconds_of "$1" 6000000)
    awk -v a="$once" -v b="$twice" -v text="$2" 'BEGIN { printf "  %-52s %8.2f\n", text, b > a ? 3 / (b - a) : 0 }'
}
rate vmfunc "VMFUNC, EPTP switching"
rate touch "VMFUNC and a load from a page that it changes"
rate exit "VMCALL exit, VMREAD, VMWRITE, VMRESUME"

image=$("$root/scripts/main-image.sh")
echo "run $(basename "$image") --workload tx:10000"
"$lvdsim" run "$image" --workload tx:10000 --stats 2>&1 >/dev/null | sed 's/^/  /'
