# SPDX-License-Identifier: LGPL-2.1-or-later
# For a Debian 12 machine, as root. Each target installs the packages that it needs.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
MAKEFLAGS += --no-print-directory

export DOCKMGRD_CACHE ?= /var/cache/dockmgrd-build
SUITE ?= bookworm

# Each set of pinned packages has its own virtual environment, outside the checkout.
environment = $(DOCKMGRD_CACHE)/venv-$(shell sha256sum <$(1) | head -c 12)
VENV := $(call environment,tests/requirements.txt)
RUN := PYTHONPATH=.:tests $(VENV)/bin/python

# The Python version of EL 9, if the machine has it.
PYTHON39 := $(firstword $(wildcard $(HOME)/.pyenv/versions/3.9*/bin/python) \
	$(shell python3.9 -c 'import sys; print(sys.executable)' 2>/dev/null))
VENV39 := $(call environment,tests/requirements-py39.txt)
# The Python version of EL 8's dnf, if the machine has it.
PYTHON36 := $(firstword $(wildcard $(HOME)/.pyenv/versions/3.6*/bin/python) \
	$(shell python3.6 -c 'import sys; print(sys.executable)' 2>/dev/null))
VENV36 := $(call environment,tests/requirements-py36.txt)
# Those, and what measures the lines that run.
VENV_COVERAGE := $(call environment,tests/requirements-coverage.txt)
# The tools that check the release files: tmt, and the schema of Packit.
VENV_RELEASE := $(call environment,tests/requirements-release.txt)

# Ansible's controller: the newest that this machine's Python runs, and the oldest supported one.
PYTHON_ANSIBLE := $(firstword $(wildcard $(HOME)/.pyenv/versions/3.12*/bin/python) /usr/bin/python3)
ANSIBLE := $(call environment,tests/requirements-ansible.txt)
ANSIBLE_OLDEST := $(call environment,tests/requirements-ansible-2.16.txt)
# The npm packages that check the page.
export PAGE_TOOLS := $(DOCKMGRD_CACHE)/page-$(shell sha256sum <tests/browser/package-lock.json | head -c 12)

.PHONY: help demo check check-busy coverage check-unit check-py36 check-py39 check-integration check-page lint trees rpm bed bench fuzz \
	check-links \
	soak picture translations clean apt ansible collection

demo: rpm $(VENV)/ready  ## Demonstrate dockmgrd on a disposable host
	@$(RUN) -m bed.demo

help:  ## List the targets
	@sed -n 's/^\([a-z][a-z0-9-]*\):.*  ## /\1\t/p' Makefile | expand --tabs=20

# All parts run, even if one fails. pytest fails if it finds no test.
check: rpm $(VENV)/ready ansible  ## Run all tests: unit tests, also on Python 3.9 and 3.6, tests on hosts
	@status=0; \
	$(MAKE) check-unit || status=1; \
	$(if $(PYTHON39),$(MAKE) check-py39 || status=1;) \
	$(MAKE) check-py36 || status=1; \
	$(MAKE) check-integration || status=1; \
	$(MAKE) check-page || status=1; \
	exit $$status

# The tests must also pass on a slow machine.
check-busy: apt  ## Run all tests while two other processes keep the processors busy
	@PYTHONPATH=tests /usr/bin/python3 -m bed.busy $(MAKE) check

check-unit: rpm $(VENV)/ready $(VENV_RELEASE)/ready ansible  ## Run the unit tests
	$(VENV)/bin/pytest tests/unit --numprocesses=3 --dist=worksteal

# Without tests that do not depend on the version of Python.
check-py39: $(VENV39)/ready  ## Run the unit tests on Python 3.9
	$(VENV39)/bin/pytest tests/unit --numprocesses=3 --dist=worksteal \
		--ignore=tests/unit/test_style.py --ignore=tests/unit/test_packaging.py \
		--ignore=tests/unit/test_leaks.py --ignore=tests/unit/test_busy.py \
		--ignore=tests/unit/packaging \
		--ignore=tests/unit/bus/test_generators.py --ignore=tests/unit/ansible

# The worker as it is built for EL 8, with stand-ins for the bindings of dnf and rpm.
check-py36: $(if $(PYTHON36),$(VENV36)/ready)  ## Run the unit tests of the package worker on Python 3.6
	@$(if $(PYTHON36),PYTHONPATH=tests /usr/bin/python3 -B -m py36 $(VENV36)/bin/python,\
		echo 'This machine has no Python 3.6: the tests on it are skipped.')

# Four at a time: with three, a tenth of the time of two processors is spent waiting.
check-integration: rpm trees ansible  ## Run the tests on hosts
	$(VENV)/bin/pytest tests/integration --numprocesses=4 --dist=worksteal

# Builds the cached trees in advance and shows the steps. Without this, a test builds the trees that
# it needs. A failed build is not an error here: it only fails the tests that need the tree.
trees: rpm $(VENV)/ready  ## Build the root trees of the test hosts
	@$(RUN) -m bed build || true

lint: $(VENV)/ready  ## Check style, types and spelling
	$(VENV)/bin/pytest tests/unit/test_style.py

check-page: rpm $(VENV)/ready $(PAGE_TOOLS)/ready  ## Check the page, then drive it in a browser
	tests/browser/check-modules $(PAGE_TOOLS)
	$(VENV)/bin/pytest tests/browser --numprocesses=2 --dist=loadfile

