# `make` alone prints this help.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(PYTHON) -m pip --python $(BIN)/python --disable-pip-version-check
RUN := $(BIN)/python -m

.DEFAULT_GOAL := help
.PHONY: help setup demo test check fmt docs playbooks bench bench-deploy lab lab-netbox browser endure lock clean

help: ## Show what can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: $(VENV)/.ready ## Make .venv with fleet and all that it needs

$(VENV)/.ready: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "fleet needs Python 3.11 or newer; this is $$($(PYTHON) --version). Try: make $(MAKECMDGOALS) PYTHON=python3.11"; exit 1; }
	@echo "Setting up $(VENV) (once, about a minute) …"
	@$(PYTHON) -m venv --without-pip $(VENV)
	@$(PIP) install --quiet --require-hashes -r requirements.lock
	@$(PIP) install --quiet --no-deps --no-build-isolation -e .
	@touch $@

demo: setup ## Take the tour: a simulated network, from inventory to report
	@$(RUN) fleet demo

test: setup ## Run all tests
	@$(RUN) pytest

check: setup ## Lint, types, room borders, dependencies, generated files
	$(RUN) ruff format --check .
	$(RUN) ruff check .
	$(RUN) mypy
	$(BIN)/lint-imports
	$(RUN) deptry src
	@# Every shipped baseline; those of playbooks/ are among them.
	set -e; folder=$$(mktemp -d); trap 'rm -rf "$$folder"' EXIT; \
	  export PATH="$(CURDIR)/$(BIN):$$PATH" FLEET_SNMP_COMMUNITY=for-ansible-lint; \
	  $(BIN)/fleet init "$$folder/w" --example orkide -q; cd "$$folder/w"; \
	  fleet sync --yes -q >/dev/null; \
	  fleet deploy $$(ls baselines | sed 's/[.]yaml//') --plan --offline -q >/dev/null; \
	  ANSIBLE_COLLECTIONS_PATH="$(CURDIR)/src/fleet/ansible/collection" \
	  ansible-lint --offline --nocolor -q playbooks

fmt: setup ## Format the code
	@$(RUN) ruff format .
	@$(RUN) ruff check --fix .

docs: setup ## Write the generated pages of docs/
	@$(RUN) tests.reference
	@$(RUN) tests.answers

playbooks: setup ## Write playbooks/ anew from the example cooperation
	@$(BIN)/fleet sync --yes -q >/dev/null && $(BIN)/fleet deploy --plan --offline

bench: setup ## Measure start-up, sync and SNMP beside others, in CPU seconds
	@$(RUN) tests.bench
	@$(RUN) tests.bench_snmp
	@$(RUN) tests.bench_watch
	@$(RUN) tests.bench_sync
	@$(RUN) tests.bench_find
	@FLEET_BENCH_METERS=3106 FLEET_BENCH_DAYS=0.1 $(RUN) tests.bench_metrics

bench-deploy: setup .pyinfra ## Measure rollouts beside their peers, in the lab (root)
	@FLEET_BENCH_PYINFRA=$(CURDIR)/.pyinfra/bin/pyinfra $(RUN) tests.bench_deploy

.pyinfra: # A peer, in an environment of its own
	@$(PYTHON) -m venv $@
	@$@/bin/python -m pip --disable-pip-version-check install --quiet pyinfra==3.10.0

lab: setup .collections ## Tests in a real network of namespaces (root; Debian: snmpd snmp lldpd openssh-server sudo nftables)
	@FLEET_TEST_COLLECTIONS=$(CURDIR)/.collections $(RUN) pytest -m lab

.collections: # Ansible's collections for network devices, without Ansible
	@$(PYTHON) -m pip --disable-pip-version-check install --quiet --no-deps --target $@ ansible==12.3.0

lab-netbox: setup ## Tests against a real NetBox (Python 3.12; Debian: postgresql redis-server libpq-dev)
	@$(RUN) tests.netbox.server
	@$(RUN) pytest -m netbox

browser: setup ## The pages in Chromium with axe-core (needs chromium, node, npm)
	@cd tests/browser && npm ci --silent --no-audit --no-fund
	@$(RUN) pytest -m browser

endure: setup ## The long forms of the tests
	@FLEET_FUZZ_S=$${FLEET_FUZZ_S:-1800} HYPOTHESIS_PROFILE=endure $(RUN) pytest -m "not lab and not browser and not netbox"
	@FLEET_KILLS=100 $(MAKE) lab
	@$(RUN) tests.netbox.server
	@$(RUN) pytest -m netbox
	@$(RUN) tests.bench
	@$(RUN) tests.bench_deploy
	@$(RUN) tests.bench_snmp
	@$(RUN) tests.bench_watch
	@$(RUN) tests.bench_sync
	@FLEET_BENCH_DEVICES=303880 $(RUN) tests.bench_find
	@FLEET_BENCH_METERS=3106 FLEET_BENCH_DAYS=1.1 $(RUN) tests.bench_metrics
	@FLEET_BENCH_METERS=100 FLEET_BENCH_DAYS=31 $(RUN) tests.bench_metrics

lock: ## Resolve the dependencies anew (needs uv)
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --extra metrics --extra pdf --extra postgres --group dev pyproject.toml -o requirements.lock -q --no-annotate \
	  --custom-compile-command "make lock"

clean: ## Remove .venv and caches
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
