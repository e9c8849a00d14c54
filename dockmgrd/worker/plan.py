# SPDX-License-Identifier: LGPL-2.1-or-later
"""A resolved transaction as both backends describe it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from dockmgrd.errors import ConflictingPackages
from dockmgrd.worker.protocol import Change, Outcome

INSTALL, UPGRADE, DOWNGRADE, REMOVE = "install", "upgrade", "downgrade", "remove"


def obsoleted_by(package: str) -> str:
    """Reason of a removal."""
    return f"{package} replaces it"


def conflicts_with(package: str) -> str:
    """Reason of a removal."""
    return f"it conflicts with {package}"


def needs(package: str) -> str:
    """Reason of a removal."""
    return f"it needs {package}"


ASKED_FOR = "it is to be removed"
IN_THE_WAY = "it cannot stay beside what is installed"


def outcome(changes: Sequence[Change], *, download_bytes: int, notes: Iterable[str]) -> Outcome:
    """The outcome of a transaction that has done this."""

    def of(action: str) -> tuple[str, ...]:
        return tuple(sorted(each.package for each in changes if each.action == action))

    return Outcome(
        changed=True,
        installed=of(INSTALL),
        upgraded=of(UPGRADE),
        downgraded=of(DOWNGRADE),
        removed=of(REMOVE),
        download_bytes=download_bytes,
        notes=tuple(notes),
    )


def require_consent(changes: Iterable[Change], cause: str, way_out: str) -> None:
    """:raises ConflictingPackages: naming every package that nobody agreed to remove, and why."""
    removed = sorted(
        f"{each.package} ({each.reason})" if each.reason else each.package
        for each in changes
        if each.action == REMOVE
    )
    if removed:
        raise ConflictingPackages(
            f"{cause}, and this would remove {', '.join(removed)}; {way_out}."
        )
