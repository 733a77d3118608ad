#!/bin/bash
# Fails when a handler lost its shape: each h_* ends in an indirect jump and calls nothing, except that it may jump to
# where instructions go out of line. Reads a release binary: scripts/check-handlers.sh [BINARY]
binary="${1:-.build/release/lvdsim}"
[ -f "$binary" ] || { echo "$binary is not there: build for release first"; exit 1; }
objdump -d --no-show-raw-insn "$binary" | awk '
/^[0-9a-f]+ <h_/ { name = $2; gsub(/[<>:]/, "", name); if (name == "h_general" || name == "h_stale") name = ""; else { n++; jumps[name] = 0 } next }
/^$/ { if (name != "" && !jumps[name]) { print name ": no indirect jump"; bad = 1 } name = "" }
name != "" && /call / { print name ": calls:" $0; bad = 1 }
name != "" && /push .*%rbp/ { print name ": keeps a frame"; bad = 1 }
# Equal handlers may be merged into one that the others jump to.
name != "" && (/jmp +\*/ || /jmp .*<h_/ && !/h_general/) { jumps[name] = 1 }
END { print n " handlers checked"; exit bad || n < 500 }'
