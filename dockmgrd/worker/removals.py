# SPDX-License-Identifier: LGPL-2.1-or-later
"""Why a package has to go, as far as its own relations and those of the others tell."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any, Protocol

from dockmgrd.worker import plan


class Relations(Protocol):
    """Relations between two packages, which are the API's own objects."""

    def name(self, package: Any) -> str: ...

    def obsoletes(self, one: Any, other: Any) -> bool: ...

    def conflicts(self, one: Any, other: Any) -> bool:
        """Whether what the one conflicts with is provided by the other."""

    def requires(self, one: Any, other: Any) -> bool: ...


def reason(
    relations: Relations,
    package: Any,
    incoming: Iterable[Any],
    outgoing: Iterable[Any],
    asked_for: Collection[str],
) -> str:
    """Why the package is removed in a transaction.

    :param asked_for: names of packages whose removal was the request.
    """
    if relations.name(package) in asked_for:
        return plan.ASKED_FOR
    incoming = list(incoming)
    for new in incoming:
        if relations.obsoletes(new, package):
            return plan.obsoleted_by(relations.name(new))
    for new in incoming:
        if relations.conflicts(new, package) or relations.conflicts(package, new):
            return plan.conflicts_with(relations.name(new))
    # What was asked for first: it is the cause of what other removals drag along.
    for old in sorted(outgoing, key=lambda each: relations.name(each) not in asked_for):
        if old != package and relations.requires(package, old):
            return plan.needs(relations.name(old))
    return plan.IN_THE_WAY
