#!/usr/bin/env bash
# Checks what the workspace depends on, against deny.toml: which crates, under which licences, from which
# sources, and with which known flaws.
#
#   ./scripts/deny.sh [CHECK...]
#
# Checks: bans, licenses, sources, advisories. Without one, all run. `advisories` fetches the list of known
# flaws from GitHub; the others fetch only crates of Cargo.lock that are not on this machine.
#
#   --help   this text
set -euo pipefail
. "$(dirname "$0")/common.sh"

for argument in "$@"; do
    case "$argument" in
        bans | licenses | sources | advisories) ;;
        --help | -h) print_usage "$0"; exit 0 ;;
        *) die "unknown check '$argument'; see $0 --help" ;;
    esac
done
[ -x "$CARGO_DENY" ] || die "cargo-deny is not installed at $CARGO_DENY; run ./scripts/setup.sh --e2e"

cd "$ROOT"
# Without its warnings: they are about the licence fields of other authors' crates.
"$CARGO_DENY" --locked --log-level error check --hide-inclusion-graph "$@"
