# make setup   .venv with the package and its tools, versions pinned by constraints.txt
# make demo    from simulated recordings to a trained model, its scores and its predictions, all under demo/
# make test    the tests
# make check   lint, types, floors, tests: what has to pass before a change is taken
# make faults  hundreds of faulty folders, and what every command makes of them (some minutes)
# make kills   commands killed at random moments, run again and compared (some minutes)
# make docs    write the tables of flags in docs/ anew
# make clean   remove what the demo and the tools made; .venv stays

# Default: python3.11, else python3 where that is 3.11 or newer. Another: make setup PYTHON=python3.12
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
EXTRAS := dev,videomae,tensorboard,lora,trees,slurm
IS_NEW_ENOUGH := import sys; sys.exit(sys.version_info < (3, 11))

# The tensors of the tests are too small to share among threads: the unit tests of models take 11.9 s with one thread
# and 12.6 s with two (13.4 s and 16.5 s of processor time).
TEST_ENV := OMP_NUM_THREADS=1

.PHONY: setup demo test lint types floors check faults kills docs clean
.DEFAULT_GOAL := check

setup: $(STAMP)

$(STAMP): pyproject.toml constraints.txt
	@if ! $(BIN)/python -c '$(IS_NEW_ENOUGH)' 2>/dev/null; then \
	  for python in '$(PYTHON)' $(if $(filter file,$(origin PYTHON)),python3); do \
	    if "$$python" -c '$(IS_NEW_ENOUGH)' 2>/dev/null; then found="$$python"; break; fi; \
	  done; \
	  if [ -z "$${found:-}" ]; then \
	    echo "make setup: expected Python 3.11 or newer as '$(PYTHON)', got none." \
	      "Install it, or name it: make setup PYTHON=/path/to/python3" >&2; \
	    exit 1; \
	  fi; \
	  "$$found" -m venv --clear $(VENV); \
	fi
	@echo "Installing into $(VENV). The first time this downloads a few gigabytes and takes some minutes."
	@$(BIN)/python -m pip install --disable-pip-version-check --quiet --editable '.[$(EXTRAS)]' --constraint constraints.txt
	@touch $@

demo: setup
	@PATH="$(CURDIR)/$(BIN):$$PATH" bash scripts/demo.sh

test: setup
	$(TEST_ENV) $(BIN)/python -m pytest --numprocesses logical --dist loadfile

lint: setup
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: setup
	$(BIN)/mypy

floors: setup
	$(BIN)/lint-imports

check: lint types floors test

faults: setup
	$(TEST_ENV) $(BIN)/python -m robustness.corpus

kills: setup
	$(TEST_ENV) $(BIN)/python -m robustness.kills

# The tables of flags in docs/, after a change of a flag.
docs: setup
	$(BIN)/python scripts/flag_tables.py

clean:
	rm -rf demo build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find src tests benchmarks robustness train_multitask.py -name __pycache__ -prune -exec rm -rf {} +
