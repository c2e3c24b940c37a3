# PyTorch, for comparison. Sourced after common.sh.

. "$ROOT/scripts/peers/environment.sh"

# find_pytorch: sets PYTORCH to a Python with PyTorch and NumPy: $NOEMA_PYTORCH, that of an earlier run, that
# on the path, PyPI's packages in pytorch.txt, which are the faster ones, or Debian's. If there is none, PYTORCH
# is empty and PYTORCH_MISSING has the reason.
find_pytorch() {
    local own="$NOEMA_CACHE/pytorch" wanted="$ROOT/scripts/peers/pytorch.txt" python log
    PYTORCH='' PYTORCH_MISSING=''
    for python in ${NOEMA_PYTORCH:+"$NOEMA_PYTORCH"} "$own/bin/python" python3 /usr/bin/python3; do
        # That of an earlier run may be of other versions.
        [ "$python" != "$own/bin/python" ] || has_environment "$own" "$wanted" || continue
        if has_pytorch "$python"; then
            PYTORCH="$python"
            return
        fi
    done
    log="$(mktemp)"
    step "Installing PyTorch: from PyPI into $own (5 GB)"
    if (make_environment "$own" "$wanted") >"$log" 2>&1 && has_pytorch "$own/bin/python"; then
        PYTORCH="$own/bin/python"
        rm "$log"
        return
    fi
    note "the installation failed: $(tail -n 2 "$log")"
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

# With OpenBLAS: the default library multiplies matrices element by element.
install_debian_pytorch() {
    as_root apt-get update -qq
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
        python3-torch libopenblas0-pthread
}
