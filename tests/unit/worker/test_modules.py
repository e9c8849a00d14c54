# SPDX-License-Identifier: LGPL-2.1-or-later
"""All modules of the worker can be imported beside the bindings that they are for."""

from __future__ import annotations

from importlib import import_module
from pkgutil import walk_packages

import pytest

import dockmgrd.worker


@pytest.mark.parametrize("binding", ["dnf", "libdnf5"])
def test_every_module_can_be_imported(binding: str) -> None:
    pytest.importorskip("rpm")
    pytest.importorskip(binding)
    other = {"dnf": "dnf5", "libdnf5": "dnf4"}[binding]
    names = [
        each.name
        for each in walk_packages(dockmgrd.worker.__path__, "dockmgrd.worker.")
        if other not in each.name
    ]
    assert len(names) > 15
    for name in names:
        import_module(name)
