#!/usr/bin/env bash
# Starts a local Noema chain with workers and validators, asks a language model one question, shows the answer
# and all payments, starts a gateway with a page to chat on, and runs until Ctrl-C.
#
#   ./scripts/dev.sh [OPTION...]
#
#   --ask "QUESTION"    the question (default: the capital of France)
#   --exit              leave after the first answer; status 0 only if it was settled
#   --block-time MS     milliseconds between blocks (default: 1000)
#   --port PORT         the node's RPC port (default: 9944)
#   --page-port PORT    the port of the gateway and its page (default: the first free one from 8080 on)
#   --no-gateway        start no gateway
#   --fresh             delete the chain and start from its first block
#   --train             train a small model with four trainers instead; see dev-train.sh --help
#   --help              this text
#
# It starts a node, two workers, three validators and a gateway, all on this machine. Their state and logs are
# kept in .noema/dev, so the next start continues the same chain.
set -euo pipefail
. "$(dirname "$0")/common.sh"

if [[ " $* " == *" --train "* ]]; then
    args=()
    for arg in "$@"; do [ "$arg" = --train ] || args+=("$arg"); done
    exec "$ROOT/scripts/dev-train.sh" "${args[@]}"
fi

QUESTION="What is the capital of France?"
STAY=true
BLOCK_TIME=1000
PORT=9944
PAGE_PORT=
GATEWAY=true
FRESH=false
STATE="${NOEMA_DEV_STATE:-$ROOT/.noema/dev}"

while [ $# -gt 0 ]; do
    case "$1" in
        --ask | --block-time | --port | --page-port) [ $# -ge 2 ] || die "$1 needs a value; see $0 --help" ;;&
        --ask) QUESTION="$2"; shift ;;
        --block-time) BLOCK_TIME="$2"; shift ;;
        --port) PORT="$2"; shift ;;
        --page-port) PAGE_PORT="$2"; shift ;;
        --no-gateway) GATEWAY=false ;;
        --exit) STAY=false ;;
        --fresh) FRESH=true ;;
        --help | -h) print_usage "$0"; exit 0 ;;
        *) die "unknown option '$1'; see $0 --help" ;;
    esac
    shift
done
. "$ROOT/scripts/chain.sh"
check_numbers
[[ "$PAGE_PORT" =~ ^([1-9][0-9]{0,4})?$ && "$PAGE_PORT" -le 65535 ]] || die "--page-port takes a number from 1 to 65535"
[ -n "$QUESTION" ] || die "--ask needs a question that is not empty"

# Checkpoints are the same on every chain; the data of this chain is in STATE.
export NOEMA_HOME="$ROOT/.noema"

