# PyTorch, for comparison. Sourced after common.sh.

# find_pytorch: sets PYTORCH to a Python with PyTorch and NumPy: $NOEMA_PYTORCH, that of an earlier run, that
# on the path, PyPI's package, which is the faster one, or Debian's. If there is none, PYTORCH is empty and
# PYTORCH_MISSING has the reason.
find_pytorch() {
    local own="$NOEMA_CACHE/pytorch" python log
    PYTORCH='' PYTORCH_MISSING=''
    for python in ${NOEMA_PYTORCH:+"$NOEMA_PYTORCH"} "$own/bin/python" python3 /usr/bin/python3; do
        if has_pytorch "$python"; then
            PYTORCH="$python"
            return
        fi
    done
    log="$(mktemp)"
    step "Installing PyTorch: from PyPI into $own (5 GB)"
    if install_pypi_pytorch "$own" >"$log" 2>&1 && has_pytorch "$own/bin/python"; then
        PYTORCH="$own/bin/python"
        rm "$log"
        return
    fi
    note "the installation failed: $(tail -n 1 "$log")"
    step "Installing PyTorch: Debian's python3-torch"
    if (install_debian_pytorch) >"$log" 2>&1 && has_pytorch /usr/bin/python3; then
        PYTORCH=/usr/bin/python3
    else
        PYTORCH_MISSING="PyTorch could be installed neither from PyPI nor from Debian: $(tail -n 1 "$log")"
        note "$PYTORCH_MISSING"
    fi
    rm "$log"
}

has_pytorch() { "$1" -c 'import numpy, torch' >/dev/null 2>&1; }

install_pypi_pytorch() {
    python3 -m venv "$1"
    "$1/bin/python" -m pip install --quiet --disable-pip-version-check torch numpy
}

# With OpenBLAS: the default library multiplies matrices element by element.
install_debian_pytorch() {
    as_root apt-get update -qq
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
        python3-torch libopenblas0-pthread
}
