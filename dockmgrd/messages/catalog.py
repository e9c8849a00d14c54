# SPDX-License-Identifier: LGPL-2.1-or-later
"""All templates by their id, for clients that translate."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
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
    registries,
    requests,
    sources,
    status,
    steps,
    words,
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
    registries,
    requests,
    sources,
    status,
    steps,
    words,
)


def load() -> Mapping[str, Template]:
    """Every template of the package by its id."""
    return {each.id: each for module in _MODULES for each in _find_templates(module)}


def _find_templates(module: ModuleType) -> Iterator[Template]:
    """Yield the templates of the module, also those in its tables of words."""
    for value in vars(module).values():
        for each in value.values() if isinstance(value, Mapping) else [value]:
            if isinstance(each, Template):
                yield each
