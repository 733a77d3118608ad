#!/bin/sh
# Copies built images into the image folder and writes the table of what they are. Usage: images.sh BUILD IMAGES FILE...
set -e
build=$1 images=$2
shift 2
source_of() {
    case $1 in
    kernel.elf) echo 'Sources/Guest/kernel, lib' ;;
    kernel-weak-*) echo "Sources/Guest/kernel, lib with -DWEAK_$(echo "${1#kernel-weak-}" | sed 's/\.elf//' | tr a-z A-Z)" ;;
    monitor-weak-*) echo "Sources/Guest/monitor, Sources/X86Architecture with -D WEAK_$(echo "${1#monitor-weak-}" | sed 's/\.elf//' | tr a-z A-Z)" ;;
    monitor.elf) echo 'Sources/Guest/monitor, Sources/X86Architecture' ;;
    domain.ko) echo 'Sources/Guest/domain, lib' ;;
    vmfunc.flat) echo 'Sources/Guest/tests/vmfunc' ;;
    switching.elf) echo 'Sources/Guest/bench/switching, tests/vmfunc' ;;
    marshalling.flat) echo 'Sources/Guest/tests/marshalling' ;;
    capability.flat) echo 'Sources/Guest/tests/capability, kernel/capability.c' ;;
    payload.elf) echo 'Sources/Guest/bench' ;;
    attacks/*)
        attack=$(basename "$1" .ko)
        if [ -f "attacks/$attack.c" ]; then
            echo "Sources/Guest/attacks/$attack.c"
        elif [ "${attack#cap-}" != "$attack" ]; then
            echo "Sources/Guest/attacks/capability.c with -DATTACK=$(echo "$attack" | tr a-z- A-Z_)"
        elif [ "${attack#grant-}" != "$attack" ] || [ "${attack#take}" != "$attack" ]; then
            echo "Sources/Guest/attacks/grants.c with -DATTACK=$(echo "$attack" | tr a-z- A-Z_)"
        elif [ "${attack#blk-}" != "$attack" ]; then
            echo "Sources/Guest/attacks/block.c with -DATTACK=$(echo "$attack" | tr a-z- A-Z_)"
        else
            echo "Sources/Guest/attacks/forbidden.c with -DATTACK=$(echo "$attack" | tr a-z- A-Z_)"
        fi ;;
    *.ko) echo "Sources/Guest/drivers/${1%.ko}" ;;
    esac
}
{
    echo '# Guest images'
    echo
    echo 'All built from `Sources/Guest` by `make guest` with the toolchain named below; `make -C Sources/Guest check` rebuilds and compares them.'
    echo
    echo "Toolchain: $(swiftc --version 2>/dev/null | head -n 1)"
    echo
    echo '| file | source | sha256 |'
    echo '|---|---|---|'
    for file in "$@"; do
        name=${file#"$build"/}
        mkdir -p "$images/$(dirname "$name")"
        cp "$file" "$images/$name"
        echo "| $name | $(source_of "$name") | $(sha256sum "$file" | cut -d ' ' -f 1) |"
    done
} > "$images/README.md.new"
mv "$images/README.md.new" "$images/README.md"
