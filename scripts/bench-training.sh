#!/usr/bin/env bash
# Measures rounds of training on this machine: how the loss falls with 1, 2 and 4 trainers, what
# compression costs, and that a dishonest trainer changes nothing.
#
#   ./scripts/bench.sh --training [--json]
#
#   --rounds N  rounds of each run (default: 12)
#   --steps N   steps of a trainer in a round (default: 10)
#   --json      one JSON object instead of tables
#   --help      this text
#
# A model of half a million weights learns The Devil's Dictionary from nothing. All runs see the same shards
# in the same order and are evaluated on the same text that nobody trains on. The single machine makes as
# many steps in a row as the four trainers make side by side. Takes some minutes.
set -euo pipefail
. "$(dirname "$0")/common.sh"

ROUNDS=12
STEPS=10
JSON=false
while [ $# -gt 0 ]; do
    case "$1" in
        --rounds | --steps) [ $# -ge 2 ] || die "$1 needs a value; see $0 --help" ;;&
        --rounds) ROUNDS="$2"; shift ;;
        --steps) STEPS="$2"; shift ;;
        --json) JSON=true ;;
        --help | -h) print_usage "$0"; exit 0 ;;
        *) die "unknown option '$1'; see $0 --help" ;;
    esac
    shift
done

WORKER="$BIN_DIR/noema-worker"
WORK="$(mktemp -d)"
trap 'rm -rf "$WORK"' EXIT
export NOEMA_HOME="$WORK/home"

"$ROOT/scripts/setup.sh"
. "$NOEMA_CACHE/wasm.env"
step "Building the worker"
(cd "$ROOT" && cargo build --locked -p noema-node -p noema-worker)

step "Making a model with random weights, and shards of the text"
model="$("$WORKER" checkpoint new --text "$TEXT_FILE" --name devil)"
"$WORKER" dataset prepare "$TEXT_FILE" --checkpoint "$model" --out "$WORK/data" --licence "public domain" >&2

# run NAME STEPS OPTION...: one run of all rounds.
run() {
    local name="$1" steps="$2"
    shift 2
    step "$name"
    "$WORKER" train --checkpoint "$model" --dataset "$WORK/data" --rounds "$ROUNDS" --steps "$steps" \
        --entries 128 --device cpu --json "$@" >"$WORK/$name.json"
}

run one "$STEPS" --trainers 1 --judge
run two "$STEPS" --trainers 2 --judge
run four "$STEPS" --trainers 4 --judge
run four-dense "$STEPS" --trainers 4 --dense
run poisoned "$STEPS" --trainers 4 --judge --sabotage flip
run three "$STEPS" --trainers 3 --judge
run single-machine $((4 * STEPS)) --trainers 1 --shards 4 --dense

python3 - "$WORK" "$JSON" <<'PY'
import json, os, sys

folder, as_json = sys.argv[1], sys.argv[2] == "true"
names = ["one", "two", "four", "four-dense", "poisoned", "three", "single-machine"]
runs = {name: json.load(open(os.path.join(folder, name + ".json")))["report"] for name in names}
losses = {name: [round(r["loss"], 4) for r in run["rounds"]] for name, run in runs.items()}
start = runs["four"]["loss_at_start"]
last = {name: loss[-1] for name, loss in losses.items()}
rounds = runs["four"]["rounds"]
mean = lambda values: sum(values) / max(len(values), 1)
contributions = [c for r in rounds for c in r["contributions"]]
figures = {
    "loss_at_start": round(start, 4),
    "loss_by_round": losses,
    "loss_vs_dense": round(last["four"] / last["four-dense"], 4),
    "loss_vs_single_machine": round(last["four"] / last["single-machine"], 4),
    "update_compression": round(runs["four"]["compression"], 1),
    "poisoned_over_clean_loss": round(last["poisoned"] / last["three"], 4),
    "bytes_per_contribution": round(mean([c["bytes"] for c in contributions])),
    "seconds_per_contribution_trained": round(mean([r["training_seconds"] for r in rounds]) / 4, 3),
    "seconds_per_contribution_judged": round(mean([r["judging_seconds"] for r in rounds]) / 4, 3),
    "seconds_per_aggregation": round(mean([r["aggregation_seconds"] for r in rounds]), 4),
    "poison_accepted": sum(r["contributions"][-1]["weight"] > 0 for r in runs["poisoned"]["rounds"]),
}
if as_json:
    print(json.dumps(figures))
    sys.exit()
print(f"loss in bits a token, from {start:.3f}")
print("round " + " ".join(f"{name:>14}" for name in names))
for i in range(len(rounds)):
    print(f"{i + 1:>5} " + " ".join(f"{losses[name][i]:>14.3f}" for name in names))
for name, value in figures.items():
    if name != "loss_by_round":
        print(f"{name:<34} {value}")
PY
