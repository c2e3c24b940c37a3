#!/usr/bin/env bash
# Runs a target of tests/fuzz on changed inputs for longer than the tests do.
#
#   ./scripts/fuzz.sh [TARGET [--seconds N] [--seed N] [--keep] [--guided]]
#
#   TARGET     its name; without one, all are listed
#   --seconds  how long to run (default: 60)
#   --seed     another sequence of changes (default: 1)
#   --keep     add the shortest input of each outcome to the corpus; with --guided, what the corpus does not cover
#   --guided   libFuzzer chooses the inputs by what they cover: compiles everything once more, into target/fuzz
#   --help     this text
#
# An input that makes a target fail is written to tests/fuzz/corpus/TARGET, which the tests replay. tests/fuzz/README.md
# has the targets.
set -euo pipefail
. "$(dirname "$0")/common.sh"

TARGET=
SECONDS_TO_RUN=60
SEED=1
KEEP=false
GUIDED=false
while [ $# -gt 0 ]; do
    case "$1" in
        --seconds | --seed)
            [[ "${2:-}" =~ ^[0-9]+$ ]] || die "$1 takes a number; see $0 --help"
            [ "$1" = --seed ] && SEED="$2" || SECONDS_TO_RUN="$2"
            shift
            ;;
        --keep) KEEP=true ;;
        --guided) GUIDED=true ;;
        --help | -h) print_usage "$0"; exit 0 ;;
        -*) die "unknown option '$1'; see $0 --help" ;;
        *) [ -z "$TARGET" ] || die "one target at a time; see $0 --help"; TARGET="$1" ;;
    esac
    shift
done

cd "$ROOT"
fuzz() { cargo run --locked -p noema-fuzz -- "$@"; }
if [ -z "$TARGET" ]; then
    fuzz
    exit
fi
if ! $GUIDED; then
    options=(--seconds "$SECONDS_TO_RUN" --seed "$SEED")
    ! $KEEP || options+=(--keep)
    fuzz "$TARGET" "${options[@]}"
    exit
fi

FOUND="$ROOT/target/fuzz/found/$TARGET"
KEPT="$ROOT/tests/fuzz/corpus/$TARGET"
mkdir -p "$KEPT"
fuzz "$TARGET" --seeds "$FOUND"
# What `cargo fuzz` compiles with, without a sanitizer. With a target, build scripts are compiled without.
HOST="$(rustc -vV | sed -n 's/^host: //p')"
INSTRUMENTS="--cfg fuzzing -Cpasses=sancov-module -Ccodegen-units=1"
for option in level=4 inline-8bit-counters pc-table trace-compares; do
    INSTRUMENTS+=" -Cllvm-args=-sanitizer-coverage-$option"
done
step "Compiling with instruments"
RUSTFLAGS="$INSTRUMENTS" cargo build --locked -p noema-fuzz --features guided --bin noema-fuzz-guided \
    --target "$HOST" --target-dir "$ROOT/target/fuzz"
export NOEMA_FUZZ_TARGET="$TARGET"
GUIDED_BIN="$ROOT/target/fuzz/$HOST/debug/noema-fuzz-guided"
step "Running"
"$GUIDED_BIN" -max_total_time="$SECONDS_TO_RUN" -seed="$SEED" -max_len=131072 -artifact_prefix="$KEPT/failure-" \
    "$FOUND" "$KEPT"
if $KEEP; then
    step "Adding what the corpus does not cover, in inputs of at most 4 KiB"
    "$GUIDED_BIN" -merge=1 -max_len=4096 "$KEPT" "$FOUND"
fi
