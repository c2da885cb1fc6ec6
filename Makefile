# Registrar's commands. `make` alone lists them; README.md tells more.

HOST ?= 127.0.0.1
PORT ?= 8000
VAR_DIR ?= var
override VAR_DIR := $(or $(VAR_DIR),var)
PYTEST_ARGS ?=

# The newest Python from 3.11 on that starts and can make virtual environments.
PYTHON ?= $(shell for python in python3.13 python3.12 python3.11 python3; do \
    $$python -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
    && echo $$python && break; done)

BIN := .venv/bin
PIP := $(BIN)/python -m pip --quiet --quiet --disable-pip-version-check
MANAGE := $(BIN)/python manage.py
UV_COMPILE = $(BIN)/uv pip compile --quiet --no-header --no-strip-extras --universal \
    --python-version 3.11 --generate-hashes --extra s3 pyproject.toml

RUNTIME := .venv/.runtime
DEV := .venv/.dev
STATIC := $(VAR_DIR)/static/staticfiles.json

SDK_VERSIONS := 1.0.0 0.51.0 0.50.0 0.49.0
SDK_VENVS := $(SDK_VERSIONS:%=.venv/sdk/%/.installed)

# `make test` keeps what each run printed and its exit code here, `make coverage` its coverage too.
RUNS := .venv/runs

.DELETE_ON_ERROR:
.PHONY: help serve test test-sqlite test-postgresql test-report lint format bench soak kill fuzz oracle \
    coverage audit slow migrations lock venv sdk-venvs clean clean-data

help:  ## list these commands
	@grep -E '^[a-z-]+:.*## ' Makefile | sed 's/:.*## /:/' \
	    | while IFS=: read -r name text; do printf '  make %-16s %s\n' "$$name" "$$text"; done

# --- Serving -------------------------------------------------------------------------------------

serve: $(RUNTIME) $(STATIC)  ## install, migrate, load the demo on first start, serve on HOST:PORT
	@$(MANAGE) migrate --noinput --verbosity 0
	@test -n "$$DATABASE_URL" || $(MANAGE) load_demo --if-empty
	@HOST=$(HOST) PORT=$(PORT) exec $(BIN)/gunicorn -c project/gunicorn.py project.wsgi:application

$(STATIC): $(RUNTIME) project/settings.py $(shell find static -type f)
	@$(MANAGE) collectstatic --noinput --verbosity 0
	@touch $@

# --- Testing -------------------------------------------------------------------------------------

# run NAME, PREFIX: the suite under PREFIX, shown and kept; a failure is told at the end.
# (tee would hide pytest's exit code and its colours, hence the file and the flag.)
define run
mkdir -p $(RUNS); \
test -t 1 && color=yes || color=no; \
printf '\n== %s ==\n' '$(1)'; \
{ COVERAGE_FILE=$(RUNS)/$(1).coverage $(2) $(BIN)/python -m pytest -n auto --color=$$color \
    $(COVERAGE_ARGS) $(PYTEST_ARGS); echo $$? >$(RUNS)/$(1).exit; } 2>&1 | tee $(RUNS)/$(1).log
endef

test: $(DEV) sdk-venvs  ## the whole suite on SQLite, then on PostgreSQL; PYTEST_ARGS for pytest
	@rm -rf $(RUNS)
	@$(call run,SQLite,DATABASE_URL=)
	@$(call run,PostgreSQL,$(BIN)/python tests/with_postgres.py --)
	@$(MAKE) --no-print-directory test-report

test-sqlite: $(DEV) sdk-venvs  ## the suite on SQLite only
	@rm -rf $(RUNS)
	@$(call run,SQLite,DATABASE_URL=)
	@$(MAKE) --no-print-directory test-report

test-postgresql: $(DEV) sdk-venvs  ## the suite on PostgreSQL only
	@rm -rf $(RUNS)
	@$(call run,PostgreSQL,$(BIN)/python tests/with_postgres.py --)
	@$(MAKE) --no-print-directory test-report

# The closing line of each run; fails if one failed.
# 77 is with_postgres.py's way to say that there is no PostgreSQL here.
test-report:
	@echo
	@status=0; for name in SQLite PostgreSQL; do \
	    test -e $(RUNS)/$$name.log || continue; \
	    echo "$$name:"; tail -n 1 $(RUNS)/$$name.log; \
	    case $$(cat $(RUNS)/$$name.exit) in 0|77) ;; *) status=1 ;; esac; \
	done; exit $$status

# CI tries the same few inputs every time; this tries others, forty times as many, for an hour.
fuzz: $(DEV)  ## random requests, archives and texts, new ones every time; PYTEST_ARGS for pytest
	@HYPOTHESIS_PROFILE=thorough $(BIN)/python -m pytest -n auto tests/fuzz tests/properties \
	    $(PYTEST_ARGS)