rpm: apt  ## Build the RPMs to dist/
	@packaging/rpm/build

ansible: $(ANSIBLE)/ready $(ANSIBLE_OLDEST)/ready  ## Set up the tools for the tests of the collection

collection: $(ANSIBLE)/ready  ## Build the Ansible collection to dist/
	@packaging/collection $(ANSIBLE)

bed: rpm $(VENV)/ready  ## Open a shell on a host: make bed SUITE=trixie
	@$(RUN) -m bed shell $(SUITE)

check-links: $(VENV)/ready  ## Probe all package sources and candidate mirrors over the network
	@$(RUN) -m links

bench: rpm $(VENV)/ready ansible  ## Compare the performance with similar programs
	@$(RUN) -m bench

# The fuzz tests of `make check`, with more calls and documents.
fuzz: rpm $(VENV)/ready  ## Run the fuzz tests for a long time
	FUZZ_CALLS=100000 $(VENV)/bin/pytest tests/integration/test_fuzz.py
	FUZZ_REPOSITORIES=300 $(VENV)/bin/pytest tests/integration/test_fuzz_repository.py
	FUZZ_EXAMPLES=5000 $(VENV)/bin/pytest tests/unit/test_fuzz_parsers.py --numprocesses=2

# Unit tests, and those tests on hosts that come by all that runs on hosts alone.
COVERAGE := $(CURDIR)/build/coverage
coverage: rpm $(VENV_COVERAGE)/ready  ## Fail if the tests come by less of dockmgrd than before
	@rm -rf $(COVERAGE) && mkdir -p $(COVERAGE)
	COVERAGE_FILE=$(COVERAGE)/.coverage $(VENV_COVERAGE)/bin/coverage run --rcfile=tests/coveragerc \
		-m pytest tests/unit --numprocesses=2 || true
	DOCKMGRD_COVERAGE=$(COVERAGE) $(VENV_COVERAGE)/bin/pytest --numprocesses=3 --suite bookworm \
		tests/integration/test_{main_job,plan,uninstall,mirrors,registries,mirror_watch,kills,fastest,cli_hosts}.py || true
	@cd $(COVERAGE) && $(VENV_COVERAGE)/bin/coverage combine -q --rcfile=$(CURDIR)/tests/coveragerc . host-*
	@COVERAGE_FILE=$(COVERAGE)/.coverage $(VENV_COVERAGE)/bin/coverage report --rcfile=tests/coveragerc

soak: rpm $(VENV)/ready  ## Run the soak tests for a long time
	DOCKMGRD_SOAK=1 $(VENV)/bin/pytest tests/unit/job/packages/test_purge.py -k meanwhile
	DOCKMGRD_SOAK=1 $(VENV)/bin/pytest tests/integration -m soak --capture=no

# docs/run.svg from a run on a host, and docs/page*.png from the Cockpit page.
picture: rpm $(VENV)/ready  ## Draw the pictures in docs/ from runs on hosts
	@$(RUN) -m bed.picture
	@$(RUN) -m browser.picture

translations:  ## Update po/*.po and list untranslated texts
	@po/update

clean:  ## Remove what is built in the checkout
	rm -rf --one-file-system dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

apt:  ## Install the Debian packages that the other targets need
	@packaging/apt-install packaging/rpm/requirements.apt tests/requirements.apt tests/bed/requirements.apt \
		tests/browser/requirements.apt

# -qq: show only errors.
define make_environment
@mkdir -p $(DOCKMGRD_CACHE); exec {lock}>$(DOCKMGRD_CACHE)/venv.lock; flock $$lock; \
[[ -e $@ ]] || { $(1) -m venv --clear $(3) $(@D); $(@D)/bin/pip install -qq $(4) --requirement $(2); touch $@; }
endef

$(VENV)/ready: | apt
	$(call make_environment,/usr/bin/python3,tests/requirements.txt,--system-site-packages)

$(VENV_COVERAGE)/ready: | apt
	$(call make_environment,/usr/bin/python3,tests/requirements-coverage.txt,--system-site-packages)

$(VENV_RELEASE)/ready: | apt
	$(call make_environment,/usr/bin/python3,tests/requirements-release.txt,,--no-deps)

$(VENV39)/ready: | apt
	@packaging/apt-install tests/requirements-py39.apt
	$(call make_environment,$(PYTHON39),tests/requirements-py39.txt)

# pip 18 of Python 3.6 does not take the newest version that still runs on it.
$(VENV36)/ready: | apt
	@mkdir -p $(DOCKMGRD_CACHE); exec {lock}>$(DOCKMGRD_CACHE)/venv.lock; flock $$lock; \
	[[ -e $@ ]] || { $(PYTHON36) -m venv --clear $(@D); PIP_CONFIG_FILE=/dev/null $(@D)/bin/pip install -qq pip==21.3.1; \
	$(@D)/bin/pip install -qq --requirement tests/requirements-py36.txt; touch $@; }

$(ANSIBLE)/ready: | apt
	$(call make_environment,$(PYTHON_ANSIBLE),tests/requirements-ansible.txt)

$(ANSIBLE_OLDEST)/ready: | apt
	$(call make_environment,/usr/bin/python3,tests/requirements-ansible-2.16.txt)

$(PAGE_TOOLS)/ready: | apt
	@mkdir -p $(@D) && cp tests/browser/package.json tests/browser/package-lock.json $(@D)
	cd $(@D) && npm ci --silent --no-audit --no-fund
	@touch $@
