# make setup | demo | test | test-all | soak | coverage | lint | audit | hooks | bench | release | lock | clean
# Each target does all the set-up it needs: Python 3.11 or later and make are enough.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
WORKERS ?= 2

.PHONY: setup demo test test-all soak coverage lint audit hooks bench release lock clean
setup: $(STAMP)

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Sluicegate needs Python 3.11 or later; set PYTHON=python3.11" >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $(STAMP)

demo: setup
	$(BIN)/sluicegate demo

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

# pytest keeps what it made of the tests, in half the time of making it again, unless Python may write no byte code
test test-all coverage: export PYTHONDONTWRITEBYTECODE :=

test: setup lint
	$(BIN)/python -m pytest -n $(WORKERS) -m "not slow"

# everything, the slow crash tests included
test-all: setup lint
	$(BIN)/python -m pytest -n $(WORKERS)

# full counts, where test-all takes a seeded share: hours. Each goes on where its log in tests/bench/results ends
SEED ?= 2026
soak: setup
	$(BIN)/python -m tests.bench.hostile --count 10000 --seed $(SEED)
	TESTS_SOAK=1 TESTS_SEED=$(SEED) $(BIN)/python -m pytest tests/faults tests/expectations/suites -m slow --timeout=14400

# branch coverage of the three packages; the floor stands in pyproject.toml
coverage: setup
	$(BIN)/python -m pytest -n $(WORKERS) -m "not slow" --cov --cov-report=term-missing:skip-covered

# the lock file against a list of known weaknesses, and against updates (needs uv): infra/docs/protection.md has the
# time frames
audit: setup
	$(BIN)/python -m infra.release.audit
	$(BIN)/python -m infra.release.updates

# runs `make lint` before each commit
hooks: setup
	$(BIN)/pre-commit install

bench: setup
	$(BIN)/python -m tests.bench

# the release of this commit, signed: RELEASE_KEY=KEY make release
release: setup
	PYTHON=$(BIN)/python infra/release/build

# needs uv; writes versions and hashes only, no registry addresses
lock:
	uv pip compile --universal --python-version 3.11 --extra dev --generate-hashes --no-emit-index-url \
	  --no-emit-find-links --no-strip-extras --no-annotate --no-header pyproject.toml -o requirements.lock

clean:
	rm -rf $(VENV) .demo .coverage build dist *.egg-info
