#!/usr/bin/env bash
# Tests that every executor of this machine returns the same bits on the real model: answers are generated on
# the processor and executed again by each executor: graphics devices, the kernels of every instruction set,
# the scalar definition, and the definition compiled to Wasm in the runtime's engine.
#
#   ./scripts/equality.sh [OPTION...]
#
#   --tokens N   least number of tokens to generate and compare (default: 1000)
#   --json       one JSON object instead of a table
#   --help       this text
#
# Status 0 only if nothing differs. The definition and Wasm are slow on purpose: they have no optimisations
# for a machine. docs/benchmarks.md has their times, and the compared values.
set -euo pipefail
. "$(dirname "$0")/common.sh"

TOKENS=1000
JSON=()
while [ $# -gt 0 ]; do
    case "$1" in
        --tokens) [ $# -ge 2 ] || die "--tokens needs a value; see $0 --help"; TOKENS="$2"; shift ;;
        --json) JSON=(--json) ;;
        --help | -h) print_usage "$0"; exit 0 ;;
        *) die "unknown option '$1'; see $0 --help" ;;
    esac
    shift
done
[[ "$TOKENS" =~ ^[1-9][0-9]*$ ]] || die "--tokens takes a number from 1 on"

# Installs a software graphics device where the machine has none.
"$ROOT/scripts/setup.sh" --e2e
. "$NOEMA_CACHE/wasm.env"

step "Compiling"
# In one build with the programs of dev.sh, so that both share their dependencies.
(cd "$ROOT" && cargo build --locked -p noema-node -p noema-worker -p noema-equality)

# Without the directory Mesa prints a warning.
export XDG_RUNTIME_DIR="${XDG_RUNTIME_DIR:-$NOEMA_CACHE}"

step "Comparing $TOKENS tokens"
exec "$BIN_DIR/noema-equality" "$MODEL_FILE" --home "$NOEMA_CACHE/equality" --tokens "$TOKENS" "${JSON[@]}"
