#!/usr/bin/env bash
# Builds the runtime again, with one of its features, where its sources changed. Prints the path of the blob.
#
#   ./scripts/build-runtime.sh FEATURE
#
# Features:
#
#   next-version         a higher version: the target of the end-to-end tests' upgrades
#   runtime-benchmarks   with benchmarks, which scripts/weights.sh runs
#   --help               this text
#
# Runs the runtime's own build script, as cargo would with that feature, in a separate folder that shares the
# compiled dependencies. So no native code is compiled again, and the node's runtime stays unchanged. The node
# has to be built before.
set -euo pipefail
. "$(dirname "$0")/common.sh"

case "${1:-}" in
    next-version | runtime-benchmarks) FEATURE="$1" ;;
    --help | -h) print_usage "$0"; exit 0 ;;
    *) die "unknown feature '${1:-}'; see $0 --help" ;;
esac

CURRENT="$TARGET_DIR/debug/wbuild/noema-runtime"
# `release` in the folder's name makes the build script compact and compress the blob.
BUILD="$TARGET_DIR/runtime-with-$FEATURE/release"
PROJECT="$BUILD/wbuild/noema-runtime"
BLOB="$PROJECT/noema_runtime.compact.compressed.wasm"
OUT="$BUILD/build/noema-runtime/out"

[ -f "$CURRENT/noema_runtime.wasm" ] || die "the runtime is not built; run: cargo build -p noema-node"
step "Building the runtime with $FEATURE"
# The newest of those that cargo kept.
script="$(ls -t "$TARGET_DIR"/debug/build/noema-runtime-*/build-script-build | head -n 1)"
variable="CARGO_FEATURE_$(tr 'a-z-' 'A-Z_' <<<"$FEATURE")"
mkdir -p "$OUT" "$PROJECT"
ln -sfn "$CURRENT/target" "$PROJECT/target"
cp "$CURRENT/Cargo.lock" "$PROJECT/Cargo.lock"
(
    cd "$ROOT/runtime"
    unset RUSTFLAGS CARGO_ENCODED_RUSTFLAGS
    env OUT_DIR="$OUT" CARGO="$(rustup which cargo)" CARGO_MANIFEST_DIR="$ROOT/runtime" \
        CARGO_PKG_NAME=noema-runtime "$variable=1" \
        "$script" > "$PROJECT/log" 2>&1
) || { tail -n 30 "$PROJECT/log" >&2; die "the runtime could not be built; see $PROJECT/log"; }
echo "$BLOB"
