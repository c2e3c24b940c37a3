#!/usr/bin/env bash
# Measures Noema's performance on this machine, with the real model on a chain of its own.
#
#   ./scripts/bench.sh [--peers | --training | --sessions | --disputes | --architectures] [--json]
#
#   --peers  measures the executor and llama.cpp instead, without a chain: see bench-peers.sh
#   --training  measures rounds of training instead, without a chain: see bench-training.sh
#   --sessions  measures chats through a gateway and the cost of sessions instead: see bench-sessions.sh
#   --disputes  measures games over falsified steps instead, without a chain: see bench-disputes.sh
#   --architectures  measures every architecture beside llama.cpp instead, without a chain: see
#                    bench-architectures.sh, whose other options are taken, too
#   --json   one JSON object instead of a table
#   --help   this text
#
# Takes about a quarter of an hour. Run nothing else on the machine meanwhile: all programs share its cores.
# docs/benchmarks.md explains the figures.
set -euo pipefail
. "$(dirname "$0")/common.sh"

REST=()
for argument in "$@"; do
    [ "$argument" = --architectures ] || REST+=("$argument")
done
[ ${#REST[@]} -eq $# ] || exec "$ROOT/scripts/bench-architectures.sh" "${REST[@]}"

JSON=false
PEERS=false
TRAINING=false
SESSIONS=false
DISPUTES=false
for argument in "$@"; do
    case "$argument" in
        --peers) PEERS=true ;;
        --training) TRAINING=true ;;
        --sessions) SESSIONS=true ;;
        --disputes) DISPUTES=true ;;
        --json) JSON=true ;;
        --help | -h) print_usage "$0"; exit 0 ;;
        *) die "unknown option '$argument'; see $0 --help" ;;
    esac
done
if $PEERS; then
    $JSON && set -- --json || set --
    exec "$ROOT/scripts/bench-peers.sh" "$@"
fi

if $TRAINING; then
    $JSON && set -- --json || set --
    exec "$ROOT/scripts/bench-training.sh" "$@"
fi

if $SESSIONS; then
    $JSON && set -- --json || set --
    exec "$ROOT/scripts/bench-sessions.sh" "$@"
fi

if $DISPUTES; then
    $JSON && set -- --json || set --
    exec "$ROOT/scripts/bench-disputes.sh" "$@"
fi

PORT=9955
METRICS_PORT=9956
TOKENS=64
BURST=1000
QUESTION="Write a long story about a sailor and the sea."
WORKER="$BIN_DIR/noema-worker"
WORK="$(mktemp -d)"
CHAIN_PID=
trap '[ -z "$CHAIN_PID" ] || { kill -TERM "$CHAIN_PID" 2>/dev/null; wait "$CHAIN_PID" || true; }; rm -rf "$WORK"' EXIT
# The folder of the chain's state. One validator: several would share the cores on which the check is timed.
export NOEMA_DEV_STATE="$WORK/dev" NOEMA_DEV_VALIDATORS=//Dave
export NOEMA_HOME="$ROOT/.noema"

"$ROOT/scripts/setup.sh" --e2e

# The first answer of the chain warms the caches up; it is not measured.
step "Starting a chain"
mkdir -p "$WORK/dev"
NOEMA_DEV_METRICS="$METRICS_PORT" "$ROOT/scripts/dev.sh" --no-gateway --port "$PORT" >"$WORK/dev.log" 2>&1 &
CHAIN_PID=$!
while ! grep -q 'The chain is up' "$WORK/dev.log"; do
    kill -0 "$CHAIN_PID" 2>/dev/null || { tail -n 20 "$WORK/dev.log" >&2; die "the chain did not start"; }
    sleep 1
done

# --- answers ---------------------------------------------------------------------------------------

# metric NAME: the sum of a metric over the two workers and the validator.
metric() {
    local port sum
    for port in $(seq "$METRICS_PORT" $((METRICS_PORT + 2))); do
        python3 -c 'import sys, urllib.request; sys.stdout.write(urllib.request.urlopen(sys.argv[1]).read().decode())' \
            "http://127.0.0.1:$port/metrics"
    done | awk -v name="$1" 'index($0, name) == 1 { sum += $NF } END { printf "%.6f\n", sum }'
}

# set_check_rate MILLIONTHS: sets the least part of later answers that are checked.
set_check_rate() { node "$ROOT/tests/e2e/rules.js" "$PORT" "{\"claims\": {\"minCheckRate\": $1}}"; }

step "Asking three times for $TOKENS tokens, every answer to be checked"
set_check_rate 1000000
tokens_before="$(metric noema_worker_tokens_total)"
answer_before="$(metric 'noema_worker_execution_seconds_sum{kind="Answer"}')"
checks_before="$(metric 'noema_worker_execution_seconds_count{kind="Check"}')"
check_before="$(metric 'noema_worker_execution_seconds_sum{kind="Check"}')"
for i in 1 2 3; do
    "$WORKER" ask --public "$QUESTION" --url "ws://127.0.0.1:$PORT" --account //Bob --max-tokens "$TOKENS" --json \
        >"$WORK/ask$i.json"
