#!/usr/bin/env bash
# Tests that the float model, the basis of perplexity measurements and of training, agrees with llama.cpp: on
# the processor and on a graphics processor, or a software device where there is none. And that the integer model
# agrees with the float model.
#
#   ./scripts/agreement.sh [OPTION...] [MODEL...]
#
#   MODEL         smollm2, the real model (default), or a tiny model with random weights: of one architecture, such
#                 as qwen3, or all of them: all. scripts/models/architectures.py has their names
#   --tokens N    tokens of a text to read (default: 64)
#   --device KIND cpu or gpu: only the float model on that kind of device (default: both)
#   --json        one JSON object instead of a table
#   --help        this text
#
# All read the same weights as 32-bit floats. Status 0 only if no log-probability of any token of the vocabulary
# differs by more than is tolerated, if the loss of the integers is within 1 % of that of the floats, and if a file
# and a folder of a model give the same bits. llama.cpp comes from PyPI (xllamacpp); it and its copy of the real model,
# 540 MB, are kept in $NOEMA_CACHE. llama.cpp ignores the windows of Mistral and reads no windows in some layers: all
# tiny models are compared with their formula in NumPy, too. With NOEMA_PYTORCH, a Python with PyTorch and Transformers,
# also with Transformers.
#
# With NOEMA_BIN_DIR, the folder of programs that are compiled already, nothing is set up or compiled.
set -euo pipefail
. "$(dirname "$0")/common.sh"
. "$ROOT/scripts/peers/install.sh"
. "$ROOT/scripts/models/models.sh"

TOKENS=64
DEVICES=(cpu gpu)
JSON=false
NAMES=()
while [ $# -gt 0 ]; do
    case "$1" in
        --tokens) [ $# -ge 2 ] || die "--tokens needs a value; see $0 --help"; TOKENS="$2"; shift ;;
        --device) [ $# -ge 2 ] || die "--device needs a value; see $0 --help"; DEVICES=("$2"); shift ;;
        --json) JSON=true ;;
        --help | -h) print_usage "$0"; exit 0 ;;
        -*) die "unknown option '$1'; see $0 --help" ;;
        *) NAMES+=("$1") ;;
    esac
    shift
done
[[ "$TOKENS" =~ ^[1-9][0-9]{0,2}$ ]] || die "--tokens takes a number from 1 to 999"
[[ " cpu gpu " = *" ${DEVICES[0]} "* ]] || die "--device takes cpu or gpu"
[ ${#NAMES[@]} -gt 0 ] || NAMES=(smollm2)

WORK="$(mktemp -d)"
trap 'rm -rf "$WORK"' EXIT

if [ -z "${NOEMA_BIN_DIR:-}" ]; then
    # Installs a software graphics device where the machine has none.
    "$ROOT/scripts/setup.sh" --e2e
    step "Compiling"
    (cd "$ROOT" && cargo build --locked -p noema-model --example logits)
fi
install_peers
if [ "${NAMES[*]}" = smollm2 ]; then
    requantise F32
    SOURCES=("$MODEL_FILE")
    MODELS="$WORK/models.json"
    TEXT="$TEXT_FILE"
    cat >"$MODELS" <<END
[{"name": "smollm2", "sources": ["$MODEL_FILE"], "llama.cpp": "$REQUANTISED", "formula": null,
  "largest_difference": 0.05, "mean_divergence": 1e-6}]
END
else
    write_models "$WORK/models" "${NAMES[@]}"
    TEXT="$WORK/models/text.txt"
fi

# Without the directory Mesa prints a warning.
export XDG_RUNTIME_DIR="${XDG_RUNTIME_DIR:-$NOEMA_CACHE}"
RUNS="$(IFS=,; echo "${DEVICES[*]},integer")"
step "Reading $TOKENS tokens with ${#SOURCES[@]} files or folders (${RUNS//,/, })"
"${NOEMA_BIN_DIR:-$BIN_DIR}/examples/logits" "$RUNS" "$TEXT" "$TOKENS" "$WORK" "${SOURCES[@]}" >"$WORK/runs"
if [ -n "${NOEMA_PYTORCH:-}" ] && "$NOEMA_PYTORCH" -c 'import torch, transformers' 2>/dev/null; then
    step "Reading them with Transformers"
    "$NOEMA_PYTORCH" -W ignore "$ROOT/scripts/peers/huggingface.py" "$MODELS" "$WORK/runs" >&2
fi
step "Reading them with llama.cpp"
"$PYTHON" "$ROOT/scripts/peers/logits.py" "$MODELS" "$WORK/runs" "$JSON"
