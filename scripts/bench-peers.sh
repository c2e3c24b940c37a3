#!/usr/bin/env bash
# Measures the processor's executor and llama.cpp: the same model, the same threads, alternately.
#
#   ./scripts/bench-peers.sh [--json]      (or: ./scripts/bench.sh --peers [--json])
#
#   --json   one JSON object instead of a table
#   --help   this text
#
# llama.cpp comes from the PyPI wheel xllamacpp, which is compiled for AVX2, and, where clang is
# installed, from the sources of the same release, compiled for this machine: the faster of the two is the peer of
# each figure. It reads the model requantised to Q8_0: int8 in blocks of 32, like Noema's weights. All files are
# kept in $NOEMA_CACHE. Takes some minutes, and ten more to compile llama.cpp the first time. Run nothing else on
# the machine meanwhile.
set -euo pipefail
. "$(dirname "$0")/common.sh"
. "$ROOT/scripts/peers/install.sh"
. "$ROOT/scripts/peers/native.sh"

JSON=false
for argument in "$@"; do
    case "$argument" in
        --json) JSON=true ;;
        --help | -h) print_usage "$0"; exit 0 ;;
        *) die "unknown option '$argument'; see $0 --help" ;;
    esac
done

ROUNDS=5
WORK="$(mktemp -d)"
trap 'rm -rf "$WORK"' EXIT
export NOEMA_HOME="${NOEMA_HOME:-$ROOT/.noema}"

"$ROOT/scripts/setup.sh"

step "Compiling"
(cd "$ROOT" && cargo build --locked -p noema-worker && cargo build --locked -p noema-executor --example measure)
install_peers
install_native "$WORK/llama.cpp"
requantise Q8_0
step "Importing the model"
"$BIN_DIR/noema-worker" import "$MODEL_FILE" >"$WORK/checkpoint"
CHECKPOINT="$NOEMA_HOME/checkpoints/$(sed 's/^0x//' "$WORK/checkpoint")"

for threads in 1 2; do
    [ "$threads" -le "$(nproc)" ] || continue
    step "Measuring on $threads thread(s), $ROUNDS times each, alternately"
    for round in $(seq "$ROUNDS"); do
        "$BIN_DIR/examples/measure" "$CHECKPOINT" "$threads" 1 >>"$WORK/noema.$threads"
        "$PYTHON" "$ROOT/scripts/peers/llamacpp.py" "$REQUANTISED" "$threads" 1 >>"$WORK/wheel.$threads"
        [ -z "$LLAMA_BENCH" ] \
            || "$PYTHON" "$ROOT/scripts/peers/native.py" "$LLAMA_BENCH" "$REQUANTISED" "$threads" >>"$WORK/native.$threads"
    done
done

"$PYTHON" - "$WORK" "$JSON" <<'PYTHON'
import json, os, statistics, sys

work, as_json = sys.argv[1:]


def medians(who, threads):
    with open(f"{work}/{who}.{threads}") as file:
        rounds = [json.loads(line) for line in file]
    return {name: statistics.median(r[name] for r in rounds) for name in rounds[0]}


figures = {}
for threads in (1, 2):
    if not os.path.exists(f"{work}/noema.{threads}"):
        continue
    ours, theirs = medians("noema", threads), medians("wheel", threads)
    builds = {"wheel": theirs}
    if os.path.exists(f"{work}/native.{threads}"):
        builds["compiled for this machine"] = medians("native", threads)
    for what in ("decode", "prefill"):
        name = f"{what}_tokens_per_s"
        build = max(builds, key=lambda build: builds[build][name])
        mine, peer = ours[name], builds[build][name]
        figures[f"{what}_vs_llamacpp_{threads}"] = (mine / peer, 2, f"{mine:.1f} over {peer:.1f} tokens/s ({build})")
    seconds = f"{ours['check_s']:.3f} over {ours['answer_s']:.3f} s, 32 + 128 tokens"
    figures[f"check_over_answer_cpu_{threads}"] = (ours["check_over_answer"], 3, seconds)
    if "batch8_speedup" in ours:
        figures[f"batch8_speedup_{threads}"] = (ours["batch8_speedup"], 2, "eight answers at once over one")
    mine, peer = ours["peak_rss_mib"], theirs["peak_rss_mib"]
    figures[f"memory_vs_llamacpp_{threads}"] = (mine / peer, 2, f"{mine:.0f} over {peer:.0f} MiB at their peak")
if as_json == "true":
    print(json.dumps({name: round(value, digits) for name, (value, digits, _) in figures.items()}))
else:
    for name, (value, digits, meaning) in figures.items():
        print(f"{name:28} {value:>8.{digits}f}   {meaning}")
PYTHON
