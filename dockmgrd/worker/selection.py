# SPDX-License-Identifier: LGPL-2.1-or-later
"""What has to be done to have, or not to have, the packages of a request."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import rpm

from dockmgrd.errors import ResolutionFailed
from dockmgrd.worker.backend import Backend, Package, newest_first
from dockmgrd.worker.faults import NotOffered
from dockmgrd.worker.protocol import MISSING, InstallPackages
from dockmgrd.worker.versions import nearest


def satisfied(request: InstallPackages) -> bool:
    """Whether all of the request is so already, by rpm's database alone: no network is needed."""
    if request.urls:
        return False
    transaction = rpm.TransactionSet()
    try:
        return all(
            any(
                _accepted(request, name, header["version"], header["release"])
                for header in transaction.dbMatch("name", name)
            )
            for name in (*request.names, *request.extras)
        )
    finally:
        transaction.closeDB()


def mark_install(
    backend: Backend, request: InstallPackages, files: Sequence[Package]
) -> list[Package]:
    """Ask for what of the request is not so already; the packages asked for.

    :param files: the packages that the request gives by address: they stand for their names.
    :raises ResolutionFailed: when our repository does not have a package, or not the version.
    """
    given = {each.name for each in files}
    missing = [
        _candidate(backend, request, name)
        for name in request.names
        if name not in given and not _accepted_of(backend.installed([name]), request)
    ]
    present = {each.nevra for each in backend.installed(given)}
    missing += [each for each in files if each.nevra not in present]
    missing += [_any(backend, name) for name in request.extras if not backend.installed([name])]
    for package in missing:
        backend.mark_install(package)
    return missing


def lacking(backend: Backend, request: InstallPackages, marked: Iterable[Package]) -> list[str]:
    """The names of the request that the marked packages need and cannot have as they are."""
    packages = list(marked)
    return [name for name in request.names if any(backend.lacks(each, name) for each in packages)]


def mark_remove(backend: Backend, names: Iterable[str]) -> bool:
    """Ask for the removal of those that are installed; whether there are any."""
    installed = backend.installed(names)
    for package in installed:
        backend.mark_remove(package)
    return bool(installed)


def no_way(reason: str) -> ResolutionFailed:
    """The error that gives the solver's own reason."""
    return ResolutionFailed(
        f"dnf finds no way to do this: {reason}; enable the repository that has what is "
        "missing, or ask for another version."
    )


def _candidate(backend: Backend, request: InstallPackages, name: str) -> Package:
    """The newest package of the name, and of the version where one was asked for."""
    there = newest_first(backend.offered([name]))
    accepted = _accepted_of(there, request)
    if accepted:
        return accepted[0]
    address = backend.address()
    if there:
        versions = list(dict.fromkeys(each.version for each in there))
        raise NotOffered(
            f"{name} {request.version} is not at {address}; the nearest there are "
            f"{', '.join(nearest(versions, request.version))}.",
            {MISSING: [name]},
        )
    if backend.hides(name):
        raise ResolutionFailed(
            f"{name} is hidden from dnf by an exclude or a module; look at 'excludepkgs' in "
            "/etc/dnf/dnf.conf and in the repository files, or switch the module off with "
            "'dnf module disable NAME'.",
            {MISSING: [name]},
        )
    raise NotOffered(
        f"There is no {name} at {address}; choose another source, or another channel.",
        {MISSING: [name]},
    )


def _any(backend: Backend, name: str) -> Package:
    """The newest package of the name in any repository."""
    available = newest_first(backend.available(name))
    if not available:
        raise ResolutionFailed(
            f"No enabled repository has {name}; enable the one that has it, or install without it."
        )
    return available[0]


def _accepted_of(packages: Iterable[Package], request: InstallPackages) -> list[Package]:
    return [each for each in packages if _accepted(request, each.name, each.version, each.release)]


def _accepted(request: InstallPackages, name: str, version: str, release: str) -> bool:
    """Whether a package is of the version asked for, which may have a release after a dash."""
    if not request.version or name not in request.versioned:
        return True
    return request.version in (version, f"{version}-{release}")
