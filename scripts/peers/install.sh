# llama.cpp, for comparison, and the model in its formats. Sourced after common.sh.

PEERS="$NOEMA_CACHE/peers"
PYTHON="$PEERS/bin/python"

# install_peers: llama.cpp and the tools for requantisation, in an environment of their own.
install_peers() {
    local wanted="$ROOT/scripts/peers/requirements.txt"
    ! cmp -s "$wanted" "$PEERS/installed.txt" || return 0
    step "Installing llama.cpp from PyPI (xllamacpp, 34 MB) into $PEERS"
    python3 -m venv --clear "$PEERS" \
        || die "python3 cannot make a virtual environment; on Debian and Ubuntu install python3-venv"
    "$PYTHON" -m pip install --quiet --disable-pip-version-check --no-deps --only-binary :all: --require-hashes \
        --requirement "$wanted" \
        || die "pip could not install the packages of $wanted, or their files are not the expected ones; pip's message is above"
    cp "$wanted" "$PEERS/installed.txt"
}

# requantise TYPE: the model with matrices of that type, Q8_0 or F32; its path is in REQUANTISED.
requantise() {
    REQUANTISED="$NOEMA_CACHE/model/SmolLM2-135M-Instruct.$1.gguf"
    [ ! -f "$REQUANTISED" ] || return 0
    step "Requantising the model to $1 for llama.cpp"
    "$PYTHON" "$ROOT/scripts/peers/requantise.py" "$MODEL_FILE" "$REQUANTISED" "$1"
}
