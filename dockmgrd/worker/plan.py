# SPDX-License-Identifier: LGPL-2.1-or-later
"""A resolved transaction as both backends describe it, and why a package is removed."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any, Protocol

from dockmgrd.errors import ConflictingPackages
from dockmgrd.messages import dnf as messages
from dockmgrd.messages.text import Template, Text
from dockmgrd.worker.protocol import Change, Outcome

INSTALL, UPGRADE, DOWNGRADE, REMOVE = "install", "upgrade", "downgrade", "remove"


class Relations(Protocol):
    """Relations between two packages, which are the API's own objects."""

    def name(self, package: Any) -> str: ...

    def obsoletes(self, one: Any, other: Any) -> bool: ...

    def conflicts(self, one: Any, other: Any) -> bool:
        """Whether the other provides something that the one conflicts with."""

    def requires(self, one: Any, other: Any) -> bool: ...


def find_reason(
    relations: Relations,
    package: Any,
    incoming: Iterable[Any],
    outgoing: Iterable[Any],
    requested: Collection[str],
) -> Text:
    """Why the package is removed in a transaction, as far as the packages' relations say.

    :param requested: names of the packages whose removal was requested.
    """
    if relations.name(package) in requested:
        return messages.REMOVAL_REQUESTED()
    incoming = list(incoming)
    for new in incoming:
        if relations.obsoletes(new, package):
            return messages.OBSOLETED_BY(package=relations.name(new))
    for new in incoming:
        if relations.conflicts(new, package) or relations.conflicts(package, new):
            return messages.CONFLICTS_WITH(package=relations.name(new))
    # The requested ones first: they are the cause of further removals.
    for old in sorted(outgoing, key=lambda each: relations.name(each) not in requested):
        if old != package and relations.requires(package, old):
            return messages.NEEDS_PACKAGE(package=relations.name(old))
    return messages.CANNOT_STAY()


def is_requested(change: Change) -> bool:
    """Whether the change is a removal that was requested."""
    return change.reason.id == messages.REMOVAL_REQUESTED.id


def make_outcome(
    changes: Sequence[Change], *, download_bytes: int, notes: Iterable[Text]
) -> Outcome:
    """The outcome of a transaction that made these changes."""

    def select(action: str) -> tuple[str, ...]:
        return tuple(sorted(each.package for each in changes if each.action == action))

    return Outcome(
        changed=True,
        installed=select(INSTALL),
        upgraded=select(UPGRADE),
        downgraded=select(DOWNGRADE),
        removed=select(REMOVE),
        download_bytes=download_bytes,
        notes=tuple(notes),
    )


def require_consent(changes: Iterable[Change], cause: Template, remedy: Template) -> None:
    """Refuse removals without consent.

    :param cause: the template of the error; it takes `packages`.
    :raises ConflictingPackages: naming every package to be removed, and why.
    """
    removals = sorted(
        (each for each in changes if each.action == REMOVE), key=lambda each: each.package
    )
    if removals:
        packages = [
            messages.PACKAGE_AND_REASON(package=each.package, reason=each.reason)
            for each in removals
        ]
        raise ConflictingPackages(cause(packages=packages).with_remedy(remedy()))
