# SPDX-License-Identifier: LGPL-2.1-or-later
"""All templates by their id, for clients that translate."""

from __future__ import annotations

from collections.abc import Mapping
from types import ModuleType

from dockmgrd.messages import (
    bus,
    client,
    dnf,
    engine,
    files,
    jobs,
    limits,
    packages,
    probe,
    requests,
    sources,
    status,
    steps,
)
from dockmgrd.messages.text import Template

_MODULES: tuple[ModuleType, ...] = (
    bus,
    client,
    dnf,
    engine,
    files,
    jobs,
    limits,
    packages,
    probe,
    requests,
    sources,
    status,
    steps,
)


def load() -> Mapping[str, Template]:
    """Every template of the package by its id."""
    return {
        value.id: value
        for module in _MODULES
        for value in vars(module).values()
        if isinstance(value, Template)
    }
