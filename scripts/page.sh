#!/usr/bin/env bash
# Bundles the gateway's page into page/dist, from where the build puts it into noema-worker. Does nothing if that
# is newer than its sources. Needs Node.js 18 or later with npm, which set-up installs.
#
#   ./scripts/page.sh [--tests]
#
#   --tests  also installs what the tests of the page need
#   --help   this text
set -euo pipefail
. "$(dirname "$0")/common.sh"

WITHOUT=(--omit=dev)
for argument in "$@"; do
    case "$argument" in
        --tests) WITHOUT=() ;;
        --help | -h) print_usage "$0"; exit 0 ;;
        *) die "unknown option '$argument'; see $0 --help" ;;
    esac
done
cd "$ROOT/page"

# What is installed, by what was asked for: npm writes its own file last.
WANTED="${WITHOUT[*]:-all}"
MARKER=node_modules/.noema
if ! { [ "$MARKER" -nt package-lock.json ] && { [ "$(cat "$MARKER")" = all ] || [ "$(cat "$MARKER")" = "$WANTED" ]; }; }; then
    step "Installing the packages of the page"
    npm ci "${WITHOUT[@]}" --no-audit --no-fund --loglevel=error >&2
    echo "$WANTED" >"$MARKER"
fi

if [ -f dist/index.html ] && [ -z "$(find src build.js package-lock.json -newer dist/index.html -print -quit)" ]; then
    exit 0
fi
step "Bundling the page"
node build.js >&2
