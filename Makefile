.DEFAULT_GOAL := help
.PHONY: help run dev test check bench build generate lock

PYTHON ?= python3
PORT ?= 8000
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/pip --quiet --disable-pip-version-check
INSTALLED := requirements/run.txt requirements/dev.txt pyproject.toml

help:
	@echo "make run     the service with demo data, on http://127.0.0.1:$(PORT) (PORT=… picks another)"
	@echo "make dev     the same, reloading when the code changes"
	@echo "make test    every test"
	@echo "make check   format, lint, types, import rules, generated files up to date"
	@echo "make bench   the benchmarks, with peers in the same run"
	@echo "make build   the wheel, in dist/"

run: $(VENV)/.run
	@$(BIN)/gatepost migrate
	@$(BIN)/gatepost seed
	@exec $(BIN)/gatepost serve --port $(PORT)

dev: $(VENV)/.dev
	@$(BIN)/gatepost migrate
	@$(BIN)/gatepost seed
	@exec $(BIN)/watchfiles --filter python '$(BIN)/gatepost serve --port $(PORT)' apps/api

test: $(VENV)/.dev
	$(BIN)/pytest

check: $(VENV)/.dev
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python tools/generate.py --check

bench: $(VENV)/.dev
	$(BIN)/python benchmarks/guard.py

build: $(VENV)/.dev
	$(BIN)/python -m build --no-isolation

# What is committed but made from other files.
generate: $(VENV)/.dev
	$(BIN)/python tools/generate.py

# Anew from pyproject.toml: the requirements with their hashes, and no index's address.
lock: $(VENV)/.dev
	$(BIN)/uv pip compile pyproject.toml $(LOCK) --output-file requirements/run.txt
	$(BIN)/uv pip compile pyproject.toml $(LOCK) --group dev --output-file requirements/dev.txt
	$(BIN)/uv pip compile requirements/bench.in $(COMPILE) --output-file requirements/bench.txt

COMPILE := --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --upgrade
LOCK := $(COMPILE) --extra embedded --group build

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Gatepost needs Python 3.11 or later: make PYTHON=python3.12 …"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo "python3 lacks venv: apt install python3-venv"; exit 1; }

$(VENV)/.run: $(INSTALLED) | $(BIN)/python
	$(PIP) install --require-hashes --requirement requirements/run.txt
	$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: $(INSTALLED) | $(BIN)/python
	$(PIP) install --require-hashes --requirement requirements/dev.txt
	$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $(VENV)/.run $@
