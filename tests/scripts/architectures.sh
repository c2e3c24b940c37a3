#!/usr/bin/env bash
# Tests every architecture on tiny random models: the float model agrees with llama.cpp and with the formula, the
# integer model with the float model, every executor with every other, and a GGUF file with a folder. Takes a minute.
#
#   NOEMA_BIN_DIR=<folder of compiled programs> ./tests/scripts/architectures.sh
set -euo pipefail
ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"
: "${NOEMA_BIN_DIR:?names the folder of compiled programs}"
PASSED=0
FAILED=0

# holds NAME SCRIPT OPTION...: the script succeeds, on all models and in five minutes.
holds() {
    local name="$1" status=0
    shift
    timeout 300 "$ROOT/scripts/$1" all "${@:2}" || status=$?
    if [ "$status" -eq 0 ]; then
        PASSED=$((PASSED + 1))
    else
        FAILED=$((FAILED + 1))
        printf '  ✖ %s\n    %s ended with status %d\n' "$name" "$*" "$status"
    fi
}

# Other tests run the float model on graphics processors.
holds "models agree with llama.cpp and with their formula" agreement.sh --device cpu
holds "executors return the same bits" equality.sh

printf '%d passed, %d failed\n' "$PASSED" "$FAILED"
[ "$FAILED" -eq 0 ]
