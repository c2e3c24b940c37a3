#!/usr/bin/env bash
# Tests that scripts/setup.sh refuses a machine that it cannot set up, with a remedy, before it installs
# anything, and that the other scripts refuse another system than Linux by themselves. Takes a second.
#
#   ./tests/scripts/setup.sh
#
# Each test runs it with a PATH that contains a few real tools, and stubs for those under test.
set -euo pipefail
ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"
SCRATCH="$(mktemp -d)"
trap 'rm -rf "$SCRATCH"' EXIT
CHANNEL="$(sed -n 's/^channel = "\(.*\)"/\1/p' "$ROOT/rust-toolchain.toml")"
PASSED=0
FAILED=0

# machine SYSTEM ARCHITECTURE OS-RELEASE-LINE...: a machine with apt-get and rustup, before any installation.
machine() {
    local system="$1" architecture="$2" tool
    shift 2
    rm -rf "$SCRATCH"/*
    mkdir -p "$SCRATCH/bin" "$SCRATCH/home" "$SCRATCH/cache"
    for tool in bash sh env dirname cat sed sort head mkdir mktemp rm id; do
        ln -s "$(command -v "$tool")" "$SCRATCH/bin/$tool"
    done
    stand_in uname "case \"\$1\" in -s) echo $system ;; -m) echo $architecture ;; esac"
    stand_in rustup "echo rustup \"\$@\" >>'$SCRATCH/changes'"
    stand_in cargo "echo 'cargo $CHANNEL (0123456 2026-01-01)'"
    stand_in apt-get "echo apt-get \"\$@\" >>'$SCRATCH/changes'; exit 1"
    printf '%s\n' "$@" >"$SCRATCH/os-release"
}

# stand_in NAME COMMANDS: a stub of that name.
stand_in() {
    rm -f "$SCRATCH/bin/$1"
    printf '#!/bin/sh\n%s\n' "$2" >"$SCRATCH/bin/$1"
    chmod +x "$SCRATCH/bin/$1"
}

without() { rm -f "$SCRATCH/bin/$1"; }

# setup: runs it on the machine, or the script $SCRIPT; its output is in $SCRATCH/said.
setup() {
    env -i PATH="$SCRATCH/bin" HOME="$SCRATCH/home" NOEMA_CACHE="$SCRATCH/cache" NOEMA_OS_RELEASE="$SCRATCH/os-release" \
        "$ROOT/scripts/${SCRIPT:-setup.sh}" "$@" >"$SCRATCH/said" 2>&1
}

# refuses NAME PATTERN...: set-up fails, prints a match of each pattern, and installs nothing.
refuses() {
    local name="$1" pattern why=''
    shift
    setup --e2e && why="it continued"
    for pattern in "$@"; do
        grep -q -- "$pattern" "$SCRATCH/said" || why="it does not print '$pattern': $(cat "$SCRATCH/said")"
    done
    [ ! -e "$SCRATCH/changes" ] || why="it ran $(head -n 1 "$SCRATCH/changes")"
    result "$name" "$why"
}

# installs NAME: set-up accepts the machine, and continues with the packages.
installs() {
    local why=''
    setup --e2e || true
    grep -q '^apt-get update' "$SCRATCH/changes" 2>/dev/null || why="it installs nothing: $(cat "$SCRATCH/said")"
    result "$1" "$why"
}

result() {
    if [ -z "$2" ]; then
        PASSED=$((PASSED + 1))
    else
        FAILED=$((FAILED + 1))
        printf '  ✖ %s\n    %s\n' "$1" "$2"
    fi
}

DEBIAN_12=(ID=debian 'VERSION_ID="12"' 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"')

machine Linux x86_64 "${DEBIAN_12[@]}"
stand_in sudo 'exec "$@"'
installs "Debian 12 is set up"

machine Linux aarch64 ID=ubuntu 'VERSION_ID="22.04"' 'PRETTY_NAME="Ubuntu 22.04.5 LTS"'
stand_in sudo 'exec "$@"'
installs "Ubuntu 22.04 is set up"

machine Linux x86_64 ID=debian 'PRETTY_NAME="Debian GNU/Linux forky/sid"'
stand_in sudo 'exec "$@"'
installs "Debian without a version, such as testing, is set up"

machine Linux x86_64 ID=linuxmint 'ID_LIKE="ubuntu debian"' 'VERSION_ID="22"' 'PRETTY_NAME="Linux Mint 22"'
stand_in sudo 'exec "$@"'
installs "another system with apt-get is set up"
grep -q 'Linux Mint 22 is not one that' "$SCRATCH/said" || result "another system gets a warning" "$(cat "$SCRATCH/said")"

machine Linux x86_64 ID=debian 'VERSION_ID="11"' 'PRETTY_NAME="Debian GNU/Linux 11 (bullseye)"'
refuses "Debian 11 is too old" 'this is Debian GNU/Linux 11' 'Debian 12 or later' 'docker run'

machine Linux x86_64 ID=ubuntu 'VERSION_ID="20.04"' 'PRETTY_NAME="Ubuntu 20.04.6 LTS"'
refuses "Ubuntu 20.04 is too old" 'this is Ubuntu 20.04' 'Ubuntu 22.04 or later' 'docker run'

machine Darwin arm64
refuses "macOS has no apt-get" 'this is Darwin' 'docker run'
for script in dev.sh test.sh bench.sh; do
    SCRIPT="$script" refuses "$script on macOS" 'this is Darwin' 'docker run'
done

machine Linux riscv64 "${DEBIAN_12[@]}"
refuses "no other processor" 'this machine is riscv64'

machine Linux x86_64 ID=fedora 'VERSION_ID="43"' 'PRETTY_NAME="Fedora Linux 43"'
without apt-get
refuses "without apt-get the packages are named" 'apt-get is missing' 'protobuf-compiler: ' 'dict-devil: ' 'docker run'

machine Linux x86_64 "${DEBIAN_12[@]}"
without rustup
without cargo
refuses "without Rust" 'Rust is not installed' 'sh.rustup.rs'

machine Linux x86_64 "${DEBIAN_12[@]}"
without rustup
refuses "a distribution's cargo" 'bin/cargo comes without rustup' "$CHANNEL" 'sh.rustup.rs'

machine Linux x86_64 "${DEBIAN_12[@]}"
without rustup
mkdir -p "$SCRATCH/home/.cargo/bin"
printf '#!/bin/sh\n' >"$SCRATCH/home/.cargo/bin/rustup"
chmod +x "$SCRATCH/home/.cargo/bin/rustup"
refuses "rustup that is not on PATH" 'not on PATH' '.cargo/env'

machine Linux x86_64 "${DEBIAN_12[@]}"
stand_in cargo "echo 'cargo 1.63.0'"
refuses "a distribution's cargo before rustup's" "cargo is 'cargo 1.63.0'" "$CHANNEL" 'export PATH='

machine Linux x86_64 "${DEBIAN_12[@]}"
stand_in cargo "exit 1"
refuses "a toolchain that rustup cannot install" "rustup toolchain install $CHANNEL"

printf '%d passed, %d failed\n' "$PASSED" "$FAILED"
[ "$FAILED" -eq 0 ]
