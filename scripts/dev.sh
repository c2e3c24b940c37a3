#!/usr/bin/env bash
# Starts a local Noema chain with workers and validators, asks a language model one question, shows
# the answer and what happened to the money, and stays up until Ctrl-C.
#
#   ./scripts/dev.sh [OPTION...]
#
#   --ask "QUESTION"    what to ask (default: the capital of France)
#   --exit              leave after the first answer; status 0 only if it was settled
#   --block-time MS     milliseconds between blocks (default: 1000)
#   --port PORT         the node's RPC port (default: 9944)
#   --fresh             forget the chain and start from its first block
#   --help              this text
#
# What it starts is a node, two workers and three validators, all on this machine. Their state is
# kept in .noema/dev, so the next start continues the same chain; their logs are there too.
set -euo pipefail
. "$(dirname "$0")/common.sh"

QUESTION="What is the capital of France?"
STAY=true
BLOCK_TIME=1000
PORT=9944
FRESH=false
STATE="${NOEMA_DEV_STATE:-$ROOT/.noema/dev}"

while [ $# -gt 0 ]; do
    case "$1" in
        --ask | --block-time | --port) [ $# -ge 2 ] || die "$1 needs a value; see $0 --help" ;;&
        --ask) QUESTION="$2"; shift ;;
        --block-time) BLOCK_TIME="$2"; shift ;;
        --port) PORT="$2"; shift ;;
        --exit) STAY=false ;;
        --fresh) FRESH=true ;;
        --help | -h) print_usage "$0"; exit 0 ;;
        *) die "unknown option '$1'; see $0 --help" ;;
    esac
    shift
done
[[ "$BLOCK_TIME" =~ ^[0-9]+$ && "$BLOCK_TIME" -ge 100 ]] || die "--block-time takes milliseconds, at least 100"
[[ "$PORT" =~ ^[0-9]+$ && "$PORT" -ge 1 && "$PORT" -le 65535 ]] || die "--port takes a number from 1 to 65535"
[ -n "$QUESTION" ] || die "--ask needs a question that is not empty"

LOGS="$STATE/logs"
URL="ws://127.0.0.1:$PORT"
NODE="$BIN_DIR/noema-node"
WORKER="$BIN_DIR/noema-worker"
# Checkpoints are the same on every chain; what belongs to this chain only is in STATE.
export NOEMA_HOME="$ROOT/.noema"
export NOEMA_URL="$URL"

# Who does what: the controllers hold bonds, the hot keys behind them own nothing. The bonds are small
# and the prices high, so that an answer of some length is checked every time (docs/protocol.md).
WORKERS=(//Alice //Charlie)
read -ra VALIDATORS <<<"${NOEMA_DEV_VALIDATORS:-//Dave //Eve //Ferdie}"
PUBLISHER=//Alice
REQUESTER=//Bob
BOND=120 # NOEMA
PRICE_PER_TOKEN=0.5
hot_key() { printf '%s//hot' "$1"; }

# --- what runs -----------------------------------------------------------------------------------

NAMES=() # of the programs started, in order
PIDS=()

# launch NAME COMMAND...: starts it in the background; its output goes to a log of that name.
launch() {
    local name="$1"
    shift
    "$@" >>"$LOGS/$name.log" 2>&1 &
    PIDS+=($!)
    NAMES+=("$name")
}

any_alive() {
    local pid
    for pid in "${PIDS[@]}"; do kill -0 "$pid" 2>/dev/null && return; done
    return 1
}

# Stops everything in the opposite order of its start: the node outlives those who talk to it.
stop_all() {
    local status=$? i
    trap - EXIT
    trap '' INT TERM HUP
    if [ ${#PIDS[@]} -gt 0 ]; then
        step "Stopping"
        for ((i = ${#PIDS[@]} - 1; i >= 0; i--)); do kill -TERM "${PIDS[i]}" 2>/dev/null || true; done
        for _ in $(seq 100); do
            any_alive || break
            sleep 0.1
        done
        kill -KILL "${PIDS[@]}" 2>/dev/null || true
        wait "${PIDS[@]}" 2>/dev/null || true
    fi
    exit "$status"
}
trap stop_all EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# check_running: dies with the last lines of its log if a program has ended.
check_running() {
    local i
    for i in "${!PIDS[@]}"; do
        kill -0 "${PIDS[i]}" 2>/dev/null && continue
        tail -n 15 "$LOGS/${NAMES[i]}.log" >&2
        die "${NAMES[i]} has stopped; the lines above are the end of $LOGS/${NAMES[i]}.log"
    done
}

port_is_open() { (exec 3<>"/dev/tcp/127.0.0.1/$PORT") 2>/dev/null; }

# --- steps ---------------------------------------------------------------------------------------

build() {
    step "Building the node and the worker (the first time takes a while)"
    (cd "$ROOT" && cargo build --locked -p noema-node -p noema-worker)
}

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

start_node() {
    step "Starting the chain: a block every $BLOCK_TIME ms"
    launch node "$NODE" --dev --base-path "$STATE/chain" --rpc-port "$PORT" --block-time "$BLOCK_TIME"
    local _
    for _ in $(seq 300); do
        port_is_open && return
        check_running
        sleep 0.1
    done
    die "the node does not listen on port $PORT after 30 seconds; see $LOGS/node.log"
}

# register: tells the chain of the checkpoint and the operators; what it knows already stays.
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

# start_operator NAME OPTION...; with NOEMA_DEV_METRICS each serves metrics from that port on.
start_operator() {
    local name="$1" metrics=()
    shift
    [ -z "${NOEMA_DEV_METRICS:-}" ] \
        || metrics=(--metrics-addr "127.0.0.1:$((NOEMA_DEV_METRICS + ${#PIDS[@]} - 1))")
    launch "$name" "$WORKER" run --store "$STATE/operators/$name.redb" "${metrics[@]}" "$@"
}

ask() {
    step "Asking: $QUESTION"
    "$WORKER" ask "$QUESTION" --account "$REQUESTER" --max-tokens 96
}

# --- now -----------------------------------------------------------------------------------------

# Whoever runs this twice at once gets told so by the lock, which the programs started here share.
mkdir -p "$LOGS"
exec 9>"$STATE/lock"
flock -n 9 || die "another dev.sh uses $STATE, or one was killed and left programs behind: $(cat "$STATE/pids" 2>/dev/null || true)"
! port_is_open || die "port $PORT is in use; choose another with --port, or stop what listens there"

"$ROOT/scripts/setup.sh"
. "$NOEMA_CACHE/wasm.env"
build
if $FRESH; then
    step "Forgetting the chain"
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

step "The chain is up. Open it in polkadot.js Apps:"
note "https://polkadot.js.org/apps/?rpc=$URL"
note "logs: $LOGS"
note "ask again: $WORKER ask \"…\" --account $REQUESTER --url $URL"
note "Ctrl-C stops everything"
while sleep 2; do check_running; done
