# llama.cpp, for comparison, and the model in its formats. Sourced after common.sh.

. "$ROOT/scripts/peers/environment.sh"

PEERS="$NOEMA_CACHE/peers"
PYTHON="$PEERS/bin/python"

# install_peers: llama.cpp and the tools for requantisation, in an environment of their own.
install_peers() {
    local wanted="$ROOT/scripts/peers/llamacpp.txt"
    ! has_environment "$PEERS" "$wanted" || return 0
    step "Installing llama.cpp from PyPI (xllamacpp, 34 MB) into $PEERS"
    make_environment "$PEERS" "$wanted"
}

# requantise TYPE: the model with matrices of that type, Q8_0 or F32; its path is in REQUANTISED.
requantise() {
    REQUANTISED="$NOEMA_CACHE/model/SmolLM2-135M-Instruct.$1.gguf"
    [ ! -f "$REQUANTISED" ] || return 0
    step "Requantising the model to $1 for llama.cpp"
    "$PYTHON" "$ROOT/scripts/peers/requantise.py" "$MODEL_FILE" "$REQUANTISED" "$1"
}
