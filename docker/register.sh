#!/bin/sh
# Makes a checkpoint of the model, and registers it on a development chain with a worker (//Alice) and a validator
# (//Dave). NOEMA_URL names the node, NOEMA_HOME the folder of the checkpoint. Safe to run again.
set -eu
MODEL=/model/SmolLM2-135M-Instruct.Q4_1.gguf
MARKER="$NOEMA_HOME/imported"
BOND=120

if ! { [ -f "$MARKER" ] && noema-worker checkpoint show "$(cat "$MARKER")" >/dev/null 2>&1; }; then
    noema-worker import "$MODEL" >"$MARKER.part"
    mv "$MARKER.part" "$MARKER"
fi
checkpoint="$(cat "$MARKER")"
noema-worker register checkpoint "$checkpoint" --account //Alice
noema-worker register operator --role worker --account //Alice --key //Alice//hot \
    --bond "$BOND" --serve "$checkpoint"
noema-worker register operator --role validator --account //Dave --key //Dave//hot \
    --bond "$BOND" --serve "$checkpoint"
