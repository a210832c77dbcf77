#!/bin/sh
# Resolve the dependencies of pyproject.toml, for every platform, and write them to requirements.lock with the hash of each file.
# Arguments go to the resolver, for example `--upgrade` or `--upgrade-package ruff`.
set -eu
cd "$(dirname "$0")/.."

# The resolver is no part of the environment: it is wanted only here.
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
"${PYTHON:-python3}" -m venv "$place/venv"
"$place/venv/bin/python" -m pip install -qq --disable-pip-version-check uv

# One version of each package for all Pythons, so that everybody tests the same; no index, so that the file names no host.
"$place/venv/bin/uv" pip compile pyproject.toml --group dev --universal --python-version 3.11 --fork-strategy fewest \
    --generate-hashes --no-emit-index-url --no-emit-find-links --custom-compile-command 'make lock' --quiet --output-file requirements.lock "$@"

if grep -nE '://|file:' requirements.lock; then
    echo 'crenel: requirements.lock names a place on some machine or network; see the lines above' >&2
    exit 1
fi
