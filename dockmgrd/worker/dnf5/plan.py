# SPDX-License-Identifier: LGPL-2.1-or-later
"""A transaction that libdnf5 has resolved, package by package, each removal with its reason."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

import libdnf5.rpm
import libdnf5.transaction

from dockmgrd.worker import plan
from dockmgrd.worker.protocol import Change

_ACTIONS = {
    libdnf5.transaction.TransactionItemAction_INSTALL: plan.INSTALL,
    libdnf5.transaction.TransactionItemAction_UPGRADE: plan.UPGRADE,
    libdnf5.transaction.TransactionItemAction_DOWNGRADE: plan.DOWNGRADE,
    libdnf5.transaction.TransactionItemAction_REMOVE: plan.REMOVE,
    libdnf5.transaction.TransactionItemAction_REPLACED: plan.REMOVE,
}
_INBOUND = (plan.INSTALL, plan.UPGRADE, plan.DOWNGRADE)


def list_changes(
    base: Any, transaction: Any, requested: Collection[str] = ()
) -> tuple[Change, ...]:
    """What the transaction does.

    :param requested: names of the packages whose removal was requested.
    """
    return tuple(_iterate_changes(base, list(transaction.get_transaction_packages()), requested))


def list_incoming(transaction: Any) -> list[Any]:
    """The packages that the transaction installs."""
    return [
        item.get_package()
        for item in transaction.get_transaction_packages()
        if _has_action(item, *_INBOUND)
    ]


def _iterate_changes(base: Any, items: list[Any], requested: Collection[str]) -> Iterator[Change]:
    relations = _Relations(base)
    olds = {id(item): _find_replaced(item) for item in items}
    kept_names = {old.get_nevra() for old in olds.values() if old is not None}
    new = [each.get_package() for each in items if _has_action(each, *_INBOUND)]
    gone = [
        each.get_package()
        for each in items
        if _has_action(each, plan.REMOVE) and each.get_package().get_nevra() not in kept_names
    ]
    for item in items:
        package, action = item.get_package(), _ACTIONS.get(item.get_action())
        nevra = package.get_nevra()
        if action == plan.REMOVE and nevra not in kept_names:
            reason = plan.find_reason(relations, package, new, gone, requested)
            yield Change(action, nevra, reason=reason, growth=-package.get_install_size())
        elif action in _INBOUND:
            old = olds[id(item)]
            yield Change(
                action,
                nevra,
                replaces=old.get_nevra() if old else "",
                repository=package.get_repo_id(),
                download=0 if package.is_available_locally() else package.get_download_size(),
                growth=package.get_install_size() - (old.get_install_size() if old else 0),
            )


def _has_action(item: Any, *actions: str) -> bool:
    return _ACTIONS.get(item.get_action()) in actions


def _find_replaced(item: Any) -> Any:
    """The installed package of the same name that the item replaces; what else goes is removed."""
    package = item.get_package()
    for each in item.get_replaces():
        if each.get_name() == package.get_name():
            return each
    return None


class _Relations:
    """See `plan.Relations`."""

    def __init__(self, base: Any) -> None:
        self._base = base

    def name(self, package: Any) -> str:
        name: str = package.get_name()
        return name

    def obsoletes(self, one: Any, other: Any) -> bool:
        query = self._query_package(one)
        query.filter_obsoletes(self._query_package(other))
        return not query.empty()

    def conflicts(self, one: Any, other: Any) -> bool:
        query = self._query_package(other)
        query.filter_provides(one.get_conflicts())
        return not query.empty()

    def requires(self, one: Any, other: Any) -> bool:
        query = self._query_package(one)
        query.filter_requires(self._query_package(other))
        return not query.empty()

    def _query_package(self, package: Any) -> Any:
        """A query with the one package in it."""
        packages = libdnf5.rpm.PackageSet(self._base)
        packages.add(package)
        return libdnf5.rpm.PackageQuery(packages)
