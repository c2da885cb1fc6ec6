# Registrar's commands. `make` alone lists them; docs/development.md describes them.

HOST ?= 127.0.0.1
PORT ?= 8000
VAR_DIR ?= var
override VAR_DIR := $(or $(VAR_DIR),var)
PYTEST_ARGS ?=

BIN := .venv/bin

# The Python that .venv is made with; .ci/find-python says which ones fit.
PYTHON ?= $(shell .ci/find-python)
# The one that `make test-all` also runs the tests on: the oldest or the newest beside it.
OTHER_PYTHON ?= $(shell .ci/find-python --except \
    $(shell $(BIN)/python -c 'import sys; print("3.%d" % sys.version_info[1])'))

MANAGE := $(BIN)/python manage.py
# uv installs from where pip would.
UV := $(BIN)/python .ci/uv.py
UV_INSTALL := $(UV) pip install --quiet --require-hashes
UV_COMPILE = $(UV) pip compile --quiet --no-header --no-strip-extras --universal \
    --python-version 3.11 --generate-hashes

INSTALLER := .venv/.installer
RUNTIME := .venv/.runtime
RUNNER := .venv/.runner
DEV := .venv/.dev
OTHER := .venv/other/.dev
STATIC := $(VAR_DIR)/static/staticfiles.json

# The newest and the oldest version of the substra SDK; `make test-all` takes all of them.
SDK_VERSIONS ?= 1.0.0 0.49.0
ALL_SDK_VERSIONS := 1.0.0 0.51.0 0.50.0 0.49.0
SDK_VENVS := $(SDK_VERSIONS:%=.venv/sdk/%/.installed)

# What each run of tests prints and its exit code; `make coverage` adds what it covered.
RUNS := .venv/runs

.DELETE_ON_ERROR:
.PHONY: help serve runner test test-all test-sqlite test-postgresql run-sqlite run-postgresql run-other \
    test-report lint format bench-quick bench-running bench soak kill fuzz oracle coverage audit slow mutants migrations \
    translations lock venv sdk-venvs clean clean-data

help:  ## list these commands
	@grep -E '^[a-z-]+:.*## ' Makefile | sed 's/:.*## /:/' \
	    | while IFS=: read -r name text; do printf '  make %-16s %s\n' "$$name" "$$text"; done

# --- Serving -------------------------------------------------------------------------------------

serve: $(RUNTIME) $(STATIC)  ## install, migrate, load the demo on first start, serve on HOST:PORT
	@$(MANAGE) prepare
	@HOST=$(HOST) PORT=$(PORT) exec $(BIN)/gunicorn -c project/gunicorn.py project.wsgi:application

runner: $(RUNNER)  ## install what a runner needs, and no more; docs/runners.md

$(STATIC): $(RUNTIME) project/settings.py assets/apps.py $(shell find static -type f)
	@echo 'Collecting the style sheets and scripts'
	@$(MANAGE) collectstatic --noinput --verbosity 0
	@touch $@

work: $(RUNTIME)  ## run the demo's studies: a runner for each of its hospitals; WORK_ARGS for options
	@HOST=$(HOST) PORT=$(PORT) exec $(MANAGE) work -- $(WORK_ARGS)

# --- Testing -------------------------------------------------------------------------------------

# run NAME, PREFIX, BIN, ARGS: pytest under PREFIX; what it prints is shown and stored.
# (tee would hide pytest's exit code and its colours, hence the file and the flag.)
define run
mkdir -p $(RUNS); \
test -t 1 && color=yes || color=no; \
printf '\n== %s ==\n' '$(1)'; \
{ COVERAGE_FILE=$(RUNS)/$(1).coverage SDK_VERSIONS='$(SDK_VERSIONS)' $(2) $(3)/python -m pytest \
    -n auto --color=$$color $(COVERAGE_ARGS) $(4) $(PYTEST_ARGS); echo $$? >$(RUNS)/$(1).exit; \
} 2>&1 | tee $(RUNS)/$(1).log
endef

