# SPDX-License-Identifier: LGPL-2.1-or-later
"""What has to be done to have, or not to have, the packages of a request."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from dockmgrd.errors import ResolutionFailed
from dockmgrd.messages import dnf as messages
from dockmgrd.worker.backend import Backend, Package, sort_newest_first
from dockmgrd.worker.database import open_database
from dockmgrd.worker.faults import NotOffered, make_hidden_error
from dockmgrd.worker.protocol import MISSING, InstallPackages

_MAX_NEAREST = 5


def is_satisfied(request: InstallPackages) -> bool:
    """Whether nothing is left to do, by rpm's database alone: no network is needed.

    :raises TransactionFailed: when the database cannot be read.
    """
    if request.urls or request.upgrade:
        return False
    with open_database() as transaction:
        return all(
            any(
                _matches_version(request, name, header["version"], header["release"])
                for header in transaction.dbMatch("name", name)
            )
            for name in (*request.names, *request.extras)
        )


def mark_install(
    backend: Backend, request: InstallPackages, files: Sequence[Package]
) -> list[Package]:
    """Mark the packages that are still missing for installation, and return them.

    :param files: the packages that the request gives by URL; they replace those of their names.
    :raises ResolutionFailed: when our repository does not have a package, or not the version.
    """
    given = {each.name for each in files}
    candidates = (
        _find_missing(backend, request, name) for name in request.names if name not in given
    )
    missing = [package for package in candidates if package is not None]
    present = {each.nevra for each in backend.find_installed(given)}
    missing += [each for each in files if each.nevra not in present]
    missing += [
        _find_in_any_repository(backend, name)
        for name in request.extras
        if not backend.find_installed([name])
    ]
    for package in missing:
        backend.mark_install(package)
    return missing


def find_unmet_requirements(
    backend: Backend, request: InstallPackages, marked: Iterable[Package]
) -> list[str]:
    """The requested names that the marked packages require and that no repository provides."""
    packages = list(marked)
    return [
        name
        for name in request.names
        if any(backend.has_unmet_requirement(each, name) for each in packages)
    ]


def mark_remove(backend: Backend, names: Iterable[str]) -> bool:
    """Mark those that are installed for removal; whether there are any."""
    installed = backend.find_installed(names)
    for package in installed:
        backend.mark_remove(package)
    return bool(installed)


def _find_missing(backend: Backend, request: InstallPackages, name: str) -> Package | None:
    """The package to install for the name; None when what is installed is what was requested."""
    installed = _select_versions(backend.find_installed([name]), request)
    if not installed:
        return _find_candidate(backend, request, name)
    if not request.upgrade:
        return None
    offered = _select_versions(backend.find_offered([name]), request)
    newest = sort_newest_first([*installed, *offered])[0]
    return None if newest.nevra in {each.nevra for each in installed} else newest


def _find_candidate(backend: Backend, request: InstallPackages, name: str) -> Package:
    """The newest package of the name, and of the requested version if there is one."""
    there = sort_newest_first(backend.find_offered([name]))
    accepted = _select_versions(there, request)
    if accepted:
        return accepted[0]
    address = backend.address()
    barrier = backend.find_barrier(name, request.version if name in request.versioned else "")
    if barrier is not None:
        hidden = make_hidden_error(name, address, barrier)
        hidden.details = {MISSING: [name]}
        raise hidden
    if there:
        versions = list(dict.fromkeys(each.version for each in there))
        absent = messages.VERSION_NOT_IN_SOURCE(
            package=name,
            version=request.version,
            address=address,
            nearest=find_nearest(versions, request.version),
        )
    else:
        absent = messages.PACKAGE_NOT_IN_SOURCE(package=name, address=address)
    raise NotOffered(absent.with_remedy(messages.CHOOSE_SOURCE_OR_CHANNEL()), {MISSING: [name]})


def _find_in_any_repository(backend: Backend, name: str) -> Package:
    """The newest package of the name in any repository."""
    available = sort_newest_first(backend.find_available(name))
    if not available:
        missing = messages.EXTRA_PACKAGE_MISSING(package=name)
        raise ResolutionFailed(missing.with_remedy(messages.ENABLE_REPOSITORY_OR_OMIT()))
    return available[0]


def _select_versions(packages: Iterable[Package], request: InstallPackages) -> list[Package]:
    return [
        each
        for each in packages
        if _matches_version(request, each.name, each.version, each.release)
    ]


def _matches_version(request: InstallPackages, name: str, version: str, release: str) -> bool:
    """Whether a package has the requested version, which may include a release after a dash."""
    if not request.version or name not in request.versioned:
        return True
    return request.version in (version, f"{version}-{release}")


def find_nearest(versions: Sequence[str], wanted: str) -> list[str]:
    """The versions that are nearest to the wanted one, in the order given.

    Nearest are those that share the most numbers from the left, and then differ least.
    """
    closest = sorted(versions, key=lambda each: _distance(_numbers(each), _numbers(wanted)))
    kept = set(closest[:_MAX_NEAREST])
    return [each for each in versions if each in kept]


def _numbers(version: str) -> list[int]:
    return [int(each) for each in re.findall(r"[0-9]+", version.partition("-")[0])]


def _distance(one: list[int], other: list[int]) -> list[int]:
    length = max(len(one), len(other))
    padded = zip(one + [0] * (length - len(one)), other + [0] * (length - len(other)))
    return [abs(a - b) for a, b in padded]
