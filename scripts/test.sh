#!/usr/bin/env bash
# Sets up and runs every check, the cheapest first; stops at the first that fails.
#
#   ./scripts/test.sh [PHASE...]
#
# Phases, in this order: format, lint, unit, e2e. Without one, all run.
#
#   format   rustfmt on every crate, the spell check, the glossary's words, and the licences and sources of
#            dependencies; typos.toml, tests/scripts/words.exceptions and deny.toml have the exceptions
#   lint     clippy on every target of every crate, warnings denied
#   unit     unit, property, pallet, runtime and worker tests, those of documentation, benchmarks and set-up, and of
#            every architecture on tiny models, beside llama.cpp
#   e2e      a real node, real workers and gateways, polkadot.js and libraries for OpenAI's API, with the real model;
#            the gateway's page in a real browser, whose pictures are kept in page/tests/artefacts
#   --help   this text
#
# Ends with the time of each phase, the numbers of tests that passed and failed, and the failed tests with
# their reasons.
set -euo pipefail
. "$(dirname "$0")/common.sh"

ALL_PHASES=(format lint unit e2e)
PHASES=()
for argument in "$@"; do
    case "$argument" in
        format | lint | unit | e2e) PHASES+=("$argument") ;;
        --help | -h) print_usage "$0"; exit 0 ;;
        *) die "unknown phase '$argument'; see $0 --help" ;;
    esac
done
[ ${#PHASES[@]} -gt 0 ] || PHASES=("${ALL_PHASES[@]}")

LOGS="$(mktemp -d)"
SUMMARY=()
PASSED=0
FAILED=0

summarise() {
    local status=$?
    printf '\n'
    printf '%s\n' "${SUMMARY[@]}"
    printf '%d passed, %d failed\n' "$PASSED" "$FAILED"
    [ ! -s "$LOGS/failures" ] || head -c 4000 "$LOGS/failures"
    rm -rf "$LOGS"
    exit "$status"
}
trap summarise EXIT

# count LOG: adds up the totals of cargo's test runner and of the end-to-end runner.
count() {
    local passed failed
    read -r passed failed < <(awk '
        /^test result: / { for (i = 2; i <= NF; i++) { if ($i == "passed;") p += $(i-1); if ($i == "failed;") f += $(i-1) } }
        /^[0-9]+ passed, [0-9]+ failed$/ { p += $1; f += $3 }
        END { print p + 0, f + 0 }' "$1")
    PASSED=$((PASSED + passed))
    FAILED=$((FAILED + failed))
}

# failures LOG: the failed tests, with the first line of the end-to-end runner's report on each.
failures() {
    awk '
        why { print substr($0, 1, 400); why = 0 }
        /^test .* \.\.\. FAILED$/ { print "  ✖ " $2 }
        /^  ✖ / { print; why = 1 }' "$1"
}

# phase NAME COMMAND...: runs it, times it, counts its tests; ends the script if it fails.
phase() {
    local name="$1" start status=0
    shift
    step "$name"
    start=$(date +%s%N)
    "$@" 2>&1 | tee "$LOGS/log" || status=$?
    count "$LOGS/log"
    failures "$LOGS/log" >> "$LOGS/failures"
    if [ $status -eq 0 ]; then
        SUMMARY+=("$(printf 'ok      %-8s %8s s' "$name" "$(seconds_since "$start")")")
    else
        SUMMARY+=("$(printf 'FAILED  %-8s %8s s' "$name" "$(seconds_since "$start")")")
        # A check without tests counts as one.
        [ "$FAILED" -gt 0 ] || FAILED=1
        exit 1
    fi
}

format() {
    cargo fmt --all --check \
        && "$TYPOS" \
        && ./tests/scripts/words.sh \
        && ./scripts/deny.sh bans licenses sources
}

# Clippy compiles the workspace's own crates, as the compiler with additional lints: so all code is compiled
# once, for the lints and for the tests. The lints need no Wasm; `unit` builds it.
linted() { cargo --config 'build.rustc-workspace-wrapper="clippy-driver"' "$@"; }
export CLIPPY_ARGS='-D__CLIPPY_HACKERY__warnings__CLIPPY_HACKERY__'

lint() { SKIP_WASM_BUILD=1 linted build --workspace --all-targets --locked; }

unit() {
    ./tests/scripts/setup.sh \
        && linted build --workspace --all-targets --locked \
        && linted test --workspace --all-targets --locked --no-fail-fast \
        && NOEMA_BIN_DIR="$BIN_DIR" ./tests/scripts/architectures.sh \
        && linted --config "build.rustdoc='$ROOT/tests/scripts/rustdoc.sh'" \
            test --workspace --doc --locked --no-fail-fast \
        && benchmarks
}

# Compiles the runtime with the features that only its tools need, and tests each benchmark of Noema's
# pallets. Tests rather than `cargo check`: code outside the features is compiled already, and the benchmarks
# have tests.
benchmarks() {
    SKIP_WASM_BUILD=1 cargo test --locked --lib --no-fail-fast \
        -p noema-runtime -p pallet-duties -p pallet-checkpoints -p pallet-operators -p pallet-claims -p pallet-jury -p pallet-inference \
        -p pallet-sessions -p pallet-issuance -p pallet-training -p pallet-disputes -p pallet-steps \
        --features noema-runtime/runtime-benchmarks,noema-runtime/try-runtime -- bench
}

e2e() {
    linted build --workspace --all-targets --locked \
        && NOEMA_NEXT_RUNTIME="$(./scripts/build-runtime.sh next-version)" \
        && export NOEMA_NEXT_RUNTIME \
        && NOEMA_BIN_DIR="$BIN_DIR" node tests/e2e/run.js \
        && NOEMA_BIN_DIR="$BIN_DIR" node page/tests/run.js
}

# Without a Vulkan device the tests of the kernels for graphics processors fail instead of being skipped;
# setup installs a software device. Without the directory Mesa prints a warning.
export NOEMA_REQUIRE_GPU_TESTS=1 XDG_RUNTIME_DIR="${XDG_RUNTIME_DIR:-$LOGS}"

cd "$ROOT"
phase setup ./scripts/setup.sh --e2e
. "$NOEMA_CACHE/wasm.env"
for name in "${PHASES[@]}"; do phase "$name" "$name"; done
