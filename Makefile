# make quickstart   a catalog in quickstart/, masses from it, a comparison, an explanation, a field of the sky
# make test         run the whole test suite
# make docs         build the documentation into build/site
# Each builds .venv first when it is missing or older than pyproject.toml or constraints.txt.
# Needs Python 3.11 or newer; choose one with PYTHON=/path/to/python3 make ...

PYTHON ?= $(firstword $(foreach name,python3.11 python3.12 python3.13 python3 python,\
  $(shell $(name) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $(name))))
BIN := .venv/bin
READY := .venv/ready
TOOLS := .venv/ready-for-tests
# What is imported is compiled then; to compile all that is installed takes longer than the rest.
# Some machines forbid Python to keep what it compiled: every start would compile PyTorch anew.
unexport PYTHONDONTWRITEBYTECODE
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile
INSTALLED := build/installed
SOURCES = $(shell find icmass simulate estimate interpret -name __pycache__ -prune -o -type f -print)
PYTEST_ARGS ?= -n auto --maxprocesses=8

.DELETE_ON_ERROR:
.PHONY: help quickstart test lint format types imports docs wheel-check release clients all-checks

help:
	@sed -n 's/^# \{0,1\}//p;/^$$/q' Makefile

quickstart: $(READY)
	@mkdir -p quickstart
	$(BIN)/icmass simulate -o quickstart/catalog --clusters 160 --seed 1
	$(BIN)/icmass info quickstart/catalog --plot quickstart/catalog.png --overwrite
	$(BIN)/icmass train quickstart/catalog -o quickstart/run --network profile --head gaussian \
	  --folds 4 --validation 0.2 --epochs 50
	$(BIN)/icmass predict quickstart/run quickstart/catalog --overwrite
	$(BIN)/icmass benchmark quickstart/catalog -o quickstart/benchmark --suite quick
	$(BIN)/icmass ablate quickstart/run quickstart/catalog -o quickstart/ablations \
	  --only core --epochs 20
	$(BIN)/icmass explain quickstart/run quickstart/catalog -o quickstart/explanation \
	  --ablations quickstart/ablations --sample 30 --tested 6 --overwrite
	$(BIN)/icmass survey -o quickstart/field --preset efeds --fraction 0.01 --tiles healpix:64

test: $(TOOLS)
	$(BIN)/python -m pytest $(PYTEST_ARGS)

$(READY): pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "make: Python 3.11 or newer is needed and was not found; install it, or give PYTHON=/path/to/python3" >&2; exit 1; }
	$(PYTHON) -m venv .venv
	$(PIP) -c constraints.txt -e .
	@touch $@

$(TOOLS): $(READY)
	$(PIP) -c constraints.txt -e '.[test,docs]'
	@touch $@

lint: $(TOOLS)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(TOOLS)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# The parts lie in folders of their own, so tools that look at whole packages see them together only
# where they are installed; and they must not see the checkout, hence an empty folder.
$(INSTALLED)/ready: $(TOOLS) $(SOURCES) pyproject.toml
	$(BIN)/python -m tests.packaging.wheel $(INSTALLED)
	@touch $@

types: $(INSTALLED)/ready
	cd $(INSTALLED)/empty && bin=../../../$(BIN) && \
	$$bin/mypy --config-file ../../../pyproject.toml --python-executable ../bin/python -p icmass

imports: $(INSTALLED)/ready
	cd $(INSTALLED)/empty && ../bin/python -c 'from importlinter.cli import lint_imports_command; lint_imports_command()' \
	  --no-logo --config ../../../pyproject.toml

docs: $(INSTALLED)/ready
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

wheel-check: $(TOOLS)
	$(BIN)/python -m pytest tests/packaging

# Wheel and source archive into build/release/dist, each used in an empty environment of every Python at hand.
release: $(TOOLS)
	$(BIN)/python -m tests.packaging.release build/release

# What some tests skip without. Sherpa is built from source: Debian needs bison byacc flex gfortran
# libfftw3-dev pkg-config. Of nnapec and hod-mod the files are read, not what they ask for.
clients: $(TOOLS)
	$(PIP) -c constraints.txt -e '.[test,docs,clients,yt,parquet]'
	$(PIP) -c constraints.txt --no-deps nnapec hod-mod

all-checks: lint types imports test
