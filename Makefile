# make demo     train on the embedded digits, measure, draw, export, report: everything lands in runs/demo
# make test     run the tests
# make test-all run them all, the slow ones too: what every change must pass
# make soak     longer checks, hours: a hundred kills, memory over twenty minutes, twenty thousand values of arguments,
#               every system in ONNX and TFLite
# make docs     build the documentation, its notebooks executed: build/docs/index.html
# make lint     check the style
# make format   apply the style
# make venv     only the environment
# make clean    remove the environment, caches and build outputs (never runs/)
#
# PYTHON=python3.12 chooses the interpreter, WORKERS=4 the number of test processes.

PYTHON ?= $(firstword $(foreach p,python3 python3.13 python3.12 python3.11,$(shell \
	command -v $(p) >/dev/null 2>&1 && $(p) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' \
	2>/dev/null && echo $(p))) python3)
VENV ?= .venv
WORKERS ?= 2
BIN := $(VENV)/bin

.PHONY: help demo test test-all soak docs lint format venv clean

help:
	@sed -n 's/^# \{0,1\}//p' Makefile

demo: $(VENV)/.installed
	$(BIN)/keras-ijae demo --out runs/demo

test: $(VENV)/.installed-dev
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal -m "not slow" $(ARGS)

test-all: $(VENV)/.installed-dev
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal $(ARGS)

soak: $(VENV)/.installed-dev
	$(BIN)/python benchmarks/kills.py --kills 100
	$(BIN)/python benchmarks/soak.py --minutes 20
	KERAS_IJAE_CASES=2500 $(BIN)/python -m pytest -n $(WORKERS) --dist load \
		tests/test_properties.py tests/test_properties_commands.py tests/test_properties_inputs.py \
		tests/test_export_formats.py $(ARGS)

docs: $(VENV)/.installed-dev
	$(BIN)/python -m sphinx -q -W --keep-going -b html -d build/doctrees docs build/docs
	@echo "The documentation is in build/docs/index.html"

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(VENV)/.installed-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

venv: $(VENV)/.installed-dev

$(VENV)/.created:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' || \
		{ echo "keras_ijae needs Python 3.11, 3.12 or 3.13; make PYTHON=/path/to/python3.x chooses one."; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	@touch $@

$(VENV)/.installed: $(VENV)/.created setup.cfg pyproject.toml
	@echo "Installing keras_ijae and what it needs into $(VENV): a few minutes, once."
	@PYTHONWARNINGS=ignore $(BIN)/python -m pip install --quiet --editable .
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.created setup.cfg pyproject.toml
	@echo "Installing keras_ijae with its development tools into $(VENV): a few minutes, once."
	@PYTHONWARNINGS=ignore $(BIN)/python -m pip install --quiet --editable '.[dev]'
	@touch $@ $(VENV)/.installed

clean:
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .ruff_cache docs/systems docs/reference
	find keras_ijae keras_ijae_cli tests -name __pycache__ -type d -prune -exec rm -rf {} +
