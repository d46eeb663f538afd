# The verbs of this project. `make` alone lists them.

# The first Python on the PATH that runs and is one of ours.
FITS := import sys, venv; sys.exit(not (3, 11) <= sys.version_info < (3, 14))
PYTHON ?= $(shell for p in python3 python3.11 python3.12 python3.13; do \
  $$p -c '$(FITS)' >/dev/null 2>&1 && { echo $$p; break; }; done)
VENV := .venv
UV := $(VENV)/bin/uv
BIN := $(VENV)/bin
VOICE := evals/caller/voice/node_modules/.package-lock.json

.DEFAULT_GOAL := help
.PHONY: help setup dev run test check eval bench

help: ## list the verbs
	@grep -hE '^[a-z0-9]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z0-9]+):.*## (.*)$$/  make \1\t\2/' | expand -t 16

# Extras are asked for by hand, so what was synced before says nothing of them.
ifneq ($(strip $(EXTRAS)),)
.PHONY: $(VENV)/.synced
endif

setup: $(VENV)/.synced web/dist/index.html $(VOICE) ## make the virtual environment, the call page, the caller's voice; EXTRAS="google azure" adds vendors

run: setup ## start Jarvis and print the call link; Ctrl-C stops it
	@exec $(BIN)/python -m server run

# Calls whose times are looked at; the suite's files whose scenarios share a server; and one that is spoken.
TIMED := tests/e2e/test_calls.py tests/e2e/test_documented_client.py
WRITTEN := claims facts faults followups interrupted sources talk unanswerable
SPOKEN := barge_in/knows_what_was_heard
# What a first start makes is made once for them all.
PREPARED := /tmp/jarvis-prepared-$(shell pwd | cksum | cut -d" " -f1)

# All parts wait more than they work, but calls want the cores at once when they want them: nothing runs beside them.
test: dev web/dist/index.html $(VOICE) ## run every test: units, real processes, calls, conversations
	@$(BIN)/python -m compileall -q bot evals knowledge processors server tests
	@rm -rf $(PREPARED)
	$(BIN)/python -m pytest --ignore=tests/e2e -p no:schemathesis -p no:hypothesispytest \
	  --numprocesses=5 --dist=loadfile --no-loadscope-reorder --prepared $(PREPARED)
	cd web && npm test
	$(BIN)/python -m pytest $(TIMED) --numprocesses=2 --dist=loadfile --prepared $(PREPARED)
	$(BIN)/python -m pytest tests/e2e $(TIMED:%=--ignore=%) --numprocesses=3 --dist=loadfile --prepared $(PREPARED)
	$(BIN)/python -m server eval run --jobs 4 --keep $(PREPARED) $(WRITTEN:%=--only '%/*:text') $(SPOKEN:%=--only '%')
	@rm -rf $(PREPARED)

check: dev web/node_modules/.package-lock.json ## lint, types, layers, sizes
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright
	$(BIN)/lint-imports
	$(BIN)/python tests/modules.py
	cd web && npm run check

eval: setup ## how well the embedded parts hear and answer, on the sample handbook
	$(BIN)/python -m server eval

bench: setup ## how fast it starts and answers, and what a call costs; on a quiet machine
	$(BIN)/python -m server bench start
	$(BIN)/python -m server bench turns --providers embedded
	$(BIN)/python -m server bench capacity --providers embedded --max-calls 1

dev: $(VENV)/.synced-dev

$(UV):
	@test -n "$(PYTHON)" || { echo "Jarvis needs Python 3.11, 3.12 or 3.13 on the PATH, or PYTHON=/path/to/python3.11" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) \
	  || { echo "$(PYTHON) -m venv failed. On Debian: apt-get install python3-venv" >&2; rm -rf $(VENV); exit 1; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==0.13.9

$(VENV)/.synced: $(UV) pyproject.toml uv.lock
	@$(UV) sync --frozen --quiet --no-dev --inexact --compile-bytecode $(EXTRAS:%=--extra %)
	@touch $@

$(VENV)/.synced-dev: $(VENV)/.synced
	@$(UV) sync --frozen --quiet --inexact
	@touch $@

%/node_modules/.package-lock.json: %/package.json %/package-lock.json
	@command -v npm >/dev/null || { echo "The call page and the caller's voice need Node 20 and npm; install them first." >&2; exit 1; }
	@cd $* && npm ci --silent --no-progress
	@touch $@

web/dist/index.html: web/node_modules/.package-lock.json $(shell find web -not -path '*/node_modules*' -not -path '*/dist*' -type f 2>/dev/null)
	@cd web && npm run --silent build
	@touch $@
