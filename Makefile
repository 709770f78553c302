# Two commands need nothing but Python 3.11 or newer: `make demo` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test lint bench soak soak-simulated clean

demo: $(VENV)/installed
	$(BIN)/kraty-actors demo $(ARGS)

test: $(VENV)/installed-dev
	$(BIN)/python -m pytest $(ARGS)

lint: $(VENV)/installed-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check --no-cache .
	$(BIN)/lint-imports
	$(BIN)/mypy

bench: $(VENV)/installed-dev
	$(BIN)/python -m benchmarks $(ARGS)

# Worlds are simulated for SOAK_MINUTES; then servers are killed 500 times, and databases are away for a minute: about
# half an hour more. `make soak-simulated ARGS="--minutes 600"` simulates alone, for as long as one likes.
SOAK_MINUTES ?= 30
soak: $(VENV)/installed-dev
	$(BIN)/python -m kraty_actors.testing.soak --minutes $(SOAK_MINUTES)
	KRATY_CRASH_ROUNDS=10 $(BIN)/python -m pytest tests/crash -m soak $(ARGS)

soak-simulated: $(VENV)/installed-dev
	$(BIN)/python -m kraty_actors.testing.soak $(ARGS)

$(VENV)/installed: pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(None if sys.version_info >= (3, 11) else "Python 3.11 or newer is needed")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(VENV)/installed-dev: $(VENV)/installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --group dev
	@touch $@

clean:
	rm -rf $(VENV) dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
