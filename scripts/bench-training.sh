#!/usr/bin/env bash
# Measures rounds of training on this machine: the fall of the loss with 1, 2 and 4 trainers, the cost of
# compression, that a dishonest trainer changes nothing, the speed of a step compared with PyTorch, and the
# work of validators and the chain.
#
#   ./scripts/bench.sh --training [--json]
#   ./scripts/bench-training.sh [--rounds N] [--steps N] [--smollm2] [--json]
#
#   --rounds N  rounds of each run (default: 6)
#   --steps N   steps of a trainer in a round (default: 10)
#   --smollm2   also fine-tunes the last layer of SmolLM2-135M-Instruct with four trainers, for a round
#   --json      one JSON object instead of tables
#   --help      this text
#
# A model with random weights learns The Devil's Dictionary. All runs see the same shards in the same order
# and are evaluated on the same text that no trainer sees. The single machine makes as many steps in sequence
# as the four trainers make in parallel. Takes ten minutes on two cores once everything is built, also with
# --smollm2. Run nothing else on the machine meanwhile. docs/benchmarks.md explains the figures.
set -euo pipefail
. "$(dirname "$0")/common.sh"
. "$ROOT/scripts/peers/pytorch.sh"

ROUNDS=6
STEPS=10
ENTRIES=128
SMOLLM2=false
JSON=false
while [ $# -gt 0 ]; do
    case "$1" in
        --rounds | --steps) [ $# -ge 2 ] || die "$1 needs a value; see $0 --help" ;;&
        --rounds) ROUNDS="$2"; shift ;;
        --steps) STEPS="$2"; shift ;;
        --smollm2) SMOLLM2=true ;;
        --json) JSON=true ;;
        --help | -h) print_usage "$0"; exit 0 ;;
        *) die "unknown option '$1'; see $0 --help" ;;
    esac
    shift
done

WORKER="$BIN_DIR/noema-worker"
DISHONEST="$BIN_DIR/noema-dishonest-trainer"
WORK="$(mktemp -d)"
trap 'rm -rf "$WORK"' EXIT
export NOEMA_HOME="$WORK/home"

"$ROOT/scripts/setup.sh" --e2e
. "$NOEMA_CACHE/wasm.env"
step "Building the node, the worker and the dishonest trainer"
(cd "$ROOT" && cargo build --locked -p noema-node -p noema-worker -p noema-dishonest-trainer \
    && cargo build --locked -p noema-worker --example judge)
find_pytorch

step "Making a model with random weights, and shards of the text"
model="$("$WORKER" checkpoint new --text "$TEXT_FILE" --name devil --layers 2)"
# prepare NAME SEQUENCES OPTION...: the text in shards of SEQUENCES sequences of 128 tokens.
prepare() {
    local name="$1" sequences="$2"
    shift 2
    "$WORKER" dataset prepare "$TEXT_FILE" --sequence-length 128 --shard-sequences "$sequences" \
        --out "$WORK/$name" --licence "public domain" "$@" >&2
}
prepare data 32 --checkpoint "$model"

# --- a step in PyTorch ---------------------------------------------------------------------------

# Shards of as many sequences as a step has, so that every step uses all of them.
prepare eight 8 --checkpoint "$model"
for threads in 1 2; do
    [ "$threads" -le "$(nproc)" ] || continue
    step "Training on $threads thread(s), alternately with PyTorch, three times"
    for turn in 1 2 3; do
        run="$WORK/threads.$threads.$turn"
        RAYON_NUM_THREADS="$threads" "$WORKER" train --checkpoint "$model" --dataset "$WORK/eight" --rounds 1 \
            --steps 40 --batch 8 --evaluation-shards 1 --dense --device cpu --json >"$run.noema"
        [ -z "$PYTORCH" ] || OMP_NUM_THREADS="$threads" OPENBLAS_NUM_THREADS="$threads" "$PYTORCH" \
            "$ROOT/scripts/peers/pytorch.py" "$NOEMA_HOME/checkpoints/${model#0x}" "$WORK/eight" "$run.noema" \
            "$threads" >"$run.pytorch"
    done
done

# --- rounds ----------------------------------------------------------------------------------------

# run NAME OPTION...: one run of all rounds.
run() {
    local name="$1"
    shift
    step "$ROUNDS rounds: $name"
    "$WORKER" train --checkpoint "$model" --dataset "$WORK/data" --rounds "$ROUNDS" --device cpu --json "$@" \
        >"$WORK/$name.json"
}

# run_with BEHAVIOUR NAME: the same with four trainers, of which the last behaves in this way.
run_with() {
    step "$ROUNDS rounds: $2"
    "$DISHONEST" rounds --behaviour "$1" --checkpoint "$NOEMA_HOME/checkpoints/${model#0x}" \
        --dataset "$WORK/data" --rounds "$ROUNDS" --steps "$STEPS" --entries "$ENTRIES" --trainers 4 \
        >"$WORK/$2.json"
}

run one --steps "$STEPS" --entries "$ENTRIES" --trainers 1 --judge
run two --steps "$STEPS" --entries "$ENTRIES" --trainers 2 --judge
run four --steps "$STEPS" --entries "$ENTRIES" --trainers 4 --judge
run two-64 --steps "$STEPS" --entries 64 --trainers 2 --judge
run two-dense --steps "$STEPS" --trainers 2 --dense
run_with flip poisoned
run_with silent without-poisoner
run single-machine --steps $((4 * STEPS)) --trainers 1 --shards 4 --dense

# --- validators and the chain ----------------------------------------------------------------------

# judge CHECKPOINT DATASET: measures scoring a contribution, and aggregating four.
judge() {
    "$BIN_DIR/examples/judge" "$NOEMA_HOME/checkpoints/${1#0x}" "$WORK/$2" 4 "$ENTRIES" >"$WORK/judge-$2.json"
}

step "Scoring a contribution, and aggregating four"
judge "$model" data
step "Running a round on a chain"
NOEMA_BIN_DIR="$BIN_DIR" node "$ROOT/tests/e2e/measure-round.js" >"$WORK/chain.json"

# --- SmolLM2 ---------------------------------------------------------------------------------------

if $SMOLLM2; then
    step "Importing SmolLM2-135M-Instruct"
    large="$("$WORKER" import "$MODEL_FILE")"
    prepare large 4 --checkpoint "$large"
    step "Fine-tuning its last layer: four trainers, one round"
    "$WORKER" train --checkpoint "$large" --dataset "$WORK/large" --rounds 1 --steps 4 --batch 4 \
        --learning-rate 3e-4 --warmup 2 --tensor 'layers.29.*' --tensor final_norm --entries "$ENTRIES" \
        --trainers 4 --judge --device cpu --json >"$WORK/smollm2.json"
    step "Scoring a contribution to it, and aggregating four"
    judge "$large" large
fi

python3 "$ROOT/scripts/bench-training.py" "$WORK" "$JSON" "$PYTORCH_MISSING"
