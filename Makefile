# Two commands: `make run` and `make test`. Each sets up what it needs.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
PORT ?= 5000
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
PEERS := benchmarks/.venv/.installed

.DEFAULT_GOAL := help
.PHONY: help run test test-slow check format bench ui nightly serve clean

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c "import sys; sys.exit(sys.version_info[:2] != (3, 11))" || { echo "Python 3.11 is needed; name one: make $(MAKECMDGOALS) PYTHON=/path/to/python3.11"; exit 1; }
	@echo "Installing into $(VENV) (two minutes, once)"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@$(BIN)/python -m flows.prepare
	@touch $(STAMP)

run: $(STAMP) ## every stage, on DATA= (file or folder) and PARAMS= (overlay) if given
	@$(BIN)/python -m flows.run $(if $(DATA),--data "$(DATA)") $(if $(PARAMS),--params "$(PARAMS)")

test: $(STAMP) ## the tests
	@$(BIN)/python -m pytest

test-slow: $(STAMP) ## the slow evidence
	@$(BIN)/python -m pytest -m slow

bench: $(STAMP) $(PEERS) ## speed beside named peers, WORKS= for some of them
	@$(BIN)/python -m benchmarks.run $(WORKS)

$(PEERS): benchmarks/requirements.txt
	@$(PYTHON) -m venv benchmarks/.venv
	@benchmarks/.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps -r benchmarks/requirements.txt
	@touch $(PEERS)

check: $(STAMP) ## lint, format, types, import contracts
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache

format: $(STAMP) ## lint and format in place
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

ui: $(STAMP) ## MLflow on 127.0.0.1:5000, PORT= for another
	@$(BIN)/latentbeta ui --port $(PORT)

nightly: $(STAMP) ## the nightly flow once, AS_OF=YYYY-MM-DD if given
	@$(BIN)/python -m flows.nightly $(if $(AS_OF),--as-of $(AS_OF))

serve: $(STAMP) ## the nightly flow on its schedule
	@$(BIN)/python -m flows.nightly --serve

# Not all of .dvc: config.local there is the user's own, remotes and their secrets.
clean: ## remove what runs made (data, mlruns), not the environment
	@git clean -fdXq data mlruns .prefect .cache .dvc/cache .dvc/tmp
