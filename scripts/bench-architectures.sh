#!/usr/bin/env bash
# Measures every architecture beside llama.cpp: how far the float model is from it and the integer model from the
# float model, the speed of answers and prompts, and the import of a model with a billion weights.
#
#   ./scripts/bench.sh --architectures [OPTION...]      (or: ./scripts/bench-architectures.sh [OPTION...])
#
#   --only NAME   only this architecture; may be repeated. `scripts/models/quantised.py --names` prints the names
#   --tiny        only the tiny models, which takes some four minutes
#   --continue    keep what an earlier run measured with the same programs on this machine, and measure the rest
#   --threads N   threads of both programs for large models (default: one for each core); tiny models have one
#   --rounds N    rounds, of which medians are taken (default: 3)
#   --json        one JSON object instead of tables
#   --help        this text
#
# Tiny models are compared as ./scripts/agreement.sh does. Speed is measured in turn with the same file on both sides: a
# tiny model and one of a billion weights, random, of 8 bits in blocks of 32 (Q8_0). It does not depend on the weights.
# llama.cpp comes from PyPI and, where clang is installed, from the sources of the same release, compiled for this
# machine: the faster of the two is the peer of each figure.
#
# Takes some 20 minutes on two cores, and ten more to compile llama.cpp the first time. Needs 4 GB of disk space in
# $NOEMA_HOME (default: .noema), which it frees, and keeps the figures of each architecture there. Run nothing else on
# the machine meanwhile.
# With NOEMA_BIN_DIR, the folder of programs that are compiled already, nothing is set up or compiled.
set -euo pipefail
. "$(dirname "$0")/common.sh"
. "$ROOT/scripts/peers/install.sh"
. "$ROOT/scripts/peers/native.sh"

ONLY=()
CONTINUE=false
TINY=false
THREADS="$(nproc)"
ROUNDS=3
JSON=false
while [ $# -gt 0 ]; do
    case "$1" in
        --only | --threads | --rounds) [ $# -ge 2 ] || die "$1 needs a value; see $0 --help" ;;&
        --only) ONLY+=("$2"); shift ;;
        --continue) CONTINUE=true ;;
        --tiny) TINY=true ;;
        --threads) THREADS="$2"; shift ;;
        --rounds) ROUNDS="$2"; shift ;;
        --json) JSON=true ;;
        --help | -h) print_usage "$0"; exit 0 ;;
        *) die "unknown option '$1'; see $0 --help" ;;
    esac
    shift
done
[[ "$THREADS" =~ ^[1-9][0-9]{0,2}$ ]] || die "--threads takes a number from 1 to 999"
[[ "$ROUNDS" =~ ^[1-9][0-9]?$ ]] || die "--rounds takes a number from 1 to 99"
mapfile -t NAMES < <(python3 "$ROOT/scripts/models/quantised.py" --names)
for name in "${ONLY[@]}"; do
    [[ " ${NAMES[*]} " = *" $name "* ]] || die "there is no architecture '$name'; there are ${NAMES[*]}"
done
[ ${#ONLY[@]} -eq 0 ] || NAMES=("${ONLY[@]}")

RESULTS="${NOEMA_HOME:-$ROOT/.noema}/architectures"
mkdir -p "$RESULTS"
# Not in /tmp, which may be in memory.
WORK="$(mktemp -d "$RESULTS/work.XXXXXX")"
trap 'rm -rf "$WORK"' EXIT
free="$(df --output=avail -k "$WORK" | tail -n 1)"
[ "$free" -ge 4000000 ] || die "$RESULTS has $((free / 1000)) MB of free disk space, and 4000 are needed; free some, or set NOEMA_HOME"

if [ -z "${NOEMA_BIN_DIR:-}" ]; then
    "$ROOT/scripts/setup.sh"
    step "Compiling"
    (cd "$ROOT" && cargo build --locked -p noema-worker \
        && cargo build --locked -p noema-executor --example measure \
        && cargo build --locked -p noema-model --example logits)
fi
export NOEMA_BIN_DIR="${NOEMA_BIN_DIR:-$BIN_DIR}"
install_peers
install_native "$WORK/llama.cpp"

"$PYTHON" "$ROOT/scripts/bench-architectures.py" --results "$RESULTS" --work "$WORK" --programs "$NOEMA_BIN_DIR" \
    --llama-bench "$LLAMA_BENCH" --threads "$THREADS" --rounds "$ROUNDS" \
    $($TINY && echo --tiny) $($CONTINUE && echo --continue) $($JSON && echo --json) "${NAMES[@]}"
