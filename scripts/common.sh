# Shared by all scripts: paths and output. Sourced, not run.

ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
# Downloads that outlive a clone: the model and the text for its measurement.
NOEMA_CACHE="${NOEMA_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/noema}"
# The folder in which cargo builds, and that of the programs.
TARGET_DIR="${CARGO_TARGET_DIR:-$ROOT/target}"
BIN_DIR="$TARGET_DIR/debug"

# The model: SmolLM2-135M-Instruct (Apache-2.0) as a GGUF file inside a Python wheel.
MODEL_NAME="SmolLM2-135M-Instruct.Q4_1.gguf"
MODEL_SHA256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
MODEL_FILE="$NOEMA_CACHE/model/$MODEL_NAME"
# English prose in the public domain, to measure perplexity.
TEXT_PACKAGE="dict-devil"
TEXT_FILE="$NOEMA_CACHE/text/devils-dictionary.txt"
# The spell check, the check of dependencies, and the Node.js that set-up installs where the machine has none
# of version 18 or later. Each is in a folder of its version, so that versions are installed side by side. An
# installed Node.js precedes the machine's on PATH.
TYPOS_VERSION="1.52.0"
TYPOS="$NOEMA_CACHE/typos-$TYPOS_VERSION/typos"
CARGO_DENY_VERSION="0.20.2"
CARGO_DENY="$NOEMA_CACHE/cargo-deny-$CARGO_DENY_VERSION/cargo-deny"
NODEJS_VERSION="22.20.0"
NODEJS="$NOEMA_CACHE/nodejs-$NODEJS_VERSION"
PATH="$NODEJS/bin:$PATH"

# The tests that need the real model and the text find them here; without them they are skipped.
export NOEMA_SMOLLM2_GGUF="$MODEL_FILE"
export NOEMA_PROSE="$TEXT_FILE"
# The Python with the clients of OpenAI's API that the end-to-end tests ask through.
CLIENTS="$NOEMA_CACHE/clients"
export NOEMA_E2E_PYTHON="$CLIENTS/bin/python"
# The folder of the runtime's sources, for a target directory outside this folder.
export WASM_BUILD_WORKSPACE_HINT="$ROOT"

if [ -t 2 ]; then
    BOLD=$'\e[1m' DIM=$'\e[2m' RED=$'\e[31m' GREEN=$'\e[32m' RESET=$'\e[0m'
else
    BOLD='' DIM='' RED='' GREEN='' RESET=''
fi

# step WHAT: prints the next step.
step() { printf '%s==> %s%s\n' "$BOLD" "$*" "$RESET" >&2; }
# note WHAT: prints a detail below a step.
note() { printf '    %s\n' "$*" >&2; }
# die WHAT: prints the error as a full sentence, then exits with status 1.
die() { printf '%serror:%s %s\n' "$RED" "$RESET" "$*" >&2; exit 1; }

# Before any line that needs GNU's programs or a newer bash: macOS has BSD's, and bash 3.2.
SUPPORTED="Debian 12 or later, or Ubuntu 22.04 or later, on x86_64 or aarch64"
# On every other system: the same scripts in a container.
CONTAINER="elsewhere, run them in a container:
    docker run --rm -it --network host -v \"\$PWD:/noema\" -w /noema rust:1-bookworm ./scripts/dev.sh"
[ "$(uname -s)" = Linux ] || die "these scripts need $SUPPORTED, and this is $(uname -s); $CONTAINER"

# as_root COMMAND...: runs it as root, through sudo where needed.
as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        die "this needs root, and sudo is not installed: $*"
    fi
}

# seconds_since NANOSECONDS: the seconds since then, with one decimal.
seconds_since() {
    local ms=$((($(date +%s%N) - $1) / 1000000))
    printf '%d.%d' $((ms / 1000)) $((ms % 1000 / 100))
}

# file_sha256 FILE: its SHA-256 in hexadecimal.
file_sha256() { sha256sum "$1" | cut -d' ' -f1; }

# print_usage FILE: the comment at the head of a script, which is its help text.
print_usage() { sed -n '2,/^[^#]/{s/^# \{0,1\}//p}' "$1" | sed '/^[^ ]*set -/d'; }
