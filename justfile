# Every task of the project at a glance: `just` lists them. Each runs a script that also works by itself, and takes the
# script's options: `just dev --ask "What is a ledger?"`. Needs https://just.systems, `cargo install just`.

set positional-arguments

[private]
default:
    @"{{ just_executable() }}" --list --unsorted

# Install what building and running needs; --e2e: also what the tests need
[group('set-up')]
setup *options:
    ./scripts/setup.sh "$@"

# Bundle the gateway's page
[group('set-up')]
page *options:
    ./scripts/page.sh "$@"

# Start a chain, workers and validators, and ask a question
[group('run')]
dev *options:
    ./scripts/dev.sh "$@"

# Start a chain with four trainers, and train a small model
[group('run')]
train *options:
    ./scripts/dev.sh --train "$@"

# Start a chain, a worker and a validator in containers
[group('run')]
containers *options:
    docker compose -f docker/compose.yaml up --build --detach "$@"

# Run every check, or the phases named: format lint unit e2e
[group('test')]
test *phases:
    ./scripts/test.sh "$@"

# rustfmt, the spell check, the glossary's words, and the licences and sources of dependencies
[group('test')]
format:
    ./scripts/test.sh format

# clippy on everything, warnings denied
[group('test')]
lint:
    ./scripts/test.sh lint

# Unit, property, pallet, runtime and worker tests
[group('test')]
unit:
    ./scripts/test.sh unit

# A real node, real workers and polkadot.js, and the page in a real browser
[group('test')]
e2e:
    ./scripts/test.sh e2e

# What attacks cost and yield, on the pallets of the runtime
[group('test')]
attacks:
    cargo test --locked -p noema-runtime --test attacks -- --nocapture

# Changed bytes for what is read from strangers: the name of a target, --seconds, --seed, --guided
[group('test')]
fuzz *options:
    ./scripts/fuzz.sh "$@"

# Licences, sources and known flaws of dependencies
[group('test')]
deny *checks:
    ./scripts/deny.sh "$@"

# Answers, checks and their cost on this machine; --peers: beside llama.cpp; --training: rounds; --disputes: games
[group('measure')]
bench *options:
    ./scripts/bench.sh "$@"

# Whether all executors of this machine return the same bits
[group('measure')]
equality *options:
    ./scripts/equality.sh "$@"

# Whether the float model says what llama.cpp says
[group('measure')]
agreement *options:
    ./scripts/agreement.sh "$@"

# Time the kernels of the executor: cpu, gpu or batch
[group('measure')]
kernels bench *options:
    cargo bench --locked --profile dev -p noema-executor --bench "$@"

# Print the slowest crates of the last build with --timings
[group('measure')]
build-times *report:
    ./scripts/build-times.sh "$@"

# Measure what calls weigh, and write the pallets' weights.rs
[group('measure')]
weights *pallets:
    ./scripts/weights.sh "$@"

# Build the documentation of every crate; a link that leads nowhere fails
[group('write')]
docs *options:
    SKIP_WASM_BUILD=1 RUSTDOCFLAGS="-D warnings" cargo doc --locked --workspace --no-deps --document-private-items "$@"

# Write the schedule of the subsidies into docs/issuance.md and docs/issuance.svg
[group('write')]
schedule:
    cargo run --locked -p noema-economics --example schedule

# Write the chain specs; --check: compare them with what is there
[group('write')]
chain-specs *options:
    ./scripts/chain-spec.sh "$@"

# Print what the changelog says of a version, such as v0.1.0
[group('write')]
release-notes version:
    ./scripts/release-notes.sh "$1"
