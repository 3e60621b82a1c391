# Everything runs in .venv, which is created on first use. PYTHON selects the interpreter (3.11 to 3.13).
PYTHON ?= python3
BIN := .venv/bin

export DAGSTER_DISABLE_TELEMETRY := yes
export DBT_SEND_ANONYMOUS_USAGE_STATS := false

.PHONY: help licenses sbom audit demo check test test-all test-fast dev docs generate lint typecheck build clean

help:  ## Show this help
	@sed -n 's/^\([a-z-]*\):.*## /\1	/p' $(MAKEFILE_LIST) | expand -t 12

.venv/installed: setup.cfg pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' || { \
		echo "$(PYTHON) is not Python 3.11 to 3.13. Run: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

demo: .venv/installed  ## Run the whole graph over the last 14 days on this machine, and print sample queries
	$(BIN)/gong-assets demo

check: lint typecheck build test-all  ## Run what CI runs: style, types, the wheel and all tests

licenses: .venv/installed  ## Write docs/licenses.md, from all extras and the tools of development
	$(BIN)/python -m tools.licenses

# The extras of the installation that the SBOM describes.
SBOM_EXTRAS ?= k8s,mcp,postgres,webhook

# Their requirements would warn in each run of the project's own environment.
build/tools:
	$(PYTHON) -m venv $@
	$@/bin/pip install --quiet --disable-pip-version-check 'cyclonedx-bom>=7,<8' 'pip-audit>=2.10,<3'

sbom: build/tools  ## Write build/sbom.cdx.json (CycloneDX) of an installation with the extras SBOM_EXTRAS
	rm -rf build/sbom
	$(PYTHON) -m venv build/sbom
	build/sbom/bin/pip install --quiet --disable-pip-version-check -c constraints.txt '.[$(SBOM_EXTRAS)]'
	build/sbom/bin/pip uninstall --quiet --yes pip setuptools
	build/tools/bin/cyclonedx-py environment --output-reproducible -o build/sbom.cdx.json build/sbom

audit: build/tools  ## Look up the versions of constraints.txt in the databases of vulnerabilities (network)
	build/tools/bin/pip-audit --strict --requirement constraints.txt --no-deps --disable-pip

test: .venv/installed  ## Run the tests, except for the extended ones
	$(BIN)/pytest -n auto --dist loadgroup -m "not extended"

test-all: .venv/installed  ## Run all tests
	$(BIN)/pytest -n auto --dist loadgroup

test-fast: .venv/installed  ## Run the tests that need no server, in less than two minutes
	$(BIN)/pytest -n auto --dist loadgroup -m "not slow and not extended"

dev: .venv/installed  ## Open the Dagster UI on http://127.0.0.1:3000, with the local stack
	$(BIN)/gong-assets dev

docs: .venv/installed  ## Document every table and column, with lineage, in build/dbt_docs/index.html
	@$(BIN)/python -c 'from gong_assets.defs.dbt.project import write_docs; \
		from gong_assets.settings import load_settings; \
		print("documentation:", write_docs(load_settings(), "build/dbt_docs"))'

generate: .venv/installed  ## Write the files that repeat a declaration, such as the dbt sources
	$(BIN)/python -m tools.generate

lint: .venv/installed  ## Check style with ruff
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

typecheck: .venv/installed  ## Check types with mypy
	$(BIN)/mypy

build: .venv/installed  ## Build the wheel, and load the graph from it outside the checkout
	rm -rf build dist
	$(BIN)/python -m build --wheel --outdir dist
	$(BIN)/pip install --quiet --no-deps --target build/wheel dist/*.whl
	cd build/wheel && GONG_ASSETS_HOME=../home \
		../../$(BIN)/python -m dagster definitions validate -m gong_assets.definitions

clean:  ## Stop the local stack, and remove its state and all build results
	-[ -x $(BIN)/gong-assets ] && $(BIN)/gong-assets local down
	rm -rf .gong_assets .venv build dist *.egg-info
