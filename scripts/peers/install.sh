# llama.cpp, for comparison, and the model in its formats. Sourced after common.sh.

PEERS="$NOEMA_CACHE/peers"
PYTHON="$PEERS/bin/python"

# install_peers: llama.cpp and the tools for requantisation, in an environment of their own.
install_peers() {
    local wanted
    wanted="$(mktemp)"
    cat >"$wanted" <<'REQUIREMENTS'
xllamacpp==2026.10.11549 --hash=sha256:c54e7d13520ecc989c63dc99d55de3065e2f343a91f43f053d16b5e62077c261
gguf==0.19.0 --hash=sha256:70bcd10edfe697fb2dad6e40af2234b9d8ece9a41a99761405121ebda1c3c1cd
REQUIREMENTS
    if cmp -s "$wanted" "$PEERS/installed.txt"; then
        rm "$wanted"
        return
    fi
    step "Installing llama.cpp from PyPI (xllamacpp, 34 MB) into $PEERS"
    python3 -m venv "$PEERS" \
        || die "python3 cannot make a virtual environment; on Debian and Ubuntu install python3-venv"
    # The two named packages have the hashes above; other dependencies of gguf are not pinned.
    "$PYTHON" -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes \
        --requirement "$wanted"
    "$PYTHON" -m pip install --quiet --disable-pip-version-check numpy pyyaml requests tqdm
    mv "$wanted" "$PEERS/installed.txt"
}

# requantise TYPE: the model with matrices of that type, Q8_0 or F32; its path is in REQUANTISED.
requantise() {
    REQUANTISED="$NOEMA_CACHE/model/SmolLM2-135M-Instruct.$1.gguf"
    [ ! -f "$REQUANTISED" ] || return 0
    step "Requantising the model to $1 for llama.cpp"
    "$PYTHON" "$ROOT/scripts/peers/requantise.py" "$MODEL_FILE" "$REQUANTISED" "$1"
}
