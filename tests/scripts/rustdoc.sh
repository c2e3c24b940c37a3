#!/usr/bin/env bash
# Stands in for rustdoc when cargo tests the documentation: it also refuses warnings.
#
#   cargo --config 'build.rustdoc="tests/scripts/rustdoc.sh"' test --doc
#
# `cargo doc` would compile every dependency once more, for its types alone. The tests of the
# documentation have all that rustdoc needs: before it runs them, it writes the documentation of the
# crate, private items included, and fails where a link leads nowhere.
set -euo pipefail

RUSTDOC="$(rustup which rustdoc 2>/dev/null || command -v rustdoc)"

is_test=false
arguments=()
tested=()
while [ $# -gt 0 ]; do
    case "$1" in
        --test) is_test=true ;;
        --test-run-directory | --test-args | --test-runtool | --test-runtool-arg)
            tested+=("$1" "$2")
            shift
            ;;
        --test-run-directory=* | --test-args=* | --nocapture | --no-capture | --no-run) tested+=("$1") ;;
        *) arguments+=("$1") ;;
    esac
    shift
done

if $is_test; then
    written="$(mktemp -d)"
    trap 'rm -rf "$written"' EXIT
    "$RUSTDOC" "${arguments[@]}" --document-private-items --out-dir "$written" -D warnings
    "$RUSTDOC" --test ${tested[@]+"${tested[@]}"} "${arguments[@]}"
else
    "$RUSTDOC" "${arguments[@]}"
fi
