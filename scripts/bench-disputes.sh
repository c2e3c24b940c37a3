#!/usr/bin/env bash
# Measures disputes: games over steps of the real model's traces, with every kind of step falsified.
#
#   ./scripts/bench-disputes.sh [--json]      (or: ./scripts/bench.sh --disputes [--json])
#
#   --json   one JSON object instead of a table
#   --help   this text
#
# The model answers a prompt of 30 tokens with 100, drawn with top-k and top-p, and the loss of a text of 40 tokens is
# computed, both by the definition; small models without meaning have the operators that it lacks. Steps of all kinds are
# executed from their evidence, true ones and false ones; each false one is found in a whole game. Takes about ten
# minutes. docs/benchmarks.md explains the figures.
set -euo pipefail
. "$(dirname "$0")/common.sh"

JSON=false
for argument in "$@"; do
    case "$argument" in
        --json) JSON=true ;;
        --help | -h) print_usage "$0"; exit 0 ;;
        *) die "unknown option '$argument'; see $0 --help" ;;
    esac
done

WORK="$(mktemp -d)"
trap 'rm -rf "$WORK"' EXIT
export NOEMA_HOME="${NOEMA_HOME:-$ROOT/.noema}"

# Programs that are there already are measured as they are.
if [ -z "${NOEMA_BIN_DIR:-}" ]; then
    "$ROOT/scripts/setup.sh" --e2e
    step "Compiling"
    (cd "$ROOT" && SKIP_WASM_BUILD=1 cargo build --locked -p noema-worker \
        && cargo build --locked -p noema-trace --example disputes)
fi
NOEMA_BIN_DIR="${NOEMA_BIN_DIR:-$BIN_DIR}"
step "Importing the model"
CHECKPOINT="$("$NOEMA_BIN_DIR/noema-worker" import "$MODEL_FILE")"
step "Building traces, and playing games"
"$NOEMA_BIN_DIR/examples/disputes" "$NOEMA_HOME/checkpoints/${CHECKPOINT#0x}" >"$WORK/disputes.json"

python3 - "$WORK/disputes.json" "$JSON" <<'PYTHON'
import json, sys

path, as_json = sys.argv[1:]
figures = json.load(open(path))
rounded = {name: value if isinstance(value, int) else float(f"{value:.4g}") for name, value in figures.items()}
if as_json == "true":
    print(json.dumps(rounded))
else:
    for name, value in rounded.items():
        print(f"{name:36} {value:>14}")
PYTHON
