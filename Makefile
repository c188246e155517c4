# make demo   super-resolve the sample photograph on the simulated accelerator; pictures in demo/
# make test   run the tests
# make check  formatting, lint, types, import rules
# make docs   the documentation site in build/site/index.html; a broken link is an error
# make clean  remove what the other targets made, .venv included
#
# The first of these creates .venv in the checkout and installs everything into it, with the
# versions of constraints.txt. PYTHON=python3.12 chooses another interpreter for it.

PYTHON ?= python3
# Two workers suit small machines; each compiles kernels of its own before it gets faster.
WORKERS ?= 2
# EXTRAS=dev,verify,cluster also installs the inference engines that integers are compared with, and
# what searches on a Dask cluster need.
EXTRAS ?= dev

VENV := .venv
BIN := $(VENV)/bin
SITE := build/site
INSTALLED := $(VENV)/.installed-$(EXTRAS)

.PHONY: demo test check docs clean
.DEFAULT_GOAL := demo

demo: $(INSTALLED)
	$(BIN)/hwsim run --image sample --out demo

test: $(INSTALLED)
	$(BIN)/python -m pytest -n $(WORKERS)

check: $(INSTALLED)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: $(VENV)/.installed-docs
	$(BIN)/python -m sphinx --fail-on-warning --keep-going --quiet -c docs -d build/doctrees . $(SITE)
	@echo "$(SITE)/index.html"

clean:
	rm -rf $(VENV) demo build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/.installed-docs: $(INSTALLED)
	$(BIN)/python -m pip install --quiet --no-build-isolation -c constraints.txt -e ".[docs]"
	@touch $@

$(INSTALLED): pyproject.toml constraints.txt
	@command -v $(PYTHON) >/dev/null || { \
	  echo "make: no '$(PYTHON)' here; install Python 3.11 or newer, or name one: make PYTHON=..." >&2; \
	  exit 2; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "make: $(PYTHON) is $$($(PYTHON) --version), but 3.11 or newer is needed;" \
	    "name another one: make PYTHON=python3.11" >&2; exit 2; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "make: $(PYTHON) cannot create virtual environments;" \
	    "install its venv module (Debian: apt install python3-venv)" >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet -c constraints.txt pip hatchling editables
	$(BIN)/python -m pip install --quiet --no-build-isolation -c constraints.txt -e ".[$(EXTRAS)]"
	@touch $@
