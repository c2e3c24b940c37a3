#!/usr/bin/env bash
# Makes the runtime's compile target, wasm32v1-none, available. Safe to run again.
#
#   ./scripts/setup-wasm.sh
#
#   --help   this text
#
# First asks rustup for it, which is enough on most machines. Where rustup cannot fetch it, uses Debian's
# packaged compiler: its packages are installed, `core` and `alloc` are built for the target from its sources
# (half a minute), and the result becomes the rustup toolchain `noema-wasm`, in $NOEMA_CACHE/wasm-toolchain.
# Nothing outside that folder is written except the packages. Rustup is asked again once a day, and its target
# is used as soon as it has one.
#
# In both cases $NOEMA_CACHE/wasm.env (by default ~/.cache/noema/wasm.env) then contains the settings of a
# shell that builds the runtime; the scripts read it, and you can too:
#
#   . ~/.cache/noema/wasm.env
set -euo pipefail
. "$(dirname "$0")/common.sh"

TARGET=wasm32v1-none
TOOLCHAIN=noema-wasm
SYSROOT="$NOEMA_CACHE/wasm-toolchain"
ENV_FILE="$NOEMA_CACHE/wasm.env"
PACKAGES=(rustc-web cargo-web rust-web-src lld-22)
DEBIAN_RUSTC=/usr/bin/rustc
DEBIAN_CARGO=/usr/bin/cargo
SCRATCH=

for argument in "$@"; do
    case "$argument" in
        --help | -h) print_usage "$0"; exit 0 ;;
        *) die "unknown option '$argument'; see $0 --help" ;;
    esac
done

trap '[ -z "$SCRATCH" ] || rm -rf "$SCRATCH"' EXIT

# write_env LINE...: replaces the file that other scripts read.
write_env() {
    mkdir -p "$NOEMA_CACHE"
    printf '%s\n' '# What building the runtime needs on this machine; written by scripts/setup-wasm.sh.' "$@" \
        > "$ENV_FILE.part"
    mv "$ENV_FILE.part" "$ENV_FILE"
}

# compiles RUSTC...: whether this compiler links a program for the target with the settings of the runtime's
# build.
compiles() {
    local folder status=0
    folder="$(mktemp -d)"
    cat > "$folder/probe.rs" <<'RUST'
#![no_std]
extern crate alloc;
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! { loop {} }
RUST
    "$@" --edition 2021 --crate-type rlib --target "$TARGET" -o "$folder/probe.rlib" "$folder/probe.rs" \
        > "$folder/log" 2>&1 || status=1
    sed -i '/extern crate alloc/d' "$folder/probe.rs"
    "$@" --edition 2021 --crate-type cdylib --target "$TARGET" -C opt-level=3 -C lto=thin \
        -o "$folder/probe.wasm" "$folder/probe.rs" >> "$folder/log" 2>&1 || status=1
    rm -rf "$folder"
    return $status
}

rustup_has_target() { (cd "$ROOT" && compiles rustc); }

# Whether rustup was asked less than a day ago and had no target: then another compiler was set up.
asked_today() { [ -n "$(find "$SYSROOT/version" -mmin -1440 2>/dev/null)" ]; }

add_with_rustup() {
    rustup_has_target && return
    ! asked_today || return 1
    step "Adding the target $TARGET with rustup: the runtime is compiled to it"
    (cd "$ROOT" && timeout 300 rustup target add "$TARGET" >&2) && rustup_has_target && return
    [ ! -f "$SYSROOT/version" ] || touch "$SYSROOT/version"
    return 1
}

