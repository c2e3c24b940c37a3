#!/usr/bin/env bash
# Measures the processor's executor beside llama.cpp: the same model, the same threads, in turn.
#
#   ./scripts/bench-peers.sh [--json]      (or: ./scripts/bench.sh --peers [--json])
#
#   --json   one JSON object instead of a table
#   --help   this text
#
# llama.cpp comes from the PyPI wheel xllamacpp, which is compiled for AVX2, and reads the model
# requantised to Q8_0: int8 in blocks of 32, like Noema's weights. Everything is kept in
# $NOEMA_CACHE. Takes some minutes. Leave the machine alone meanwhile.
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

ROUNDS=5
PEERS="$NOEMA_CACHE/peers"
PYTHON="$PEERS/bin/python"
Q8_FILE="$NOEMA_CACHE/model/SmolLM2-135M-Instruct.Q8_0.gguf"
WORK="$(mktemp -d)"
trap 'rm -rf "$WORK"' EXIT
export NOEMA_HOME="${NOEMA_HOME:-$ROOT/.noema}"

"$ROOT/scripts/setup.sh"

# install_peers: llama.cpp and the tools that requantise, in an environment of their own.
install_peers() {
    cat >"$WORK/requirements.txt" <<'REQUIREMENTS'
xllamacpp==2026.10.11549 --hash=sha256:c54e7d13520ecc989c63dc99d55de3065e2f343a91f43f053d16b5e62077c261
gguf==0.19.0 --hash=sha256:70bcd10edfe697fb2dad6e40af2234b9d8ece9a41a99761405121ebda1c3c1cd
REQUIREMENTS
    cmp -s "$WORK/requirements.txt" "$PEERS/installed.txt" && return
    step "Installing llama.cpp from PyPI (xllamacpp, 34 MB) into $PEERS"
    python3 -m venv "$PEERS" \
        || die "python3 cannot make a virtual environment; on Debian and Ubuntu install python3-venv"
    # The two that are named have the hashes above; what gguf needs besides comes as it is.
    "$PYTHON" -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes \
        --requirement "$WORK/requirements.txt"
    "$PYTHON" -m pip install --quiet --disable-pip-version-check numpy pyyaml requests tqdm
    cp "$WORK/requirements.txt" "$PEERS/installed.txt"
}

step "Compiling"
(cd "$ROOT" && cargo build --locked -p noema-worker && cargo build --locked -p noema-executor --example measure)
install_peers
if [ ! -f "$Q8_FILE" ]; then
    step "Requantising the model to Q8_0 for llama.cpp"
    "$PYTHON" "$ROOT/scripts/peers/requantise.py" "$MODEL_FILE" "$Q8_FILE"
fi
step "Importing the model"
"$BIN_DIR/noema-worker" import "$MODEL_FILE" >"$WORK/checkpoint"
CHECKPOINT="$NOEMA_HOME/checkpoints/$(sed 's/^0x//' "$WORK/checkpoint")"

for threads in 1 2; do
    [ "$threads" -le "$(nproc)" ] || continue
    step "Measuring on $threads thread(s), $ROUNDS times each in turn"
    for round in $(seq "$ROUNDS"); do
        "$BIN_DIR/examples/measure" "$CHECKPOINT" "$threads" 1 >>"$WORK/noema.$threads"
        "$PYTHON" "$ROOT/scripts/peers/llamacpp.py" "$Q8_FILE" "$threads" 1 >>"$WORK/llamacpp.$threads"
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
    ours, theirs = medians("noema", threads), medians("llamacpp", threads)
    for what in ("decode", "prefill"):
        mine, peer = (who[f"{what}_tokens_per_s"] for who in (ours, theirs))
        figures[f"{what}_vs_llamacpp_{threads}"] = (mine / peer, 2, f"{mine:.1f} over {peer:.1f} tokens/s")
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
