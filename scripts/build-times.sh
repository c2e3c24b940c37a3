#!/usr/bin/env bash
# Prints the twenty crates that take the longest to compile, as a table in Markdown, from a report of cargo.
#
#   cargo build --workspace --all-targets --locked --timings
#   ./scripts/build-times.sh [REPORT]
#
# REPORT is the report's HTML file, by default that of the last build with `--timings`. It contains what that
# build compiled: for a cold build, remove the target folder first. A crate's seconds are the sum over its
# library, programs, tests and build script; several run at the same time. The Wasm of the runtime is part of
# its build script.
#
#   --help   this text
set -euo pipefail
. "$(dirname "$0")/common.sh"

case "${1:-}" in
    --help | -h) print_usage "$0"; exit 0 ;;
    -*) die "unknown option '$1'; see $0 --help" ;;
esac
REPORT="${1:-$TARGET_DIR/cargo-timings/cargo-timing.html}"
[ -f "$REPORT" ] || die "there is no report at $REPORT; build with: cargo build --workspace --all-targets --locked --timings"

python3 -S - "$REPORT" <<'PYTHON'
import collections
import json
import re
import sys

with open(sys.argv[1], encoding="utf-8") as file:
    units = re.search(r"^const UNIT_DATA = (\[.*?^\]);", file.read(), re.M | re.S)
if not units:
    sys.exit(f"error: {sys.argv[1]} is no report of cargo build --timings; it has no UNIT_DATA")
# By name and version: some crates are there in several versions.
crates, scripts = collections.Counter(), collections.Counter()
for unit in json.loads(units[1]):
    crate = f"{unit['name']} {unit['version']}"
    crates[crate] += unit["duration"]
    if "build script" in unit["target"]:
        scripts[crate] += unit["duration"]
print("| crate | seconds | of these, in its build script |", "|---|---|---|", sep="\n")
for crate, seconds in crates.most_common(20):
    print(f"| {crate} | {seconds:.1f} | {scripts[crate]:.1f} |")
print(f"| all {len(crates)} crates | {crates.total():.1f} | {scripts.total():.1f} |")
PYTHON
