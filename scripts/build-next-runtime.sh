#!/usr/bin/env bash
# Builds the runtime once more with a higher spec_version, for tests of a runtime upgrade.
#
#   ./scripts/build-next-runtime.sh
#
#   --help   this text
#
# Prints the path of the Wasm, which is $CARGO_TARGET_DIR/noema-runtime-next.wasm. Only the runtime's
# own crate is compiled again, and only if the runtime has changed since the last time.
set -euo pipefail
. "$(dirname "$0")/common.sh"

for argument in "$@"; do
    case "$argument" in
        --help | -h) print_usage "$0"; exit 0 ;;
        *) die "unknown option '$argument'; see $0 --help" ;;
    esac
done

FOLDER="$BIN_DIR/wbuild/noema-runtime"
BLOB="$FOLDER/noema_runtime.compact.compressed.wasm"
NEXT="$TARGET_DIR/noema-runtime-next.wasm"
[ -f "$BLOB" ] || die "$BLOB is missing; build the runtime first: cargo build -p noema-node"
HASH="$(file_sha256 "$BLOB")"
if [ ! -f "$NEXT" ] || [ "$(cat "$NEXT.of" 2>/dev/null)" != "$HASH" ]; then
    step "Building the runtime with a higher spec_version"
    # Both versions are built in the same folder. What is there is put back as it was, times
    # included, or the next build would compile the runtime and the node again.
    KEPT="$(mktemp -d)"
    restore() {
        cp -p "$KEPT"/*.wasm "$FOLDER/"
        cp -p "$KEPT/Cargo.toml" "$FOLDER/Cargo.toml"
        rm -rf "$KEPT"
    }
    cp -p "$FOLDER"/*.wasm "$FOLDER/Cargo.toml" "$KEPT/"
    trap restore EXIT
    # The whole workspace with one of its tests, so that every dependency is built exactly as
    # test.sh has built it; programs are not built, so the node keeps the runtime it has.
    (cd "$ROOT" && env -u SKIP_WASM_BUILD cargo build --workspace --lib --test presets \
        --features noema-runtime/next-version --locked >&2)
    cp "$BLOB" "$NEXT.part"
    mv "$NEXT.part" "$NEXT"
    printf '%s\n' "$HASH" > "$NEXT.of"
fi
printf '%s\n' "$NEXT"
