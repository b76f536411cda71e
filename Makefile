# Everything runs in a virtual environment of the project's own, made on first use from pinned versions.
PYTHON ?= $(firstword $(foreach p,python3 python3.13 python3.12 python3.11,$(shell command -v $(p) >/dev/null 2>&1 && $(p) -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && echo $(p))))
VENV ?= .venv
# Tests run in this many processes, a file at a time; `WORKERS=0` runs them in one.
WORKERS ?= 2
BIN := $(VENV)/bin
# What has been installed there: a target needs no more than its own extras, so the demo starts soonest.
DEMO := $(VENV)/.ready-demo
TEST := $(VENV)/.ready-test
BENCH := $(VENV)/.ready-bench
SOAK := $(VENV)/.ready-soak

.DEFAULT_GOAL := help
.PHONY: help demo test test-all lint format docs bench soak clean

help:  ## what can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/'

$(DEMO) $(TEST) $(BENCH) $(SOAK): $(VENV)/.ready-%: pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "exportguard needs Python 3.11 or newer; name one: make PYTHON=/path/to/python3"; exit 1; }
	@PYTHON="$(PYTHON)" VENV="$(VENV)" STAMP="$@" EXTRAS="$(EXTRAS_$*)" sh tests/make_environment.sh

EXTRAS_demo := demo
EXTRAS_test := demo,dev
EXTRAS_bench := demo,dev,bench
EXTRAS_soak := demo,dev,soak

demo: $(DEMO)  ## the news report's cases, on real SDK clients
	@$(BIN)/exportguard demo

test: lint  ## everything that must hold
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile

test-all: $(TEST)  ## the suite on each Python here, with the oldest and newest SDKs, from the built wheel
	@$(BIN)/python tests/everywhere.py

lint: $(TEST)  ## ruff, mypy --strict, the dependency rule
	@$(BIN)/ruff check src tests examples
	@$(BIN)/ruff format --check src tests examples
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo

format: $(TEST)  ## format the code
	@$(BIN)/ruff format src tests examples
	@$(BIN)/ruff check --fix src tests examples

docs: $(TEST)  ## the generated pages, and the site in site/
	@$(BIN)/python -m exportguard.authoring.catalogue docs
	@NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict -q -f .mkdocs.yml

bench: $(BENCH)  ## the benchmarks, as ratios against peers of the same run
	@$(BIN)/python tests/bench/run.py

soak: $(SOAK)  ## long runs
	@$(BIN)/python -m pytest -m soak

clean:  ## remove the environment and caches
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist
