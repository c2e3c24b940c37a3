#!/usr/bin/env bash
# Tests that the float model, the basis of perplexity measurements and of training, agrees with llama.cpp: on
# the processor and on a graphics processor, or a software device where there is none.
#
#   ./scripts/agreement.sh [OPTION...]
#
#   --tokens N   tokens of a text to read (default: 64)
#   --json       one JSON object instead of a table
#   --help       this text
#
# Both read the same weights as 32-bit floats. Status 0 only if no log-probability of any token of the
# vocabulary differs by more than scripts/peers/logits.py tolerates. llama.cpp comes from PyPI (xllamacpp); it
# and its copy of the model, 540 MB, are kept in $NOEMA_CACHE.
set -euo pipefail
. "$(dirname "$0")/common.sh"
. "$ROOT/scripts/peers/install.sh"

TOKENS=64
JSON=false
while [ $# -gt 0 ]; do
    case "$1" in
        --tokens) [ $# -ge 2 ] || die "--tokens needs a value; see $0 --help"; TOKENS="$2"; shift ;;
        --json) JSON=true ;;
        --help | -h) print_usage "$0"; exit 0 ;;
        *) die "unknown option '$1'; see $0 --help" ;;
    esac
    shift
done
[[ "$TOKENS" =~ ^[1-9][0-9]{0,2}$ ]] || die "--tokens takes a number from 1 to 999"

WORK="$(mktemp -d)"
trap 'rm -rf "$WORK"' EXIT

# Installs a software graphics device where the machine has none.
"$ROOT/scripts/setup.sh" --e2e
step "Compiling"
(cd "$ROOT" && cargo build --locked -p noema-worker --example logits)
install_peers
requantise F32

# Without the directory Mesa prints a warning.
export XDG_RUNTIME_DIR="${XDG_RUNTIME_DIR:-$NOEMA_CACHE}"
RUNS=()
for device in cpu gpu; do
    step "Reading $TOKENS tokens with burn, on the $device"
    "$BIN_DIR/examples/logits" "$MODEL_FILE" "$device" "$TEXT_FILE" "$TOKENS" "$WORK/$device.f32" >"$WORK/$device.json"
    RUNS+=("$WORK/$device.json" "$WORK/$device.f32")
done
step "Reading them with llama.cpp"
"$PYTHON" "$ROOT/scripts/peers/logits.py" "$REQUANTISED" "$JSON" "${RUNS[@]}"
