#!/bin/sh
# Build .venv from requirements.lock and put the project into it; does nothing, and needs no network, when nothing changed.
set -eu
cd "$(dirname "$0")/.."

stop() {
    echo "crenel: $1" >&2
    exit 1
}

# The interpreter below any active virtual environment: the active one may be the .venv that is about to be replaced.
python=$("${PYTHON:-python3}" -c 'import sys; print(getattr(sys, "_base_executable", None) or sys.executable)') ||
    stop "no ${PYTHON:-python3} here: install Python 3.11 or newer, or name one: make PYTHON=/path/to/python3 run"
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    stop "$python is older than Python 3.11: name a newer one: make PYTHON=/path/to/python3 run"

# Everything that is installed follows from these; .venv is not movable, so the folder counts too.
key() {
    "$python" -c 'import hashlib, os, sys
digest = hashlib.sha256("\0".join((sys.version, sys.base_prefix, os.getcwd())).encode())
for name in sys.argv[1:]:
    with open(name, "rb") as file:
        digest.update(file.read())
print(digest.hexdigest())' "$@"
}

locked=$(key requirements.lock)
if [ "$(cat .venv/.locked 2>/dev/null)" != "$locked" ] || ! .venv/bin/python -c '' 2>/dev/null; then
    echo "Setting up .venv from requirements.lock (once; some 100 MB to fetch) ..." >&2
    rm -rf .venv
    # Debian keeps this part of Python in a package of its own.
    "$python" -c 'import ensurepip' 2>/dev/null || tools/peers.sh python3-venv
    "$python" -m venv .venv || stop "$python cannot make a virtual environment (on Debian: apt-get install python3-venv)"
    .venv/bin/python -m pip install -qq --disable-pip-version-check --require-hashes -r requirements.lock ||
        stop "the packages of requirements.lock could not be installed; the reason stands above"
    echo "$locked" >.venv/.locked
fi

# The project itself, editable. Its build tools are in the lock, so this needs no network.
project=$(key pyproject.toml)
if [ "$(cat .venv/.project 2>/dev/null)" != "$project" ]; then
    .venv/bin/python -m pip install -qq --disable-pip-version-check --no-index --no-deps --no-build-isolation -e . ||
        stop "the project could not be installed into .venv; the reason stands above"
    echo "$project" >.venv/.project
fi
