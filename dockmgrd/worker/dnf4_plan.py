# SPDX-License-Identifier: LGPL-2.1-or-later
"""A transaction that dnf4 has resolved, package by package, each removal with its reason."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from typing import Any

from dnf import callback

from dockmgrd.worker import plan
from dockmgrd.worker.protocol import Change

_ACTIONS = {
    callback.PKG_INSTALL: plan.INSTALL,
    callback.PKG_UPGRADE: plan.UPGRADE,
    callback.PKG_DOWNGRADE: plan.DOWNGRADE,
    callback.PKG_REMOVE: plan.REMOVE,
    callback.PKG_OBSOLETED: plan.REMOVE,
}


def changes(base: Any, asked_for: Collection[str] = ()) -> tuple[Change, ...]:
    """What the transaction of `base` does.

    :param asked_for: names of packages whose removal was the request.
    """
    items = list(base.transaction or ())
    replaced = {
        (each.pkg.name, each.pkg.arch): each.pkg
        for each in items
        if each.action in (callback.PKG_UPGRADED, callback.PKG_DOWNGRADED)
    }
    return tuple(_changes(base, items, replaced, asked_for))


def is_here(package: Any) -> bool:
    """Whether the whole file of the package is on this host already."""
    try:
        return os.path.getsize(package.localPkg()) == int(package.downloadsize)
    except OSError:
        return False


def _changes(
    base: Any, items: list[Any], replaced: dict[Any, Any], asked_for: Collection[str]
) -> Iterator[Change]:
    for item in items:
        package, action = item.pkg, _ACTIONS.get(item.action)
        if action == plan.REMOVE:
            reason = (
                plan.ASKED_FOR if package.name in asked_for else _reason(base, package, asked_for)
            )
            yield Change(action, str(package), reason=reason, growth=-package.installsize)
        elif action is not None:
            old = replaced.get((package.name, package.arch))
            yield Change(
                action,
                str(package),
                replaces=str(old) if old else "",
                repository=package.reponame,
                download=0 if is_here(package) else package.downloadsize,
                growth=package.installsize - (old.installsize if old else 0),
            )


def _reason(base: Any, package: Any, asked_for: Collection[str]) -> str:
    """Why the package cannot stay, as far as its own relations and those of the others tell."""
    query = base.sack.query
    this = query().filterm(pkg=[package])
    incoming = list(base.transaction.install_set)
    for new in incoming:
        if query().filterm(pkg=[new]).filterm(obsoletes=this):
            return plan.obsoleted_by(new.name)
    for new in incoming:
        conflicts = list(new.conflicts)
        if conflicts and query().filterm(pkg=[package]).filterm(provides=conflicts):
            return plan.conflicts_with(new.name)
        opposed = list(package.conflicts)
        if opposed and query().filterm(pkg=[new]).filterm(provides=opposed):
            return plan.conflicts_with(new.name)
    # What was asked for first: it is the cause of what other removals drag along.
    outgoing = sorted(base.transaction.remove_set, key=lambda each: each.name not in asked_for)
    for old in outgoing:
        if old != package and this.filter(requires=query().filterm(pkg=[old])):
            return plan.needs(old.name)
    return plan.IN_THE_WAY
