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


def list_changes(base: Any, requested: Collection[str] = ()) -> tuple[Change, ...]:
    """What the transaction of `base` does.

    :param requested: names of the packages whose removal was requested.
    """
    items = list(base.transaction or ())
    replaced = {
        (each.pkg.name, each.pkg.arch): each.pkg
        for each in items
        if each.action in (callback.PKG_UPGRADED, callback.PKG_DOWNGRADED)
    }
    return tuple(_iterate_changes(base, items, replaced, requested))


def is_downloaded(package: Any) -> bool:
    """Whether the whole file of the package is on this host already."""
    try:
        return os.path.getsize(package.localPkg()) == int(package.downloadsize)
    except OSError:
        return False


def _iterate_changes(
    base: Any, items: list[Any], replaced: dict[Any, Any], requested: Collection[str]
) -> Iterator[Change]:
    for item in items:
        package, action = item.pkg, _ACTIONS.get(item.action)
        if action == plan.REMOVE:
            reason = plan.find_reason(
                _Relations(base),
                package,
                base.transaction.install_set,
                base.transaction.remove_set,
                requested,
            )
            yield Change(action, str(package), reason=reason, growth=-package.installsize)
        elif action is not None:
            old = replaced.get((package.name, package.arch))
            yield Change(
                action,
                str(package),
                replaces=str(old) if old else "",
                repository=package.reponame,
                download=0 if is_downloaded(package) else package.downloadsize,
                growth=package.installsize - (old.installsize if old else 0),
            )


class _Relations:
    """See `plan.Relations`."""

    def __init__(self, base: Any) -> None:
        self._base = base

    def name(self, package: Any) -> str:
        name: str = package.name
        return name

    def obsoletes(self, one: Any, other: Any) -> bool:
        return bool(self._query_package(one).filterm(obsoletes=self._query_package(other)))

    def conflicts(self, one: Any, other: Any) -> bool:
        opposed = list(one.conflicts)
        return bool(opposed and self._query_package(other).filterm(provides=opposed))

    def requires(self, one: Any, other: Any) -> bool:
        return bool(self._query_package(one).filterm(requires=self._query_package(other)))

    def _query_package(self, package: Any) -> Any:
        """A query with the one package in it."""
        return self._base.sack.query().filterm(pkg=[package])