# Measuring slows the suite, so `make test` does not measure.
coverage: $(DEV)  ## run the whole suite and list the lines that no test reaches, also in htmlcov/
	@$(MAKE) --no-print-directory test COVERAGE_ARGS='--cov --cov-report='
	@$(BIN)/coverage combine --quiet --keep $(RUNS)/*.coverage
	@$(BIN)/coverage report
	@$(BIN)/coverage html --quiet

# All of it takes hours; BENCH_ARGS="--sizes 20000 --only reads --seconds 1" takes a minute.
bench: $(DEV) sdk-venvs  ## measure the registry with up to a million tasks; BENCH_ARGS for its options
	@$(BIN)/python -m tests.bench $(BENCH_ARGS)

soak: $(DEV)  ## 16 clients read and register for ten minutes on each database; nothing may fail
	@$(BIN)/python -m tests.bench --only soak --sizes 20000 $(BENCH_ARGS)

slow: $(DEV)  ## hold a thousand slow clients, and measure what others see; SLOW_ARGS
	@DATABASE_URL= $(BIN)/python -m tests.slow $(SLOW_ARGS)

kill: $(DEV)  ## kill -9 the server during 500 registrations on each database; KILL_ARGS
	@DATABASE_URL= $(BIN)/python -m tests.kill $(KILL_ARGS)
	@$(BIN)/python tests/with_postgres.py -- $(BIN)/python -m tests.kill $(KILL_ARGS)

oracle: $(DEV)  ## compare 10,000 random decisions about who may do what with the contract's
	@ORACLE_DECISIONS=10000 $(BIN)/python -m pytest -q -n auto --show-capture=no \
	    tests/permissions/test_oracle.py

# --- Looking after the code ----------------------------------------------------------------------

lint: $(DEV)  ## style, types, import rules, Django's own checks
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/bandit --quiet --configfile pyproject.toml --recursive assets project manage.py
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo
	@$(MANAGE) check --fail-level WARNING
	@$(MANAGE) makemigrations --check --dry-run --verbosity 1
	@SECRET_KEY=$$($(BIN)/python -c 'import secrets; print(secrets.token_urlsafe(50))') \
	    DATABASE_URL=postgres://registrar@localhost/registrar DEBUG=false HTTPS=true \
	    ALLOWED_HOSTS=registrar.example $(MANAGE) check --deploy --fail-level WARNING

# Needs an advisory service (OSV), which no machine without internet reaches; so it is no part of
# `lint`. The auditor runs in an environment of its own: it is no dependency of ours.
AUDIT := $(BIN)/uv tool run --quiet pip-audit==2.10.1 --vulnerability-service osv \
    --require-hashes --disable-pip --progress-spinner off --timeout 20

audit: $(DEV)  ## ask the advisory service OSV about every locked package; needs the internet
	@status=0; for lock in requirements.lock requirements-dev.lock; do \
	    $(AUDIT) --requirement $$lock 2>.venv/audit.log || { \
	        status=1; tail -n 1 .venv/audit.log; \
	        if grep -q 'ConnectionError\|Max retries\|ConnectTimeout' .venv/audit.log; then \
	            echo 'Nothing was audited: the advisory service does not answer from here.'; fi; }; \
	done; exit $$status

format: $(DEV)  ## sort the imports, apply the safe fixes, format
	@$(BIN)/ruff check --fix --quiet . || true
	@$(BIN)/ruff format --quiet .

migrations: $(DEV)  ## write the migrations that the models ask for
	@$(MANAGE) makemigrations assets

lock: $(DEV)  ## renew the lock files within the ranges of pyproject.toml
	@for lock in requirements requirements-dev; do \
	    test $$lock = requirements && group= || group='--group dev'; \
	    { echo '# Written by `make lock` from pyproject.toml: change the ranges there, not the pins here.' \
	    && $(UV_COMPILE) $$group; } >$$lock.lock.new && mv $$lock.lock.new $$lock.lock || exit 1; \
	done

# --- Environments --------------------------------------------------------------------------------

venv: $(DEV)  ## .venv with everything to develop
sdk-venvs: $(SDK_VENVS)  ## one environment per version of the substra SDK, for tests/sdk

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo 'Registrar needs Python 3.11 or newer with the venv module' \
	    '(on Debian: apt install python3-venv), and found none.' \
	    'Name one with: make PYTHON=/path/to/python' >&2; exit 1; }
	@echo "Making .venv with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv --clear .venv

$(RUNTIME): requirements.lock $(BIN)/python
	@echo 'Installing what Registrar needs (requirements.lock)'
	@$(PIP) install --require-hashes -r requirements.lock
	@touch $@

# What a developer needs contains what the server needs, in the same versions.
$(DEV): requirements-dev.lock requirements.lock $(BIN)/python
	@echo 'Installing what developing needs (requirements-dev.lock)'
	@$(PIP) install --require-hashes -r requirements-dev.lock
	@touch $(RUNTIME) $@

.venv/sdk/%/.installed: tests/sdk/constraints.txt | $(DEV)
	@echo 'Installing the substra SDK $*'
	@$(BIN)/python -m venv --clear --without-pip .venv/sdk/$*
	@$(PIP) --python .venv/sdk/$*/bin/python install \
	    --constraint tests/sdk/constraints.txt substra==$*
	@touch $@

# --- Tidying up ----------------------------------------------------------------------------------

clean:  ## remove .venv and caches; the data in var/ stay
	@rm -rf .venv .coverage htmlcov .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

clean-data:  ## remove the database and all files in var/, after asking
	@printf 'Remove all of $(VAR_DIR)/, with the database and every registered file? [y/N] '; \
	read -r answer; case $$answer in [yY]) rm -rf '$(VAR_DIR)'; echo 'Removed.' ;; *) echo 'Kept.' ;; esac