done
tokens=$(awk "BEGIN { print $(metric noema_worker_tokens_total) - $tokens_before }")
answer_seconds=$(awk "BEGIN { print $(metric 'noema_worker_execution_seconds_sum{kind="Answer"}') - $answer_before }")
checks=$(awk "BEGIN { print $(metric 'noema_worker_execution_seconds_count{kind="Check"}') - $checks_before }")
check_seconds=$(awk "BEGIN { print $(metric 'noema_worker_execution_seconds_sum{kind="Check"}') - $check_before }")

step "Reading the cost of a request for the chain"
request="$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["request"])' "$WORK/ask3.json")"
node "$ROOT/tests/e2e/measure.js" "$PORT" "$request" >"$WORK/chain.json"

# rss_mib PID: the resident memory of a process.
rss_mib() { awk '/^VmRSS:/ { printf "%.0f", $2 / 1024 }' "/proc/$1/status"; }
read -r node_pid worker_pid _ <"$NOEMA_DEV_STATE/pids"
rss_node="$(rss_mib "$node_pid")"
rss_worker="$(rss_mib "$worker_pid")"

# The genesis value.
set_check_rate 50000
step "Asking a thousand times at once, and filling blocks"
node "$ROOT/tests/e2e/measure-load.js" "$PORT" "$BURST" >"$WORK/load.json"

step "Stopping the chain"
kill -TERM "$CHAIN_PID"
wait "$CHAIN_PID" || true
CHAIN_PID=

# --- the model -------------------------------------------------------------------------------------

step "Measuring perplexity on 4,096 tokens of prose, in integers and in floating point"
"$WORKER" perplexity "$MODEL_FILE" --text "$TEXT_FILE" --tokens 4096 --json >"$WORK/perplexity.json"

python3 - "$WORK" "$JSON" "$tokens" "$answer_seconds" "$checks" "$check_seconds" "$rss_node" "$rss_worker" <<'PYTHON'
import json, statistics, sys

work, as_json, tokens, answer_s, checks, check_s, rss_node, rss_worker = sys.argv[1:]
tokens, answer_s, checks, check_s = map(float, (tokens, answer_s, checks, check_s))
asked = [json.load(open(f"{work}/ask{i}.json")) for i in (1, 2, 3)]
assert all(ask["settled"] for ask in asked), "an answer was not settled"
perplexity = json.load(open(f"{work}/perplexity.json"))
answers = len(asked)
figures = {
    "perplexity_ratio": (perplexity["ratio"], 4, "perplexity of the integers over that of f32"),
    "perplexity_ratio_se": (perplexity["ratio_se"], 4, "its standard error"),
    "decode_tokens_per_s": (tokens / answer_s, 1, "tokens a worker generates in a second"),
    "answer_s": (statistics.median(a["answer_s"] for a in asked), 2, "from question to answer, 64 tokens"),
    "settled_s": (statistics.median(a["settled_s"] for a in asked), 2, "from question to settlement"),
    "check_over_answer": ((check_s / checks) / (answer_s / answers), 3, "time of a check over that of its answer"),
}
figures |= {name: (value, 3, "") for name, value in json.load(open(f"{work}/chain.json")).items()}
load = json.load(open(f"{work}/load.json"))
figures |= {
    "requests_burst": (load["requests_burst"], 0, "public requests of 8 tokens, sent at once to two workers"),
    "burst_settled": (load["burst_settled"], 0, "of these, answered and paid for"),
    "burst_refunded": (load["burst_refunded"], 0, "of these, refunded"),
    "burst_slashed": (load["burst_slashed"], 0, "losses of bond meanwhile"),
    "ref_time_ms_per_request_in_burst": (
        load["ref_time_ms_per_request_in_burst"], 3, "average reference time of one, checked or not"),
    "proof_kib_per_request_in_burst": (
        load["proof_kib_per_request_in_burst"], 3, "average size of the proof of one"),
    "settled_per_s": (load["settled_per_s"], 2, "of these, per second, from sending them to the last"),
    "duty_inclusion_under_load": (
        load["duty_inclusion_under_load"], 3, "part of the duties included while the highest tips fill blocks"),
}
figures |= {
    "rss_node_mib": (float(rss_node), 0, "resident memory of the node"),
    "rss_worker_mib": (float(rss_worker), 0, "resident memory of a worker, mapped weights included"),
}
rounded = {name: round(value, digits) if digits else int(value) for name, (value, digits, _) in figures.items()}
if as_json == "true":
    print(json.dumps(rounded))
else:
    for name, value in rounded.items():
        print(f"{name:26} {value:>12}   {figures[name][2]}")
PYTHON
