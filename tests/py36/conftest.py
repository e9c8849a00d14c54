# SPDX-License-Identifier: LGPL-2.1-or-later
"""Stand-ins for the bindings of dnf and rpm, which exist for the Python of EL 8 alone."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from types import ModuleType
from typing import Any


def _compare_labels(one: Sequence[str], other: Sequence[str]) -> int:
    """As rpm.labelCompare does for versions that consist of numbers."""
    left, right = ([list(map(int, re.findall("[0-9]+", each))) for each in x] for x in (one, other))
    return (left > right) - (left < right)


class _Constants(ModuleType):
    """A module in which each other name in capitals is a constant of its own."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return f"{self.__name__}.{name}"


def _provide(name: str, **content: Any) -> None:
    module = _Constants(name)
    vars(module).update(content)
    module.__path__ = []
    sys.modules[name] = module
    parent, _, child = name.rpartition(".")
    if parent:
        setattr(sys.modules[parent], child, module)


class _Failure(Exception):
    """An error of a binding."""


class _Callback:
    """A base class of callbacks."""


_provide("rpm", labelCompare=_compare_labels, error=_Failure)
_provide("hawkey", Exception=_Failure)
_provide("libdnf")
_provide("libdnf.error", Error=_Failure)
_provide("libdnf.transaction")
_provide("dnf")
_provide("dnf.callback", DownloadProgress=_Callback, TransactionProgress=_Callback)
_provide("dnf.exceptions", Error=_Failure)
_provide("dnf.plugin")
