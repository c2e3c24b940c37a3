#!/usr/bin/env bash
# Starts a local Noema chain with four trainers and two validators, trains a small model on a real text round
# after round, shows every contribution, its ruling and its payment, and asks the trained model. An epoch has
# 60 blocks: at its end, trainers that helped are paid, a dishonest trainer nothing.
#
#   ./scripts/dev.sh --train [OPTION...]
#
#   --rounds N          rounds to train (default: 4)
#   --with-poison       one of the trainers sends updates that make the model worse
#   --ask "TEXT"        the text that the trained model continues (default: "LOVE, n.")
#   --exit              leave after the answer; status 0 only if the loss fell and it was settled
#   --block-time MS     milliseconds between blocks (default: 1000)
#   --port PORT         the node's RPC port (default: 9944)
#   --fresh             delete the chain and the trained checkpoints
#   --help              this text
#
# The text is The Devil's Dictionary, from a package; the model has half a million weights and starts from
# random ones. State, logs and the plot of the loss are in .noema/train. Every trainer has its own home folder
# and fetches checkpoints and updates from the others over the network, as remote trainers would.
set -euo pipefail
. "$(dirname "$0")/common.sh"

ROUNDS=4
POISON=false
PROMPT="LOVE, n."
STAY=true
BLOCK_TIME=1000
PORT=9944
FRESH=false
STATE="${NOEMA_DEV_STATE:-$ROOT/.noema/train}"

while [ $# -gt 0 ]; do
    case "$1" in
        --ask | --block-time | --port | --rounds) [ $# -ge 2 ] || die "$1 needs a value; see $0 --help" ;;&
        --rounds) ROUNDS="$2"; shift ;;
        --ask) PROMPT="$2"; shift ;;
        --block-time) BLOCK_TIME="$2"; shift ;;
        --port) PORT="$2"; shift ;;
        --with-poison) POISON=true ;;
        --exit) STAY=false ;;
        --fresh) FRESH=true ;;
        --help | -h) print_usage "$0"; exit 0 ;;
        *) die "unknown option '$1'; see dev.sh --train --help" ;;
    esac
    shift
done
. "$ROOT/scripts/chain.sh"
check_numbers
[[ "$ROUNDS" =~ ^[1-9][0-9]{0,5}$ ]] || die "--rounds takes a number, at least 1"

export NOEMA_HOME="$STATE/home"
DATA="$STATE/dataset"
CHART="$STATE/loss.svg"
TRAINERS=(//Charlie //Dave //Eve //Ferdie)
VALIDATORS=(//Alice //Bob)
POISONER=//Ferdie
DISHONEST=noema-dishonest-trainer
GOVERNOR=//Alice
REQUESTER=//Charlie
BOND=120 # NOEMA
# The work of each trainer in a round.
STEPS=50

# make_model: a checkpoint with random weights and the dataset, once; sets CHECKPOINT to its id.
make_model() {
    local marker="$STATE/genesis"
    if [ ! -f "$marker" ]; then
        step "Making a model with random weights, and shards of the text"
        rm -rf "$DATA"
        "$WORKER" checkpoint new --text "$TEXT_FILE" --name devil --licence CC0-1.0 >"$marker.part"
        "$WORKER" dataset prepare "$TEXT_FILE" --checkpoint "$(cat "$marker.part")" --out "$DATA" \
            --licence "public domain" --source "The Devil's Dictionary, Ambrose Bierce, 1911" >&2
        mv "$marker.part" "$marker"
    fi
    CHECKPOINT="$(cat "$marker")"
}

register() {
    step "Registering the checkpoint, four trainers and two validators"
    local account
    "$WORKER" register checkpoint "$CHECKPOINT" --account "$GOVERNOR" >&2
    for account in "${TRAINERS[@]}"; do register_operator "$account" --role trainer; done
    # The first validator also answers.
    for account in "${VALIDATORS[@]}"; do
        register_operator "$account" --serve "$CHECKPOINT" --role validator \
            $([ "$account" != "$GOVERNOR" ] || echo --role worker)
    done
}

register_operator() {
    local account="$1"
    shift
    "$WORKER" register operator --account "$account" --key "$(hot_key "$account")" --bond "$BOND" "$@" >&2
}


start_operators() {
    step "Starting them"
    local account name trainer
    # They have the dataset, which the trainers fetch from them, and serve each new canonical checkpoint.
    launch validators "$WORKER" run --store "$STATE/operators/validators.redb" --dataset "$DATA" \
        --key "$(hot_key "${VALIDATORS[0]}")" --key "$(hot_key "${VALIDATORS[1]}")" --follow-canonical
    for account in "${TRAINERS[@]}"; do
        name="trainer-${account#//}"
        trainer=("$WORKER" run)
        if $POISON && [ "$account" = "$POISONER" ]; then
            trainer=("$BIN_DIR/$DISHONEST" run --behaviour flip)
        fi
        launch "$name" "${trainer[@]}" --home "$STATE/$name" --store "$STATE/operators/$name.redb" \
            --key "$(hot_key "$account")" --steps "$STEPS"
    done
}

# start_programme: opens the first round, unless the chain has one.
start_programme() {
    step "Opening the first round"
    "$WORKER" programme start "$CHECKPOINT" --dataset "$DATA" --account "$GOVERNOR" \
        --short-window 8 --training-window 600 --scoring-window 120 --entries 128 >&2 ||
        note "the family is trained already"
}

# serves ACCOUNT CHECKPOINT: whether the chain lists the operator for it.
serves() { "$WORKER" operator show "$1" | grep "$2" >/dev/null; }

# ask: asks the canonical checkpoint once both validators serve it.
ask() {
    step "Asking the trained model"
    local canonical _
    for _ in $(seq 60); do
        check_running
        canonical="$("$WORKER" programme canonical)"
        if serves "${VALIDATORS[0]}" "$canonical" && serves "${VALIDATORS[1]}" "$canonical"; then
            "$WORKER" ask --public "$PROMPT" --account "$REQUESTER" --checkpoint "$canonical" --max-tokens 48
            return
        fi
        sleep 1
    done
    die "a validator does not serve the canonical checkpoint after a minute; see $LOGS/validators.log"
}

claim_state
"$ROOT/scripts/setup.sh"
. "$NOEMA_CACHE/wasm.env"
if $POISON; then build -p "$DISHONEST"; else build; fi
if $FRESH; then
    step "Deleting the chain and the trained checkpoints"
    rm -rf "$STATE/chain" "$STATE/operators" "$STATE/home" "$STATE/genesis" "$STATE"/trainer-*
fi
rm -f "$LOGS"/*.log
make_model
start_node
register
start_operators
printf '%s\n' "${PIDS[*]}" >"$STATE/pids"
start_programme

step "Training $ROUNDS rounds"
status=0
"$WORKER" programme follow --rounds "$ROUNDS" --chart "$CHART" --require-lower-loss || status=$?
check_running
note "the loss over the rounds: $CHART"
ask || status=$?
$STAY || exit "$status"

step "The chain is up and continues training. Open it in polkadot.js Apps:"
note "https://polkadot.js.org/apps/?rpc=$URL"
note "logs: $LOGS"
note "see the rounds: $WORKER programme follow --url $URL"
note "Ctrl-C stops all programs"
while sleep 2; do check_running; done