test: $(DEV) sdk-venvs  ## SQLite, and what depends on the database on PostgreSQL; PYTEST_ARGS
	@rm -rf $(RUNS)
	@$(MAKE) --no-print-directory POSTGRESQL_ARGS='-m postgresql' run-sqlite run-postgresql
	@$(MAKE) --no-print-directory test-report

test-all: $(DEV) $(OTHER)  ## all tests on both databases, with four SDKs, then on another Python
	@$(MAKE) --no-print-directory SDK_VERSIONS='$(ALL_SDK_VERSIONS)' sdk-venvs
	@rm -rf $(RUNS)
	@$(MAKE) --no-print-directory SDK_VERSIONS='$(ALL_SDK_VERSIONS)' \
	    run-sqlite run-postgresql run-other
	@$(MAKE) --no-print-directory test-report

test-sqlite: $(DEV) sdk-venvs  ## the suite on SQLite only
	@rm -rf $(RUNS)
	@$(MAKE) --no-print-directory run-sqlite test-report

test-postgresql: $(DEV) sdk-venvs  ## the whole suite on PostgreSQL only
	@rm -rf $(RUNS)
	@$(MAKE) --no-print-directory run-postgresql test-report

run-sqlite:
	@$(call run,SQLite,DATABASE_URL=,$(BIN))

run-postgresql:
	@$(call run,PostgreSQL,$(BIN)/python tests/with_postgres.py --,$(BIN),$(POSTGRESQL_ARGS))

# The SDK and Chromium run outside of our Python, so they are not tried again.
run-other: $(OTHER)
	@$(call run,another-Python,DATABASE_URL=,.venv/other/bin,-m 'not sdk and not browser')

