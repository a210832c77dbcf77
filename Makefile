# `make run` looks at an example capture, `make test` checks everything; both first build .venv from requirements.lock.
#
#   PYTHON=python3.12   another interpreter
#   PEERS=no            install no Debian packages for the tests, even as root
#   JOBS=1              how many processes run the tests
#   ARGS='-k dns'       more arguments for pytest

PYTHON ?= python3
PEERS ?= yes
JOBS ?= 2
ARGS ?=
BIN := .venv/bin

# Real programs that the tests speak with, by Debian package.
PEER_PACKAGES := bind9-dnsutils chromium curl iproute2 knot-dnsutils ngtcp2-client obfs4proxy openssh-client openssh-server openvpn \
	shadowsocks-libev stunnel4 trojan tshark v2ray wireguard-go wireguard-tools

.PHONY: help run test test-long lint types layers pytest docs environment peers lock clean
.NOTPARALLEL:

help:
	@echo 'make run        check an example capture against the default wall'
	@echo 'make test       lint, types, layers and every test that takes less than minutes'
	@echo 'make test-long  the tests that take minutes, and the speed and memory measurements'
	@echo 'make docs       build the documentation into docs/_build'
	@echo 'make lock       resolve the dependencies anew and write requirements.lock'
	@echo 'make clean      remove .venv and everything that was built'

# 0: nothing at risk, 1: something is. Both are answers; anything else is a failure.
run: environment
	@$(BIN)/crenel check examples/first-look.pcapng --as-of 2025-01-15 || { status=$$?; test $$status -eq 1 || exit $$status; }

# pytest comes last, so that its own closing line closes the run.
test: environment peers lint types layers pytest

lint: environment
	$(BIN)/ruff check

types: environment
	$(BIN)/mypy

layers: environment
	$(BIN)/lint-imports --no-logo

pytest: environment peers
	$(BIN)/pytest -n $(JOBS) --dist loadgroup $(ARGS)

test-long: environment peers
	HYPOTHESIS_PROFILE=long $(BIN)/pytest -m long --timeout 3600 $(ARGS)

docs: environment
	$(BIN)/sphinx-build -W -n -q -b html docs docs/_build
	@echo 'docs/_build/index.html'

environment:
	@PYTHON='$(PYTHON)' tools/environment.sh

peers:
	@PEERS='$(PEERS)' tools/peers.sh $(PEER_PACKAGES)

lock:
	@PYTHON='$(PYTHON)' tools/lock.sh

clean:
	rm -rf .venv dist build docs/_build .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
