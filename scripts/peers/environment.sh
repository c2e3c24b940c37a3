# Virtual environments of Python with pinned packages. Sourced after common.sh.

# has_environment FOLDER REQUIREMENTS: whether make_environment made it of this file.
has_environment() { cmp -s "$2" "$1/installed.txt"; }

# make_environment FOLDER REQUIREMENTS: installs these packages, and no others, into an environment of their own.
make_environment() {
    python3 -m venv --clear "$1" \
        || die "python3 cannot make a virtual environment; on Debian and Ubuntu install python3-venv"
    "$1/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --only-binary :all: --require-hashes \
        --requirement "$2" \
        || die "pip could not install the packages of $2, or their files are not the expected ones; pip's message is above"
    cp "$2" "$1/installed.txt"
}