# The closing line of each run; fails if one failed.
# with_postgres.py exits with 77 where there is no PostgreSQL. pytest exits with 5 if PYTEST_ARGS
# select no test that depends on the database.
test-report:
	@echo
	@status=0; for log in $(RUNS)/*.log; do \
	    echo "$$(basename $$log .log):"; tail -n 1 $$log; \
	    case $$(basename $$log .log):$$(cat $${log%.log}.exit)$(if $(PYTEST_ARGS),:part) in \
	        *:0|*:0:part|PostgreSQL:77*|PostgreSQL:5:part) ;; *) status=1 ;; esac; \
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
bench-quick: $(DEV)  ## measure what users feel beside an earlier version, in ten minutes; BENCH_ARGS
	@PIN_WORKERS=true $(BIN)/python -m tests.bench.quick $(BENCH_ARGS)

bench-running: $(DEV)  ## measure how registered work runs, beside the SDK itself; BENCH_ARGS
	@$(BIN)/python -m tests.bench.running $(BENCH_ARGS)

bench: $(DEV) sdk-venvs  ## measure the registry with up to a million tasks; BENCH_ARGS for its options
	@$(BIN)/python -m tests.bench $(BENCH_ARGS)

soak: $(DEV)  ## 16 clients read and register for ten minutes on each database; nothing may fail
	@$(BIN)/python -m tests.bench --only soak --sizes 20000 $(BENCH_ARGS)

slow: $(DEV)  ## hold a thousand slow clients, and measure what others see; SLOW_ARGS
	@DATABASE_URL= $(BIN)/python -m tests.slow $(SLOW_ARGS)

kill: $(DEV)  ## kill -9 servers and runners during registrations and work, on each database; KILL_ARGS
	@DATABASE_URL= $(BIN)/python -m tests.kill $(KILL_ARGS)
	@$(BIN)/python tests/with_postgres.py -- $(BIN)/python -m tests.kill $(KILL_ARGS)
	@DATABASE_URL= $(BIN)/python -m tests.kill.working --kills 300
	@$(BIN)/python tests/with_postgres.py -- $(BIN)/python -m tests.kill.working --kills 300

# Half an hour on two quiet cores; MUTANTS_ARGS="--count 300" for less.
mutants: $(DEV)  ## break the source in 1,000 ways, list those that no test notices; MUTANTS_ARGS
	@rm -rf .venv/mutants
	@$(BIN)/python -m tests.mutants map --to .venv/mutants
	@$(BIN)/python -m tests.mutants run --map .venv/mutants --to .venv/mutants/results.jsonl \
	    --count 1000 $(MUTANTS_ARGS)

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
AUDIT := $(UV) tool run --quiet pip-audit==2.10.1 --vulnerability-service osv \
    --require-hashes --disable-pip --progress-spinner off --timeout 20

audit: $(DEV)  ## ask the advisory service OSV about every locked package; needs the internet
	@status=0; for lock in requirements.lock requirements-runner.lock requirements-dev.lock; do \
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

translations: $(DEV)  ## bring the catalogues in assets/locale up to date; fails while one is incomplete
	@$(BIN)/python -m tests.translations

# compile FILE, ARGS: write the lock file.
define compile
{ echo '# Written by `make lock`: change the ranges in pyproject.toml, not the pins here.' \
    && $(UV_COMPILE) $(2); } >$(1).new && mv $(1).new $(1)
endef

lock: $(DEV)  ## renew the lock files within the ranges of pyproject.toml
	@$(call compile,requirements.lock,--extra s3 pyproject.toml)
	@$(call compile,requirements-dev.lock,--extra s3 --group dev pyproject.toml)
	@$(call compile,requirements-runner.lock,--constraint requirements.lock --group runner)
	@$(call compile,requirements-install.lock,--group install)
	@for version in $(ALL_SDK_VERSIONS); do echo "substra==$$version" \
	    | $(call compile,tests/sdk/substra-$$version.lock,--constraint tests/sdk/constraints.txt -) \
	    || exit 1; done

# --- Environments --------------------------------------------------------------------------------

venv: $(DEV)  ## .venv with everything to develop
sdk-venvs: $(SDK_VENVS)  ## one environment per version of the substra SDK, for tests/sdk

$(BIN)/python:
	@python='$(PYTHON)'; test -n "$$python" \
	    && echo "Making .venv with $$($$python --version)" \
    && $$python -m venv --clear --without-pip .venv && $(BIN)/python .ci/unpack_pip.py

$(INSTALLER): requirements-install.lock $(BIN)/python
	@echo 'Installing uv, which installs the rest'
	@$(BIN)/python -m pip --quiet --quiet --disable-pip-version-check install \
	    --no-compile --require-hashes -r $<
	@touch $@

$(RUNTIME): requirements.lock $(INSTALLER)
	@echo 'Installing the packages that Registrar needs (requirements.lock)'
	@$(UV_INSTALL) --python $(BIN)/python -r $<
	@touch $@

$(RUNNER): requirements-runner.lock $(INSTALLER)
	@echo 'Installing the packages that a runner needs (requirements-runner.lock)'
	@$(UV_INSTALL) --python $(BIN)/python -r $<
	@touch $@

# What a developer needs contains what the server needs, in the same versions.
$(DEV): requirements-dev.lock requirements.lock requirements-runner.lock $(INSTALLER)
	@echo 'Installing the packages that developing needs (requirements-dev.lock)'
	@$(UV_INSTALL) --compile-bytecode --python $(BIN)/python -r $<
	@touch $(RUNTIME) $(RUNNER) $@

$(OTHER): requirements-dev.lock | $(DEV)
	@python='$(OTHER_PYTHON)'; test -n "$$python" \
	    && echo "Making .venv/other with $$($$python --version)" \
	    && $$python -m venv --clear --without-pip .venv/other
	@$(UV_INSTALL) --compile-bytecode --python .venv/other/bin/python -r $<
	@touch $@

.venv/sdk/%/.installed: tests/sdk/substra-%.lock | $(DEV)
	@echo 'Installing the substra SDK $*'
	@$(BIN)/python -m venv --clear --without-pip .venv/sdk/$*
	@$(UV_INSTALL) --python .venv/sdk/$*/bin/python -r $<
	@touch $@

# --- Tidying up ----------------------------------------------------------------------------------

clean:  ## remove .venv and caches; the data in var/ stay
	@rm -rf .venv .coverage htmlcov .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

clean-data:  ## remove the database and all files in var/, after asking
	@printf 'Remove all of $(VAR_DIR)/, with the database and every registered file? [y/N] '; \
	read -r answer; case $$answer in [yY]) rm -rf '$(VAR_DIR)'; echo 'Removed.' ;; *) echo 'Kept.' ;; esac
