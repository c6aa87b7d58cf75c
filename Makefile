# Everything a person does with the project. `make` alone lists the targets.
#
# The environment is .venv, installed from the hash-locked files in requirements/. Stamps in .venv remember
# what is installed, so that nothing is done twice.

PYTHON ?= python3
JOBS ?= 2
T ?= tests
BIN := .venv/bin
RUN := .venv/.run
DEV := .venv/.dev

PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
# What `make run` installs besides the bare vault: PostgreSQL's driver, and the decoders of phones and cameras.
EXTRAS := --extra postgres --extra heif --extra raw --extra video
COMPILE := $(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header --python-version 3.11

.DEFAULT_GOAL := help
.PHONY: help run test check bench torture assets lock format clean

help: ## Say what each target does
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 16

run: $(RUN) assets ## Start the vault: web server and worker (ARGS="--port 9000" hands options on)
	@exec $(BIN)/python manage.py run --migrate $(ARGS)

test: $(DEV) assets ## Run the tests; T=tests/test_links.py for a part, JOBS=4 for more processes
	@$(BIN)/python -m pytest -n $(JOBS) --dist worksteal $(T)

check: $(DEV) assets ## Everything that must hold before a change lands, the fastest first
	$(BIN)/python -m ruff format --check .
	$(BIN)/python -m ruff check .
	$(BIN)/python -m mypy
	$(BIN)/python build_assets.py types
	@home=$$(mktemp -d) && trap 'rm -rf "$$home"' EXIT && export VAULT_HOME=$$home && \
		$(BIN)/python manage.py migrate && $(BIN)/python manage.py check-migrations
	@$(MAKE) --no-print-directory test

bench: $(DEV) assets ## Print the benchmarks' ratios
	@$(BIN)/python -m bench $(ARGS)

torture: $(DEV) assets ## Kill, race and flood a running vault for some minutes; prints what was lost
	@$(BIN)/python -m tests.live.torture $(ARGS)

assets: $(RUN) ## Build the browser side where it is older than its sources
	@$(BIN)/python build_assets.py

format: $(DEV) ## Format the code and mend what ruff can mend
	$(BIN)/python -m ruff check --fix-only .
	$(BIN)/python -m ruff format .

lock: $(DEV) ## Renew every lock file from pyproject.toml and package.json
	$(COMPILE) --upgrade $(EXTRAS) --group dev pyproject.toml --output-file requirements/dev.txt
	$(COMPILE) --constraint requirements/dev.txt $(EXTRAS) pyproject.toml --output-file requirements/run.txt
	$(COMPILE) --constraint requirements/dev.txt --group build --output-file requirements/build.txt
	$(BIN)/python build_assets.py lock

clean: ## Remove what was built and cached; instance/ stays
	rm -rf .venv node_modules vault/static/dist dist .mypy_cache .pytest_cache .ruff_cache .hypothesis test-results
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(None if sys.version_info >= (3, 11) else "The vault needs Python 3.11 or newer.")'
	@echo "Making the environment .venv"
	@$(PYTHON) -m venv .venv

# The last line makes the project itself importable; its build hook makes the assets on the way.
$(RUN): requirements/run.txt requirements/build.txt pyproject.toml | $(BIN)/python
	@echo "Installing what the vault runs on (the first time this takes a minute or two)"
	@$(PIP) install --require-hashes -r requirements/run.txt -r requirements/build.txt
	@$(PIP) install --no-build-isolation --no-deps --no-index --editable .
	@touch $@

# The development lock holds all of the other two, in the same versions.
$(DEV): requirements/dev.txt pyproject.toml | $(BIN)/python
	@echo "Installing what the vault is developed with"
	@$(PIP) install --require-hashes -r requirements/dev.txt
	@$(PIP) install --no-build-isolation --no-deps --no-index --editable .
	@touch $(RUN) $@