# The controllers hold bonds, the hot keys behind them own nothing. About one answer in ten is checked: the
# stake behind each is twenty times its price (docs/protocol.md).
WORKERS=(//Alice //Charlie)
read -ra VALIDATORS <<<"${NOEMA_DEV_VALIDATORS:-//Dave //Eve //Ferdie}"
PUBLISHER=//Alice
REQUESTER=//Bob
BOND=120 # NOEMA
PRICE_PER_TOKEN=0.001

# --- steps ---------------------------------------------------------------------------------------

# import_model: makes a checkpoint of the model, once, and sets CHECKPOINT to its id.
import_model() {
    local marker="$NOEMA_HOME/imported/$MODEL_SHA256"
    if [ -f "$marker" ] && CHECKPOINT="$(cat "$marker")" \
        && "$WORKER" checkpoint show "$CHECKPOINT" >/dev/null 2>&1; then
        return
    fi
    step "Importing $MODEL_NAME"
    mkdir -p "$(dirname "$marker")"
    "$WORKER" import "$MODEL_FILE" >"$marker.part"
    mv "$marker.part" "$marker"
    CHECKPOINT="$(cat "$marker")"
}

# register: registers the checkpoint and the operators on chain; existing records stay.
register() {
    step "Registering the checkpoint and the operators"
    local account
    "$WORKER" register checkpoint "$CHECKPOINT" --account "$PUBLISHER" >&2
    for account in "${WORKERS[@]}"; do
        register_operator worker "$account" --price-per-token "$PRICE_PER_TOKEN"
    done
    for account in "${VALIDATORS[@]}"; do register_operator validator "$account"; done
}

register_operator() {
    local role="$1" account="$2"
    shift 2
    "$WORKER" register operator --role "$role" --account "$account" --key "$(hot_key "$account")" \
        --bond "$BOND" --serve "$CHECKPOINT" "$@" >&2
}

start_operators() {
    step "Starting ${#WORKERS[@]} workers and ${#VALIDATORS[@]} validators"
    local account keys=()
    for account in "${WORKERS[@]}"; do
        start_operator "worker-${account#//}" --key "$(hot_key "$account")"
    done
    for account in "${VALIDATORS[@]}"; do keys+=(--key "$(hot_key "$account")"); done
    start_operator validators "${keys[@]}"
}

# start_operator NAME OPTION...; with NOEMA_DEV_METRICS each serves metrics, on consecutive ports from that
# one.
start_operator() {
    local name="$1" metrics=()
    shift
    [ -z "${NOEMA_DEV_METRICS:-}" ] \
        || metrics=(--metrics-addr "127.0.0.1:$((NOEMA_DEV_METRICS + ${#PIDS[@]} - 1))")
    launch "$name" "$WORKER" run --store "$STATE/operators/$name.redb" "${metrics[@]}" "$@"
}

ask() {
    step "Asking: $QUESTION"
    "$WORKER" ask --public --account "$REQUESTER" --max-tokens 96 -- "$QUESTION"
}

# start_gateway: starts a gateway that pays from the requester's account, and waits until it listens. Sets
# PAGE_PORT.
start_gateway() {
    step "Starting a gateway"
    local port _
    if [ -z "$PAGE_PORT" ]; then
        for port in $(seq 8080 8099); do
            if [ "$port" != "$PORT" ] && ! port_is_open "$port"; then
                PAGE_PORT="$port"
                break
            fi
        done
        [ -n "$PAGE_PORT" ] || die "all ports from 8080 to 8099 are in use; choose another with --page-port"
    elif port_is_open "$PAGE_PORT"; then
        die "port $PAGE_PORT is in use; choose another with --page-port, or stop the program that listens there"
    fi
    # The budget counts what all starts on this chain have spent.
    launch gateway "$WORKER" gateway --account "$REQUESTER" --checkpoint "$CHECKPOINT" \
        --listen "127.0.0.1:$PAGE_PORT" --budget 1000
    for _ in $(seq 600); do
        check_running
        port_is_open "$PAGE_PORT" && return
        sleep 0.1
    done
    die "the gateway does not listen on port $PAGE_PORT after a minute; see $LOGS/gateway.log"
}

# --- now -----------------------------------------------------------------------------------------

claim_state
"$ROOT/scripts/setup.sh"
. "$NOEMA_CACHE/wasm.env"
build
if $FRESH; then
    step "Deleting the chain"
    rm -rf "$STATE/chain" "$STATE/operators"
fi
rm -f "$LOGS"/*.log
import_model
start_node
register
start_operators
printf '%s\n' "${PIDS[*]}" >"$STATE/pids"

status=0
ask || status=$?
check_running
$STAY || exit "$status"

if $GATEWAY; then
    start_gateway
    printf '%s\n' "${PIDS[*]}" >"$STATE/pids"
    step "Chat with the model, and look at the chain:"
    note "http://127.0.0.1:$PAGE_PORT/"
    note "programs that speak OpenAI's API: OPENAI_BASE_URL=http://127.0.0.1:$PAGE_PORT/v1"
fi
step "The chain is up. Open it in polkadot.js Apps:"
note "https://polkadot.js.org/apps/?rpc=$URL"
note "logs: $LOGS"
note "ask again: NOEMA_HOME=$NOEMA_HOME $WORKER ask \"…\" --account $REQUESTER --url $URL"
note "Ctrl-C stops all programs"
while sleep 2; do check_running; done
