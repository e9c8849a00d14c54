# SPDX-License-Identifier: LGPL-2.1-or-later
"""Modules that only some commands need, loaded when they do: most commands last milliseconds."""

from __future__ import annotations

from importlib import import_module
from typing import Any


def load(reference: str) -> Any:
    """Return what "module:name" stands for."""
    module, _, name = reference.partition(":")
    return getattr(import_module(module), name)
