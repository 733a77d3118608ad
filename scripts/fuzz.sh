#!/usr/bin/env bash
# Feeds hostile guests to the machine and keeps what they find: a crash or trap of the process, a report of a sanitizer, a case
# that does not end, a run that does not repeat. Cases are functions of their seeds.
#
#   scripts/fuzz.sh LVDSIM-FUZZ [SECONDS] [FIRST-SEED] [FOLDER]
#
# Each finding becomes FOLDER/seed-N.guest, a complete case, and FOLDER/seed-N.log, what the process said. Fix it, name the
# file for what it found, put it into fixtures/regressions: `make test` replays what is there.
# Exit status: 0 nothing was found, 1 something was.
set -euo pipefail
fuzz=$1
seconds=${2:-600}
seed=${3:-1}
folder=${4:-.build-fuzz/findings}
mkdir -p "$folder"
state=$(mktemp)
trap 'rm -f "$state"' EXIT
end=$((SECONDS + seconds))
found=0
while [ $SECONDS -lt $end ]; do
    status=0
    "$fuzz" run "$seed" 1000000000 $((end - SECONDS)) "$state" 2>"$folder/current.log" || status=$?
    [ $status -ne 0 ] || break
    bad=$(head -n 1 "$state")
    mv "$folder/current.log" "$folder/seed-$bad.log"
    { "$fuzz" show "$bad" || true; } >"$folder/seed-$bad.guest"
    echo "finding: seed $bad, status $status: $(grep -aE 'SUMMARY|Fatal error|does not' "$folder/seed-$bad.log" | head -n 1)"
    found=$((found + 1))
    [ $found -lt 20 ] || break
    seed=$((bad + 1))
done
rm -f "$folder/current.log"
echo "$found findings"
[ $found -eq 0 ]
