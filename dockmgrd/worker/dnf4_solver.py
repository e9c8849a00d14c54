# SPDX-License-Identifier: LGPL-2.1-or-later
"""What has to be done to have, or not to have, some packages: asked of dnf4's solver."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import dnf.exceptions
import hawkey
import rpm
from dnf import callback

from dockmgrd.errors import ConflictingPackages, ResolutionFailed
from dockmgrd.worker.protocol import InstallPackages, Outcome

_MOST_VERSIONS_SHOWN = 5


@dataclass(frozen=True)
class Plan:
    """What a resolved transaction does, as NEVRAs."""

    installed: tuple[str, ...] = ()
    upgraded: tuple[str, ...] = ()
    downgraded: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    """Erased, or taken away because something else obsoletes them."""

    def outcome(self, *, download_bytes: int, notes: tuple[str, ...]) -> Outcome:
        """The outcome of a transaction that did this."""
        return Outcome(
            changed=True,
            installed=self.installed,
            upgraded=self.upgraded,
            downgraded=self.downgraded,
            removed=self.removed,
            download_bytes=download_bytes,
            notes=notes,
        )


def satisfied(request: InstallPackages) -> bool:
    """Whether all of the request is so already, by rpm's database alone: no network is needed."""
    transaction = rpm.TransactionSet()
    try:
        return all(
            any(
                _accepted(request, name, header["version"], header["release"])
                for header in transaction.dbMatch("name", name)
            )
            for name in request.names
        )
    finally:
        transaction.closeDB()


def mark_install(base: Any, request: InstallPackages) -> bool:
    """Ask for what of the request is not so already; whether there is anything.

    :raises ResolutionFailed: when our repository does not have a package, or not the version.
    """
    installed = base.sack.query().installed()
    missing = [
        name for name in request.names if not _accepted_of(installed.filter(name=name), request)
    ]
    for name in missing:
        base.package_install(_candidate(base, request, name))
    return bool(missing)


def mark_remove(base: Any, names: Iterable[str]) -> bool:
    """Ask for the removal of those that are installed; whether there are any."""
    installed = list(base.sack.query().installed().filter(name=list(names)))
    for package in installed:
        base.package_remove(package)
    return bool(installed)


def resolve(base: Any) -> Plan:
    """Solve; what would go is in the plan, and nothing goes without need.

    :raises ResolutionFailed: with the solver's reason, when there is no way even with removals.
    """
    try:
        base.resolve(allow_erasing=False)
    except dnf.exceptions.DepsolveError:
        _resolve_erasing(base)
    return _plan(base)


def require_consent(removed: Iterable[str], cause: str, way_out: str) -> None:
    """:raises ConflictingPackages: naming every package that nobody agreed to remove."""
    names = sorted(removed)
    if names:
        raise ConflictingPackages(f"{cause}, and this would remove {', '.join(names)}; {way_out}.")


def _resolve_erasing(base: Any) -> None:
    try:
        base.resolve(allow_erasing=True)
    except dnf.exceptions.DepsolveError as error:
        [rules, *_] = base.goal.problem_rules()
        reason = "; ".join(reversed(rules))
        raise ResolutionFailed(
            f"dnf finds no way to do this: {reason}; enable the repository that has what is "
            "missing, or ask for another version."
        ) from error


def _candidate(base: Any, request: InstallPackages, name: str) -> Any:
    """The newest package of the name, and of the version where one was asked for."""
    offered = _offered(base, request, name)
    accepted = _accepted_of(offered, request)
    if accepted:
        return max(accepted)
    address = ", ".join(base.repos[request.repository].baseurl)
    if offered:
        versions = list(dict.fromkeys(each.version for each in sorted(offered, reverse=True)))
        raise ResolutionFailed(
            f"{name} {request.version} is not at {address}; the newest there are "
            f"{', '.join(versions[:_MOST_VERSIONS_SHOWN])}."
        )
    if _offered(base, request, name, flags=hawkey.IGNORE_EXCLUDES):
        raise ResolutionFailed(
            f"{name} is hidden from dnf by an exclude or a module; look at 'excludepkgs' in "
            "/etc/dnf/dnf.conf and in the repository files."
        )
    raise ResolutionFailed(
        f"There is no {name} at {address}; choose another source, or another channel."
    )


def _offered(base: Any, request: InstallPackages, name: str, flags: int = 0) -> list[Any]:
    """What our repository has of the name for this architecture. No other one counts."""
    variables = base.conf.substitutions
    architectures = [variables["arch"], variables["basearch"], "noarch"]
    query = base.sack.query(flags=flags).available()
    return list(query.filter(name=name, reponame=request.repository, arch=architectures))


def _accepted_of(packages: Iterable[Any], request: InstallPackages) -> list[Any]:
    return [each for each in packages if _accepted(request, each.name, each.version, each.release)]


def _accepted(request: InstallPackages, name: str, version: str, release: str) -> bool:
    """Whether a package is of the version asked for, which may have a release after a dash."""
    if not request.version or name not in request.versioned:
        return True
    return request.version in (version, f"{version}-{release}")


def _plan(base: Any) -> Plan:
    items: dict[int, list[str]] = {}
    for item in base.transaction or ():
        items.setdefault(item.action, []).append(str(item.pkg))

    def of(*actions: int) -> tuple[str, ...]:
        return tuple(sorted(name for action in actions for name in items.get(action, ())))

    return Plan(
        installed=of(callback.PKG_INSTALL),
        upgraded=of(callback.PKG_UPGRADE),
        downgraded=of(callback.PKG_DOWNGRADE),
        removed=of(callback.PKG_REMOVE, callback.PKG_OBSOLETED),
    )
