# Sourced by quickstart.sh and run_tests.sh: a virtual environment.

ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"

# find_python: print a Python 3.10 to 3.12; PYTHON overrides the search.
find_python() {
    local python candidates=(python3.12 python3.11 python3.10 python3 python)
    if [ -n "${PYTHON:-}" ]; then
        candidates=("$PYTHON")
    fi
    for python in "${candidates[@]}"; do
        if "$python" -c 'import ensurepip, sys, venv
sys.exit(not (3, 10) <= sys.version_info < (3, 13))' >/dev/null 2>&1; then
            command -v "$python"
            return
        fi
    done
    echo "error: none of '${candidates[*]}' is a Python 3.10 to 3.12 that can" \
        "make virtual environments. Install one (Debian, Ubuntu: apt install" \
        "python3-venv), or set PYTHON=/path/to/python." >&2
    return 1
}

# fingerprint FILES...: print a checksum of their contents.
fingerprint() {
    cat "$@" | cksum | tr -d ' '
}

# make_venv FOLDER REQUIREMENTS...: a virtual environment with the given
# requirement files and this checkout. One that is complete is used again.
make_venv() {
    local folder=$1 file python key
    shift
    python="$(find_python)" || return 1
    key="$("$python" -V) $ROOT $(fingerprint "$ROOT/setup.py" "$@")"
    if [ "$(cat "$folder/stamp" 2>/dev/null)" = "$key" ]; then
        return
    fi
    rm -f "$folder/stamp"
    # What an interrupted installation left is gone on with, unless broken.
    if ! "$folder/bin/python" -m pip --version >/dev/null 2>&1; then
        "$python" -m venv --clear "$folder" || return 1
    fi
    for file in "$@"; do
        "$folder/bin/python" -m pip install --disable-pip-version-check \
            -r "$file" || return 1
    done
    "$folder/bin/python" -m pip install --disable-pip-version-check \
        --no-deps --no-build-isolation -e "$ROOT" || return 1
    echo "$key" >"$folder/stamp"
}
