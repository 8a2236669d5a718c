# Every target works on a fresh machine: it creates .venv and installs what it needs, once.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: demo test test-airflow test-faults soak check bench format clean services services-down services-status
.DEFAULT_GOAL := help

help:
	@echo "make demo [ARGS=--exit]   the whole platform on the embedded default"
	@echo "make test [ARGS=...]      the tests (ARGS go to pytest)"
	@echo "make test-faults          kills, broken servers, rebuilds under traffic: what make test leaves out"
	@echo "make test-airflow         the DAGs on a real scheduler and workers (needs services)"
	@echo "make soak                 the long form of the fault and property tests"
	@echo "make check                ruff, mypy, import contracts, generated reference"
	@echo "make bench [ONLY=name]    the benchmarks, into build/bench.json"
	@echo "make services [ONLY=a,b]  real servers for the tests; services-down, services-status"
	@echo "make format               ruff format and safe fixes"

$(STAMP): pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	PIP_CONSTRAINT=constraints.txt $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[embedded,dashboard,kafka,redis,http,orders-db,mongo,airflow,dev]"
	touch $@

demo: $(STAMP)
	$(BIN)/dataflow demo $(ARGS)

FAULTS := tests/acceptance/faults
PARALLEL := --max-worker-restart 0 --dist loadfile --no-loadscope-reorder

test: $(STAMP)
	$(BIN)/python -m pytest -n 3 $(PARALLEL) --ignore $(FAULTS) $(ARGS)

test-faults: $(STAMP)
	$(BIN)/python -m pytest -n 2 $(PARALLEL) $(FAULTS) $(ARGS)

test-airflow: $(STAMP)
	$(BIN)/python -m pytest -m cluster tests/scheduling $(ARGS)

soak: $(STAMP)
	DATAFLOW_SOAK=1 DATAFLOW_REQUIRE_SERVICES=1 $(BIN)/python -m pytest --timeout 3600 -o faulthandler_timeout=3720 $(FAULTS) tests/integration/test_as_of_prefixes.py tests/integration/test_daily_report.py tests/integration/test_figures_property.py tests/integration/test_movements_dated_back.py tests/integration/test_rebuild_sequences.py tests/integration/test_star_property.py tests/integration/test_stock_days.py tests/reference/test_as_of.py tests/scheduling tests/unit $(ARGS)

check: $(STAMP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	PYTHONPATH=src $(BIN)/lint-imports --no-cache
	$(BIN)/python -m entrypoints.reference --check

bench: $(STAMP)
	$(BIN)/python -m benchmarks $(if $(ONLY),--only $(ONLY))

format: $(STAMP)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

services: $(STAMP)
	$(BIN)/python -m deploy.services up $(if $(ONLY),--only $(ONLY))

services-down: $(STAMP)
	$(BIN)/python -m deploy.services down $(if $(ONLY),--only $(ONLY))

services-status: $(STAMP)
	$(BIN)/python -m deploy.services status

clean:
	rm -rf $(VENV) build .mypy_cache .ruff_cache .pytest_cache
