# Everything a contributor does, each with all of its own set-up. `make` alone shows this menu.

ifeq ($(strip $(PYTHON)),)
PYTHON := $(shell for p in python3.14 python3.13 python3.12 python3.11 python3; do command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; raise SystemExit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)
endif
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=
# Tests start some thousand processes: none of them should compile every module anew.
unexport PYTHONDONTWRITEBYTECODE
# Tests wait for as long as they compute.
JOBS ?= $(shell echo $$((3 * $$(getconf _NPROCESSORS_ONLN))))

.PHONY: help demo dev test faults soak check format bench reference imports hooks site dist sbom lock clean

help: ## Show this menu
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(VENV)/runtime.stamp: requirements/runtime.txt pyproject.toml
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed; set PYTHON=/path/to/python" >&2; exit 2; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing locked dependencies into $(VENV) …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/runtime.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/dev.stamp: requirements/dev.txt $(VENV)/runtime.stamp
	@echo "Installing locked development tools into $(VENV) …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@touch $@

demo: $(VENV)/runtime.stamp ## See real notifications leave a real queue (ARGS=--exit stops after the story)
	@$(BIN)/dispatcher demo $(ARGS)

dev: $(VENV)/runtime.stamp ## API and worker in one process on an embedded Redis
	@$(BIN)/dispatcher dev $(ARGS)

test: $(VENV)/dev.stamp ## All tests, on real servers (ARGS="-k order" for some)
	$(BIN)/python -m pytest -n $(JOBS) --dist worksteal --reruns 1 --rerun-show-tracebacks $(ARGS)

faults: $(VENV)/dev.stamp ## Every fault in its long form (ARGS="-k ft19" for some)
	DISPATCHER_TEST_FULL=1 $(BIN)/python -m pytest -n 2 --dist worksteal tests/faults $(ARGS)

soak: $(VENV)/dev.stamp ## Random faults under load (ARGS="--minutes 1440" for a day)
	$(BIN)/python -m tests.faults.soak $(ARGS)

check: $(VENV)/dev.stamp ## Lint, format, types, import rules, known vulnerabilities
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	@$(BIN)/pip-audit --requirement requirements/runtime.txt --require-hashes --disable-pip --progress-spinner off --timeout 10 >$(VENV)/audit.log 2>&1 \
		&& echo "No known vulnerability in what is locked" \
		|| { ! grep -B1 -A99 'known vulnerabilit' $(VENV)/audit.log && echo "Known vulnerabilities were not looked up: the advisory service was not reached ($(VENV)/audit.log)"; }

format: $(VENV)/dev.stamp ## Put the code into form
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/dev.stamp ## Measure against bare aiohttp and against one job per event (ARGS=--quick)
	$(BIN)/python -m bench $(ARGS)

reference: $(VENV)/dev.stamp ## Write what docs/ has from the code anew (settings, REST, GraphQL, event types)
	$(BIN)/python -m tests.docs.reference

imports: $(VENV)/dev.stamp ## Draw the imports of docs/architecture.md anew
	$(BIN)/python -m tests.docs.test_import_picture

$(VENV)/site.stamp: requirements/docs.txt
	@test -x $(VENV)/site/bin/python || $(PYTHON) -m venv $(VENV)/site
	@echo "Installing what builds the site into $(VENV)/site …"
	@$(VENV)/site/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/docs.txt
	@touch $@

site: $(VENV)/site.stamp ## Build the documentation site into site/, without a warning and without the network
	NO_MKDOCS_2_WARNING=1 $(VENV)/site/bin/mkdocs build --strict

hooks: $(VENV)/dev.stamp ## Let git run the quick checks at every commit
	$(BIN)/pre-commit install

dist: $(VENV)/dev.stamp ## Build the release that HEAD is tagged as (docs/releasing.md)
	@version=v$$($(BIN)/python -c 'import tomllib; print(tomllib.load(open("pyproject.toml", "rb"))["project"]["version"])') \
		&& { git describe --tags --exact-match 2>/dev/null | grep -qxF "$$version" || { echo "HEAD is not tagged $$version" >&2; exit 2; }; }
	$(BIN)/python -m hatchling build

sbom: ## Bill of materials of what is locked, CycloneDX 1.6 (needs cyclonedx-py: pip install cyclonedx-bom)
	@mkdir -p dist
	cyclonedx-py requirements requirements/runtime.txt --pyproject pyproject.toml --output-reproducible --spec-version 1.6 -o dist/sbom.json

lock: ## Renew the locked dependencies (needs uv)
	uv pip compile --universal --python-version 3.11 --generate-hashes --quiet --upgrade pyproject.toml --extra embedded --extra s3 --group build -o requirements/runtime.txt
	uv pip compile --universal --python-version 3.11 --generate-hashes --quiet --upgrade pyproject.toml --extra embedded --extra amqp --extra otel --extra s3 --group dev --group build -c requirements/runtime.txt -o requirements/dev.txt
	uv pip compile --universal --python-version 3.11 --generate-hashes --quiet --upgrade --group docs -o requirements/docs.txt

clean: ## Remove what the other targets made
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .grimp_cache bench/out dist site
