#!/usr/bin/env bash
# Prints the section of a version in CHANGELOG.md. Fails where the workspace has another version, where the
# changelog has no such section, and where the section is empty.
#
#   ./scripts/release-notes.sh VERSION
#
#   --help   this text
#
# VERSION is the version in Cargo.toml, 0.1.0, or the tag, v0.1.0. docs/releasing.md describes its use.
set -euo pipefail
. "$(dirname "$0")/common.sh"

case "${1:-}" in
    --help | -h) print_usage "$0"; exit 0 ;;
    '' | -*) die "name one version, such as v0.1.0; see $0 --help" ;;
esac
VERSION="${1#v}"
CURRENT="$(sed -n '/^\[workspace\.package\]/,/^\[/s/^version = "\(.*\)"/\1/p' "$ROOT/Cargo.toml")"
[ "$VERSION" = "$CURRENT" ] || die "Cargo.toml has version $CURRENT, not $VERSION; set [workspace.package] version, or tag another version"

NOTES="$(awk -v heading="## $VERSION" '
    /^## / { inside = $0 == heading || index($0, heading " ") == 1; next }
    inside { print }' "$ROOT/CHANGELOG.md")"
[ -n "${NOTES//[[:space:]]/}" ] || die "CHANGELOG.md has no text under the heading \"## $VERSION\"; rename \"## Unreleased\" to it"
printf '%s\n' "$NOTES"