install_debian_compiler() {
    local missing=() package
    for package in "${PACKAGES[@]}"; do
        dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q ' installed' || missing+=("$package")
    done
    [ ${#missing[@]} -eq 0 ] && return
    command -v apt-get >/dev/null \
        || die "rustup cannot add the target $TARGET, and this system has no apt-get to install another compiler with; see docs/wasm.md"
    step "Installing ${missing[*]}: a compiler whose sources can be built for $TARGET"
    as_root apt-get update -qq
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "${missing[@]}" >/dev/null \
        || die "rustup cannot add the target $TARGET, and ${missing[*]} cannot be installed (Debian 12 has them in its security archive); see docs/wasm.md"
}

# A separate compiler folder whose libraries are Debian's plus the ones built here: rustc finds them under
# --sysroot, and the linker as `rust-lld` among the host's programs.
build_sysroot() {
    step "Building core and alloc for $TARGET"
    SCRATCH="$(mktemp -d)"
    mkdir -p "$SCRATCH/empty/src"
    printf '%s\n' '[package]' 'name = "empty"' 'version = "0.0.0"' 'edition = "2021"' '[workspace]' \
        > "$SCRATCH/empty/Cargo.toml"
    echo '#![no_std]' > "$SCRATCH/empty/src/lib.rs"
    # Embedded bitcode lets the runtime's thin link-time optimisation include these libraries.
    (
        cd "$SCRATCH/empty"
        env -u CARGO_TARGET_DIR -u RUSTUP_TOOLCHAIN \
            RUSTFLAGS=-Cembed-bitcode=yes RUSTC="$DEBIAN_RUSTC" RUSTC_BOOTSTRAP=1 \
            "$DEBIAN_CARGO" build --release -Zbuild-std=core,alloc,compiler_builtins \
            --target "$TARGET" > "$SCRATCH/log" 2>&1
    ) || { cat "$SCRATCH/log" >&2; die "Debian's compiler could not build core and alloc for $TARGET"; }

    local system host new="$SYSROOT.part" lib
    system="$("$DEBIAN_RUSTC" --print sysroot)"
    host="$("$DEBIAN_RUSTC" --print host-tuple)"
    rm -rf "$new"
    mkdir -p "$new/bin" "$new/lib/rustlib/$host/bin" "$new/lib/rustlib/$TARGET/lib"
    ln -s "$system/lib/rustlib/etc" "$system/lib/rustlib/src" "$new/lib/rustlib/"
    ln -s "$system/lib/rustlib/$host/lib" "$new/lib/rustlib/$host/lib"
    ln -s "$(command -v lld-22)" "$new/lib/rustlib/$host/bin/rust-lld"
    ln -s "$DEBIAN_CARGO" "$new/bin/cargo"
    printf '#!/bin/sh\nexec %q --sysroot %q "$@"\n' "$DEBIAN_RUSTC" "$SYSROOT" > "$new/bin/rustc"
    chmod +x "$new/bin/rustc"
    for lib in core alloc compiler_builtins; do
        cp "$SCRATCH/empty/target/$TARGET/release/deps/lib$lib-"*.rlib "$new/lib/rustlib/$TARGET/lib/"
    done
    "$DEBIAN_RUSTC" --version > "$new/version"
    rm -rf "$SYSROOT"
    mv "$new" "$SYSROOT"
}

# Debian's compiler may have been upgraded since: it cannot use libraries of another version.
sysroot_is_current() {
    [ -f "$SYSROOT/version" ] \
        && [ "$(cat "$SYSROOT/version")" = "$("$DEBIAN_RUSTC" --version)" ] \
        && compiles "$SYSROOT/bin/rustc"
}

# NOEMA_WASM_TOOLCHAIN=debian skips rustup, to test the fallback.
if [ "${NOEMA_WASM_TOOLCHAIN:-}" != debian ] && add_with_rustup; then
    write_env '# rustup has the target: nothing is needed.'
    exit 0
fi

install_debian_compiler
if ! sysroot_is_current; then
    build_sysroot
    sysroot_is_current || die "the compiler in $SYSROOT does not compile for $TARGET"
fi
rustup toolchain link "$TOOLCHAIN" "$SYSROOT"
write_env "export WASM_BUILD_TOOLCHAIN=$TOOLCHAIN"
note "the runtime is compiled with Debian's $(cat "$SYSROOT/version"), as the toolchain $TOOLCHAIN"
