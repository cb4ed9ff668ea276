# Everything runs inside .venv, which `make` builds by itself on a machine that has only Python 3.11+ and make.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready

.PHONY: run test unit check format bench pictures clean

run: $(READY)
	@if [ -t 0 ] && [ -t 1 ] && [ -t 2 ] && [ "$$TERM" != dumb ]; then \
		$(BIN)/studio demo; \
	else \
		$(BIN)/studio demo --run; \
	fi

test: $(READY)
	$(BIN)/pytest -n 2 --dist worksteal

unit: $(READY)
	$(BIN)/pytest tests/unit tests/properties tests/architecture -m "not slow"

check: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest tests/architecture

format: $(READY)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(READY)
	$(BIN)/python -m bench

pictures: $(READY)
	$(BIN)/python -m docs.make_pictures

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache dist build

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Workflow Studio needs Python 3.11 or newer; set PYTHON=/path/to/python3.11")'
	@echo "Setting up $(VENV) (once, about half a minute) ..." >&2
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $(READY)
