# SPDX-License-Identifier: LGPL-2.1-or-later
# Works on a bare Debian 12 machine as root: each target installs what it needs and is missing.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
MAKEFLAGS += --no-print-directory

export DOCKMGRD_CACHE ?= /var/cache/dockmgrd-build
SUITE ?= bookworm

# Every set of pinned packages has an environment of its own, outside of the checkout.
environment = $(DOCKMGRD_CACHE)/venv-$(shell sha256sum <$(1) | head -c 12)
VENV := $(call environment,tests/requirements.txt)
RUN := PYTHONPATH=.:tests $(VENV)/bin/python

# EL 9's Python, where the machine has one.
PYTHON39 := $(firstword $(wildcard $(HOME)/.pyenv/versions/3.9*/bin/python) \
	$(shell python3.9 -c 'import sys; print(sys.executable)' 2>/dev/null))
VENV39 := $(call environment,tests/requirements-py39.txt)

# What checks the page, by npm.
export PAGE_TOOLS := $(DOCKMGRD_CACHE)/page-$(shell sha256sum <tests/browser/package-lock.json | head -c 12)

.PHONY: check-page picture translations demo fuzz check check-unit check-integration check-py39 rpm bed bench soak clean apt

demo: rpm $(VENV)/ready
	@$(RUN) -m bed.demo

# All parts run, so that one failure does not hide another. pytest fails when it finds no test.
check: rpm $(VENV)/ready
	@status=0; \
	$(MAKE) check-unit || status=1; \
	$(if $(PYTHON39),$(MAKE) check-py39 || status=1;) \
	$(MAKE) check-integration || status=1; \
	$(MAKE) check-page || status=1; \
	exit $$status

check-unit: rpm $(VENV)/ready
	$(VENV)/bin/pytest tests/unit --numprocesses=2

# Without the tests of tools and files, to which it is the same which Python runs them.
check-py39: $(VENV39)/ready
	$(VENV39)/bin/pytest tests/unit --numprocesses=2 \
		--ignore=tests/unit/test_style.py --ignore=tests/unit/test_packaging.py

check-integration: rpm $(VENV)/ready
	$(VENV)/bin/pytest tests/integration --numprocesses=2

# The page: types, style and logic of its modules, then a browser on hosts with Cockpit.
check-page: rpm $(VENV)/ready $(PAGE_TOOLS)/ready
	tests/browser/check-modules $(PAGE_TOOLS)
	$(VENV)/bin/pytest tests/browser --numprocesses=2 --dist=loadfile

rpm: apt
	@packaging/rpm/build

bed: rpm $(VENV)/ready
	@$(RUN) -m bed shell $(SUITE)

bench: rpm $(VENV)/ready
	@$(RUN) -m bench

# The tests that get better the longer they go on, for long.
# What `make check` does with 2,000 calls and a few documents, for longer.
fuzz: rpm $(VENV)/ready
	FUZZ_CALLS=100000 $(VENV)/bin/pytest tests/integration/test_fuzz.py
	FUZZ_EXAMPLES=5000 $(VENV)/bin/pytest tests/unit/test_fuzz_parsers.py --numprocesses=2

soak: rpm $(VENV)/ready
	DOCKMGRD_SOAK=1 $(VENV)/bin/pytest tests/integration -m soak --capture=no

# docs/run.svg, from a run on a host, and docs/page*.png, of the page for Cockpit.
picture: rpm $(VENV)/ready
	@$(RUN) -m bed.picture
	@$(RUN) -m browser.picture

# Names what is to be translated.
translations:
	@python3 -m po

clean:
	rm -rf dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

apt:
	@packaging/apt-install packaging/rpm/requirements.apt tests/requirements.apt tests/bed/requirements.apt \
		tests/browser/requirements.apt

# -qq: errors alone.
define make_environment
@mkdir -p $(DOCKMGRD_CACHE); exec {lock}>$(DOCKMGRD_CACHE)/venv.lock; flock $$lock; \
[[ -e $@ ]] || { $(1) -m venv --clear $(3) $(@D); $(@D)/bin/pip install -qq --requirement $(2); touch $@; }
endef

$(VENV)/ready: | apt
	$(call make_environment,/usr/bin/python3,tests/requirements.txt,--system-site-packages)

$(VENV39)/ready: | apt
	@packaging/apt-install tests/requirements-py39.apt
	$(call make_environment,$(PYTHON39),tests/requirements-py39.txt)

$(PAGE_TOOLS)/ready: | apt
	@mkdir -p $(@D) && cp tests/browser/package.json tests/browser/package-lock.json $(@D)
	cd $(@D) && npm ci --silent --no-audit --no-fund
	@touch $@
