#!/usr/bin/env bash
# Builds the runtime once more with a higher version: what the end-to-end tests upgrade a chain to.
# Prints the path of the blob. Does nothing where it is newer than the runtime's.
#
#   ./scripts/build-next-runtime.sh
#
#   --help   this text
#
# Runs the runtime's own build script, as cargo would with the feature `next-version`, on a folder
# of its own that shares the compiled dependencies. So nothing native is compiled again, and the
# node's runtime stays as it is. The node has to be built before.
set -euo pipefail
. "$(dirname "$0")/common.sh"

case "${1:-}" in
    '') ;;
    --help | -h) print_usage "$0"; exit 0 ;;
    *) die "unknown option '$1'; see $0 --help" ;;
esac

CURRENT="$TARGET_DIR/debug/wbuild/noema-runtime"
# The folder's name tells the build script to compact and compress the blob.
NEXT="$TARGET_DIR/next-runtime/release/wbuild/noema-runtime"
BLOB="$NEXT/noema_runtime.compact.compressed.wasm"
OUT="$TARGET_DIR/next-runtime/release/build/noema-runtime/out"

[ -f "$CURRENT/noema_runtime.wasm" ] || die "the runtime is not built; run: cargo build -p noema-node"
if [ ! "$BLOB" -nt "$CURRENT/noema_runtime.wasm" ]; then
    step "Building the runtime with a higher version"
    # The newest of those that cargo kept.
    script="$(ls -t "$TARGET_DIR"/debug/build/noema-runtime-*/build-script-build | head -n 1)"
    mkdir -p "$OUT" "$NEXT"
    ln -sfn "$CURRENT/target" "$NEXT/target"
    cp "$CURRENT/Cargo.lock" "$NEXT/Cargo.lock"
    (
        cd "$ROOT/runtime"
        unset RUSTFLAGS CARGO_ENCODED_RUSTFLAGS
        OUT_DIR="$OUT" CARGO="$(rustup which cargo)" CARGO_MANIFEST_DIR="$ROOT/runtime" \
            CARGO_PKG_NAME=noema-runtime CARGO_FEATURE_NEXT_VERSION=1 \
            "$script" > "$NEXT/log" 2>&1
    ) || { tail -n 30 "$NEXT/log" >&2; die "the runtime could not be built; see $NEXT/log"; }
    touch "$BLOB"
fi
echo "$BLOB"
