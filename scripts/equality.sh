#!/usr/bin/env bash
# Tests that every executor of this machine returns the same bits: answers are generated on the processor and
# executed again by each executor: graphics devices, the kernels of every instruction set, the scalar definition,
# and the definition compiled to Wasm in the runtime's engine.
#
#   ./scripts/equality.sh [OPTION...] [MODEL...]
#
#   MODEL        smollm2, the real model (default), or a tiny model with random weights: of one architecture, such
#                as qwen3, or all of them: all. scripts/models/architectures.py has their names
#   --tokens N   least number of tokens to generate and compare with each model (default: 1000; 24 of tiny ones)
#   --json       one JSON object instead of a table
#   --help       this text
#
# Status 0 only if nothing differs; a file and a folder of one model must give the same checkpoint, too. The
# definition and Wasm are slow on purpose: they have no optimisations for a machine. docs/benchmarks.md has their
# times, and the compared values.
#
# With NOEMA_BIN_DIR, the folder of programs that are compiled already, nothing is set up or compiled.
set -euo pipefail
. "$(dirname "$0")/common.sh"
. "$ROOT/scripts/models/models.sh"

TOKENS=''
JSON=()
NAMES=()
while [ $# -gt 0 ]; do
    case "$1" in
        --tokens) [ $# -ge 2 ] || die "--tokens needs a value; see $0 --help"; TOKENS="$2"; shift ;;
        --json) JSON=(--json) ;;
        --help | -h) print_usage "$0"; exit 0 ;;
        -*) die "unknown option '$1'; see $0 --help" ;;
        *) NAMES+=("$1") ;;
    esac
    shift
done
[ ${#NAMES[@]} -gt 0 ] || NAMES=(smollm2)
if [ "${NAMES[*]}" = smollm2 ]; then
    TOKENS="${TOKENS:-1000}"
else
    TOKENS="${TOKENS:-24}"
fi
[[ "$TOKENS" =~ ^[1-9][0-9]*$ ]] || die "--tokens takes a number from 1 on"

WORK="$(mktemp -d)"
trap 'rm -rf "$WORK"' EXIT

if [ -z "${NOEMA_BIN_DIR:-}" ]; then
    # Installs a software graphics device where the machine has none.
    "$ROOT/scripts/setup.sh" --e2e
    . "$NOEMA_CACHE/wasm.env"
    step "Compiling"
    # In one build with the programs of dev.sh, so that both share their dependencies.
    (cd "$ROOT" && cargo build --locked -p noema-node -p noema-worker -p noema-equality)
fi
if [ "${NAMES[*]}" = smollm2 ]; then
    SOURCES=("$MODEL_FILE")
    OPTIONS=(--home "$NOEMA_CACHE/equality")
else
    write_models "$WORK/models" "${NAMES[@]}"
    # Enough for every prompt: the default context of a model with longrope is that of its short factors.
    OPTIONS=(--home "$WORK" --context 1024 --cases 16)
fi

# Without the directory Mesa prints a warning.
export XDG_RUNTIME_DIR="${XDG_RUNTIME_DIR:-$NOEMA_CACHE}"

step "Comparing $TOKENS tokens"
"${NOEMA_BIN_DIR:-$BIN_DIR}/noema-equality" "${SOURCES[@]}" "${OPTIONS[@]}" --tokens "$TOKENS" "${JSON[@]}"
