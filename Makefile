# Everything runs from the project's own virtual environment; `make train` and `make test` set it up.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help install train test test-slow test-slurm fuzz check docs clean

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

# The stamp names what the environment was made from: nothing is done while that is unchanged.
$(STAMP): setup.cfg pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[geo,sweep,export,dev]"
	touch $@

install: $(STAMP)  ## set up .venv with the tested versions (a few GB the first time, nothing after)

train: $(STAMP)  ## train on the built-in world, score the road graphs, write pictures (under 10 minutes on two cores)
	$(BIN)/python -m roadex.train experiment=quickstart

test: $(STAMP)  ## the whole quick test suite, on all cores
	$(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder

test-slow: $(STAMP)  ## the tests marked slow, too
	$(BIN)/python -m pytest -m "slow or not slow"

test-slurm: $(STAMP)  ## sweeps and predictions through a real SLURM, started on this machine (root; skipped where it cannot be)
	scripts/test_slurm.sh $(BIN)/python

fuzz: $(STAMP)  ## 100,000 damaged files through every reader (COUNT=N for others)
	$(BIN)/python scripts/fuzz.py count=$(or $(COUNT),100000) keep=fuzz

check: $(STAMP)  ## style, types, floors of the house, documentation
	$(BIN)/ruff check roadex hydra_plugins tests scripts experiments
	$(BIN)/ruff format --check roadex hydra_plugins tests scripts experiments
	$(BIN)/mypy
	PYTHONPATH=. $(BIN)/lint-imports
	$(MAKE) docs

docs: $(STAMP)  ## the documentation as pages in site/
	$(BIN)/python scripts/settings_page.py
	$(BIN)/python -m mkdocs build --strict --quiet

clean:  ## remove caches and build products (never runs or data)
	rm -rf build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find roadex tests -name __pycache__ -type d -prune -exec rm -rf {} +
