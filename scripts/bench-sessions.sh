#!/usr/bin/env bash
# Measures sessions: the speed of chats through a gateway, and the cost of sessions for the chain.
#
#   ./scripts/bench-sessions.sh [--json]      (or: ./scripts/bench.sh --sessions [--json])
#
#   --json   one JSON object instead of a table
#   --help   this text
#
# Beside the gateway, with the same client, the same threads and the same model: llama.cpp's server, from the PyPI wheel
# xllamacpp, and the executor without session. NOEMA_BENCH_ROUNDS is the number of rounds (default: 5). Takes about
# fifteen minutes. Run nothing else on the machine meanwhile.
set -euo pipefail
. "$(dirname "$0")/common.sh"
. "$ROOT/scripts/peers/install.sh"

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
    . "$NOEMA_CACHE/wasm.env"
    step "Compiling"
    (cd "$ROOT" && cargo build --locked -p noema-node -p noema-worker \
        && cargo build --locked -p noema-executor --example measure)
fi
export NOEMA_BIN_DIR="${NOEMA_BIN_DIR:-$BIN_DIR}"
install_peers
requantise Q8_0
step "Importing the model"
NOEMA_E2E_CHECKPOINT="$("$NOEMA_BIN_DIR/noema-worker" import "$MODEL_FILE")"
export NOEMA_E2E_CHECKPOINT NOEMA_E2E_HOME="$NOEMA_HOME" NOEMA_E2E_DIR="$WORK"

step "Measuring the cost of sessions of 1 to 100,000 answers for the chain"
node "$ROOT/tests/e2e/measure-sessions.js" >"$WORK/chain.json"
step "Measuring chats, the executor and llama.cpp's server in turn, ${NOEMA_BENCH_ROUNDS:-5} times each"
node "$ROOT/tests/e2e/measure-chats.js" "$NOEMA_HOME/checkpoints/${NOEMA_E2E_CHECKPOINT#0x}" \
    "$PYTHON" "$REQUANTISED" "${NOEMA_BENCH_ROUNDS:-5}" >"$WORK/chats.json"

python3 - "$WORK" "$JSON" <<'PYTHON'
import json, sys

work, as_json = sys.argv[1:]
figures = json.load(open(f"{work}/chats.json")) | json.load(open(f"{work}/chain.json"))
rounded = {name: value if isinstance(value, int) else float(f"{value:.4g}") for name, value in figures.items()}
if as_json == "true":
    print(json.dumps(rounded))
else:
    for name, value in rounded.items():
        print(f"{name:36} {value:>14}")
PYTHON
