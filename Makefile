# Footnote: every target sets up what it needs in .venv, says what it does, and can be run on a fresh machine.
#   make chat                 the page, at http://127.0.0.1:7860
#   make ask Q="your question"
#   make test | check | eval | clean

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
# Processes that run test files side by side; each that needs the model loads it (3 GB).
WORKERS ?= 2

.PHONY: help chat ask eval test check lock clean
.DEFAULT_GOAL := help

help:
	@sed -n 's/^#   //p' Makefile

$(READY): requirements.lock pyproject.toml
	@echo "[set-up] a virtual environment in $(VENV), with the locked dependencies"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "[set-up] Footnote needs Python 3.11 or later; point to one: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 2; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade "pip>=26"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --progress-bar on -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $(READY)
	@echo "[set-up] done"

chat: $(READY)
	@echo "[chat] weights and index are fetched and built at the first start"
	@$(BIN)/footnote chat $(ARGS)

ask: export QUESTION = $(Q)
ask: $(READY)
	@test -n "$$QUESTION" || { echo 'usage: make ask Q="How does FROSTER keep CLIP general?"'; exit 2; }
	@$(BIN)/footnote ask "$$QUESTION"

eval: $(READY)
	@echo "[eval] the bundled questions, answered and scored"
	@$(BIN)/footnote eval run $(ARGS)

test: $(READY)
	@echo "[test] fetching model weights that are not here yet"
	@$(BIN)/footnote models fetch
	@echo "[test] unit, integration and end-to-end tests"
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder $(ARGS)

check: $(READY)
	@echo "[check] ruff and mypy"
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

# The versions that a fresh set-up gets. Run after a change of pyproject.toml.
lock:
	@echo "[lock] resolving pyproject.toml in a new environment"
	@rm -rf build/lock && $(PYTHON) -m venv build/lock
	@build/lock/bin/python -m pip install --quiet --upgrade "pip>=26"
	@build/lock/bin/python -m pip install --quiet torch==2.13.0 ".[remote,test,check]"
	@build/lock/bin/python -m pip freeze --exclude footnote-rag | sed 's/+cpu$$//' > requirements.lock
	@rm -rf build

clean:
	@echo "[clean] removing $(VENV), caches and eval runs; model weights stay (footnote models remove)"
	@rm -rf $(VENV) build dist runs .pytest_cache .mypy_cache .ruff_cache .hypothesis *.egg-info
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
