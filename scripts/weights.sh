#!/usr/bin/env bash
# Measures the weights of the calls of Noema's own pallets, and writes them to pallets/*/src/weights.rs.
#
#   ./scripts/weights.sh [OPTIONS] [PALLET...]
#
# Without a PALLET: duties, checkpoints, operators, claims, jury, disputes, steps, inference, sessions, issuance
# and training.
#
#   --steps N    values of each number that a weight depends on (default 5)
#   --repeat N   measurements of each (default 5)
#   --help       this text
#
# Run it, without other load, on the kind of machine that makes the chain's blocks, and commit the result. It
# takes a quarter of an hour once the node is compiled: benchmarks of draws begin with thousands of operators.
#
# The measurements are polkadot-sdk's, with `noema-node benchmark pallet`. The node contains it only with the
# feature `benchmark`, set here: it takes minutes to compile, and running a chain does not need it.
# frame-omni-bencher measures the same, but is compiled with RocksDB: half an hour of C++.
set -euo pipefail
. "$(dirname "$0")/common.sh"

STEPS=5
REPEAT=5
PALLETS=()
while [ $# -gt 0 ]; do
    case "$1" in
        --steps) STEPS="${2:?--steps needs a number}"; shift ;;
        --repeat) REPEAT="${2:?--repeat needs a number}"; shift ;;
        --help | -h) print_usage "$0"; exit 0 ;;
        -*) die "unknown option '$1'; see $0 --help" ;;
        *)
            [ -f "$ROOT/pallets/$1/src/benchmarking.rs" ] || die "there is no pallet '$1' with benchmarks"
            PALLETS+=("$1")
            ;;
    esac
    shift
done
[ ${#PALLETS[@]} -gt 0 ] || PALLETS=(duties checkpoints operators claims jury disputes steps inference sessions issuance training)

"$ROOT/scripts/setup.sh"
. "$NOEMA_CACHE/wasm.env"
cd "$ROOT"

step "Building the node with benchmarks"
# A release build takes most of an hour. Only the measured code is optimised here, and without the checks of a
# development build: the benchmarks, and the host functions that the runtime calls, with the trie, the hashes
# and the signatures below them. The other dependencies are those of every other build, as the workspace
# settles their features. The benchmarks bring a runtime of their own, for benchmarks of another kind; its Wasm
# is not needed.
OPTIMISED=()
for package in ahash arrayref arrayvec blake2b_simd block-buffer bounded-collections byte-slice-cast byteorder bytes \
    constant_time_eq cpufeatures curve25519-dalek digest fixed-hash foldhash frame-benchmarking \
    frame-benchmarking-cli generic-array hash-db hash256-std-hasher hashbrown impl-codec keccak kvdb \
    kvdb-memorydb lock_api log memory-db merlin noema-node once_cell parity-scale-codec parking_lot \
    parking_lot_core primitive-types rand_core rustc-hash sc-allocator sc-client-db sc-executor sc-executor-common \
    sc-executor-wasmtime schnorrkel scopeguard sha2 smallvec sp-core sp-crypto-hashing sp-database sp-externalities \
    sp-io sp-panic-handler sp-runtime sp-runtime-interface sp-state-machine sp-storage sp-tracing sp-trie \
    sp-wasm-interface subtle tracing tracing-core trie-db trie-root twox-hash typenum wasmtime wasmtime-environ zeroize; do
    OPTIMISED+=(--config "profile.dev.package.$package.opt-level=3"
        --config "profile.dev.package.$package.debug-assertions=false"
        --config "profile.dev.package.$package.overflow-checks=false")
done
cargo build --locked --workspace --bin noema-node
SKIP_WASM_BUILD=1 SKIP_FRAME_STORAGE_ACCESS_TEST_RUNTIME_WASM_BUILD=1 \
    cargo build --locked --workspace --bin noema-node --features noema-node/benchmark "${OPTIMISED[@]}"
runtime="$("$ROOT/scripts/build-runtime.sh" runtime-benchmarks)"

for pallet in "${PALLETS[@]}"; do
    step "Measuring pallet-$pallet"
    output="$ROOT/pallets/$pallet/src/weights.rs"
    "$BIN_DIR/noema-node" benchmark pallet \
        --runtime "$runtime" --genesis-builder runtime \
        --pallet "pallet_$pallet" --extrinsic '*' \
        --steps "$STEPS" --repeat "$REPEAT" --min-duration 1 --output-analysis median-slopes \
        --template "$ROOT/scripts/weights.hbs" --output "$output" --quiet
    rustfmt --edition 2024 --config-path "$ROOT" "$output"
    note "$output"
done
