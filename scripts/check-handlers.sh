#!/bin/sh
# Disassembles a release build and checks what the engine's speed rests on: every handler (symbol h_...) goes on to the next
# one by an indirect jump, and none calls indirectly, which would mean that a tail call was lost
# (docs/decisions/0002-release-flags.md).
#
#   scripts/check-handlers.sh BINARY
set -eu
binary=$1
tools=$(dirname "$(command -v swiftc)")
"$tools/llvm-objdump" -d --no-show-raw-insn "$binary" | awk '
    function finish() {
        if (name == "") return
        handlers++
        if (calls > 0) { print name ": " calls " indirect calls"; bad++ }
        else if (jumps == 0) { print name ": no indirect jump to the next handler"; bad++ }
    }
    /^[0-9a-f]+ <.*>:$/ {
        finish()
        name = $2
        gsub(/[<>:]/, "", name)
        if (name !~ /^h_/) name = ""
        calls = 0
        jumps = 0
        next
    }
    name != "" && /[ \t]callq?[ \t]+\*/ { calls++ }
    name != "" && /[ \t]jmpq?[ \t]+\*/ { jumps++ }
    END {
        finish()
        if (handlers < 100) { print "found only " handlers + 0 " handlers: is this a release build of lvdsim?"; exit 1 }
        if (bad > 0) { print bad " of " handlers " handlers are not made of tail calls"; exit 1 }
        print handlers " handlers, each ends in a jump to the next, none calls indirectly"
    }'
