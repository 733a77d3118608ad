#!/usr/bin/env bash
# Runs images of kvm-unit-tests (x86, built elsewhere; https://gitlab.com/kvm-unit-tests) with their configured arguments,
# processors and memory, and prints one line per entry.
#
#   scripts/kvm-unit-tests.sh [-b LVDSIM] [-o FOLDER] [-s] FOLDER [NAME-PATTERN...]
#
# -s runs the sub-tests of vmx.flat one by one (scripts/vmx-sub-tests.tsv) instead of the configured entries.
# FOLDER holds the .flat files; without one, LVDSIM_KVM_UNIT_TESTS names it. -o keeps each entry's output there. The entries
# and what is expected of them are in scripts/kvm-unit-tests.tsv. An image reports by the debug-exit port: code 0 is a pass (status 1),
# status 77 means that everything was skipped, 127 that the image gave up; the rest are failures.
# Exit status: 0 every entry did what the table expects, 1 some did not, 64 usage, 66 no images.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
table=$root/scripts/kvm-unit-tests.tsv
lvdsim=$root/.build/release/lvdsim
output=
while getopts b:o:s option; do
    case $option in
    b) lvdsim=$OPTARG ;;
    o) output=$OPTARG ;;
    s) table=$root/scripts/vmx-sub-tests.tsv ;;
    *) exit 64 ;;
    esac
done
shift $((OPTIND - 1))
folder=${1:-${LVDSIM_KVM_UNIT_TESTS:-}}
[ $# -eq 0 ] || shift
if [ -z "$folder" ]; then
    echo "kvm-unit-tests: name the folder of the built images, or set LVDSIM_KVM_UNIT_TESTS" >&2
    exit 64
fi
if [ ! -d "$folder" ]; then
    echo "kvm-unit-tests: no folder $folder" >&2
    exit 66
fi
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
if [ -n "$output" ]; then mkdir -p "$output"; else output=$scratch; fi

wanted() {
    [ $# -gt 1 ] || return 0
    local name=$1 pattern
    shift
    # shellcheck disable=SC2254 # Patterns are patterns.
    for pattern in "$@"; do case $name in $pattern) return 0 ;; esac; done
    return 1
}

# Builds without named processors take every entry on the default one.
named=false
case $("$lvdsim" help boot 2>/dev/null) in *--cpu\ *) named=true ;; esac

# Sets result (pass, fail, skip, stop, not run) and note.
run() {
    local name=${1//\//-} image=$2 cpus=$3 memory=$4 model=$5 arguments=$6 status=0
    if [ ! -f "$folder/$image.flat" ]; then
        result="not run" note="no $image.flat"
        return
    fi
    [ "$arguments" != - ] || arguments=
    # @NAME=VALUE in front: for the environment, which is a module.
    rm -f "$scratch/environment"
    while [[ $arguments == @* ]]; do
        local word=${arguments%% *}
        echo "${word#@}" >>"$scratch/environment"
        arguments=${arguments#"$word"}
        arguments=${arguments# }
    done
    if $named; then set -- --cpu "$model"; else set --; fi
    timeout "${LVDSIM_TIMEOUT:-300}" "$lvdsim" boot "$folder/$image.flat" --cpus "$cpus" --memory "$memory" "$@" \
        $([ ! -f "$scratch/environment" ] || echo --initrd "$scratch/environment") \
        --max-instructions 20000000000 ${arguments:+--append "$arguments"} \
        >"$output/$name.out" 2>"$output/$name.err" </dev/null || status=$?
    note=
    if [ -s "$output/$name.err" ]; then
        # The program has spoken, not the image.
        result=stop note=$(tail -n 1 "$output/$name.err" | sed 's/^lvdsim: //')
    elif [ $status -eq 1 ]; then
        result=pass note=$(sed -n 's/^SUMMARY: //p' "$output/$name.out" | tail -n 1 | tr -d '\r')
    elif [ $status -eq 77 ]; then
        result=skip note=$(grep -aiE 'skip|not supported|not available' "$output/$name.out" | tail -n 1 | tr -d '\r' || true)
    elif [ $status -eq 124 ]; then
        result=stop note="no end in 300 s"
    else
        result=fail note=$(sed -n 's/^SUMMARY: //p' "$output/$name.out" | tail -n 1 | tr -d '\r')
        [ -n "$note" ] || note="status $status"
    fi
}

declare -A count=([pass]=0 [fail]=0 [skip]=0 [stop]=0 ["not run"]=0)
total=0 surprises=0
while IFS=$'\t' read -r name image cpus memory model expected arguments reason; do
    case $name in '' | '#'*) continue ;; esac
    wanted "$name" "$@" || continue
    if [ "$expected" = no ]; then
        result="not run" note=$reason
    else
        run "$name" "$image" "$cpus" "$memory" "$model" "$arguments"
        [ "$result" = "$expected" ] || { surprises=$((surprises + 1)); note="$note (expected: $expected)"; }
    fi
    total=$((total + 1))
    count[$result]=$((count[$result] + 1))
    printf '%-8s %-42s %s\n' "$result" "$name" "$note"
done <"$table"
printf '%d entries: %d pass, %d fail, %d skip, %d stop, %d not run; %d not as expected\n' "$total" \
    "${count[pass]}" "${count[fail]}" "${count[skip]}" "${count[stop]}" "${count["not run"]}" "$surprises"
[ "$surprises" -eq 0 ]
