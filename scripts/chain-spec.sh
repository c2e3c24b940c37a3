#!/usr/bin/env bash
# Writes the chain specs into chain-specs/, from the node's presets.
#
#   ./scripts/chain-spec.sh [--check]
#
#   --check  only compares the readable parts with the existing files; fails if they differ
#   --help   this text
#
# For each chain: NAME.genesis.json, which is kept in the repository, is the spec without the runtime's code,
# for readers and comparisons. NAME.json and NAME.raw.json are complete and stay out of the repository: they
# contain the Wasm, megabytes that change with every line of the runtime.
set -euo pipefail
. "$(dirname "$0")/common.sh"

CHECK=false
for argument in "$@"; do
    case "$argument" in
        --check) CHECK=true ;;
        --help | -h) print_usage "$0"; exit 0 ;;
        *) die "unknown option '$argument'; see $0 --help" ;;
    esac
done
NODE="$BIN_DIR/noema-node"
[ -x "$NODE" ] || die "$NODE is missing; build it with: cargo build -p noema-node"
SCRATCH="$(mktemp -d)"
trap 'rm -rf "$SCRATCH"' EXIT

# readable SPEC: the spec without its code.
readable() {
    python3 - "$1" <<'PYTHON'
import json, sys
spec = json.load(open(sys.argv[1]))
del spec["genesis"]["runtimeGenesis"]["code"]
print(json.dumps(spec, indent=2))
PYTHON
}

for pair in dev:development local:local; do
    name="${pair#*:}"
    "$NODE" export-chain-spec --chain "${pair%%:*}" --output "$SCRATCH/$name.json" >/dev/null
    readable "$SCRATCH/$name.json" > "$SCRATCH/$name.genesis.json"
    if $CHECK; then
        diff -u "$ROOT/chain-specs/$name.genesis.json" "$SCRATCH/$name.genesis.json" \
            || die "chain-specs/$name.genesis.json differs from the runtime's preset; run $0"
    else
        "$NODE" export-chain-spec --chain "${pair%%:*}" --raw --output "$SCRATCH/$name.raw.json" >/dev/null
        mv "$SCRATCH/$name".*json "$ROOT/chain-specs/"
        note "chain-specs/$name.genesis.json, $name.json, $name.raw.json"
    fi
done
