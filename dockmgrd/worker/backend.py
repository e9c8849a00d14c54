# SPDX-License-Identifier: LGPL-2.1-or-later
"""The interface that both versions of dnf implement, so that the rest of the worker is the same."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import Enum
from functools import cmp_to_key
from pathlib import Path
from typing import Any, Protocol

import rpm

from dockmgrd.enums import Stage
from dockmgrd.messages.text import Text
from dockmgrd.worker.channel import Channel
from dockmgrd.worker.faults import Barrier
from dockmgrd.worker.protocol import Change, InstallPackages, ListPackages


@dataclass(frozen=True)
class Package:
    """A package of the host's database or of a repository."""

    name: str
    epoch: str
    version: str
    release: str
    nevra: str
    """Without an epoch that is 0."""
    built: int
    """Seconds since the epoch."""
    size: int
    """Of the file, in bytes."""
    handle: Any
    """The API's own object."""


@dataclass(frozen=True)
class PackageFile:
    """The file of a package that a resolved transaction installs."""

    name: str
    nevra: str
    path: Path
    """Where it is, or will be."""
    repository: str
    address: str
    """Of the repository."""
    key_urls: tuple[str, ...]
    """Where the repository's file says its keys are."""
    handle: Any


class Verdict(Enum):
    """What the host's own rules and keys say of a package file."""

    GOOD = "good"
    KEY_MISSING = "key missing"
    BAD = "bad"


class Backend(Protocol):
    """A package manager's API, opened for one request.

    Any method raises PackageManagerLocked when another process works with packages.
    """

    cache: Path
    """Where metadata and package files are kept."""
    offline: bool
    """Whether the configuration says not to use the network."""

    def load_system(self) -> None:
        """Read the host's package database alone."""

    def load(
        self, request: InstallPackages | ListPackages, channel: Channel, *, alone: bool
    ) -> tuple[Text, ...]:
        """Read the package database and the metadata of all enabled repositories.

        Our repository must work, and its metadata is always refreshed; others may fail.

        :param alone: leave the database out, and all repositories but ours.
        :returns: a note on each repository that was skipped.
        :raises ConfigConflict: when another file than ours defines our repository.
        :raises SourceUnreachable: when ours fails.
        :raises InsufficientSpace: when the metadata cannot be stored.
        """

    def fetch(self, url: str, path: Path) -> None:
        """Fetch a file. :raises OSError: when it cannot be had."""

    def add_files(self, paths: Sequence[Path]) -> list[Package]:
        """Make package files known to the solver. :raises ValueError: if a file is not an RPM."""

    def find_installed(self, names: Iterable[str]) -> list[Package]: ...

    def find_offered(self, names: Iterable[str]) -> list[Package]:
        """What our repository has for this architecture."""

    def find_barrier(self, name: str, version: str) -> Barrier | None:
        """What hides a package of our repository from the solver; None when nothing does.

        :param version: the version to look for; "" for any.
        """

    def has_unmet_requirement(self, package: Package, name: str) -> bool:
        """Whether the package requires something of that name that no repository provides."""

    def find_available(self, name: str) -> list[Package]:
        """Packages of the name for this host in any repository."""

    def address(self) -> str:
        """Of our repository."""

    def mark_install(self, package: Package) -> None: ...

    def mark_remove(self, package: Package) -> None: ...

    def resolve(self) -> None:
        """Resolve, with as few removals as possible.

        :raises ResolutionFailed: when it cannot be resolved even with removals.
        """

    def changes(self, requested: Collection[str] = ()) -> tuple[Change, ...]:
        """What the resolved transaction does.

        :param requested: names of the packages whose removal was requested.
        """

    def incoming(self) -> list[PackageFile]:
        """The package files that the resolved transaction installs."""

    def download(
        self, files: Sequence[PackageFile], channel: Channel, on_arrival: Callable[[str], None]
    ) -> None:
        """Fetch those that are not here yet.

        :param on_arrival: called with the NEVRA of each as soon as its file is complete; it must
            not raise.
        :raises SourceUnreachable: when one cannot be had, or is not what the metadata says.
        """

    def judge(self, file: PackageFile) -> tuple[Verdict, str]:
        """What the host's own rules say of the file, and why. No key is imported."""

    def run(self, channel: Channel, stage: Stage) -> list[Text]:
        """Run the transaction; returns the warnings of rpm.

        :raises TransactionFailed: when rpm refuses, or fails in it.
        """


class Module(Protocol):
    """What a backend's module offers."""

    def open_backend(
        self, *, weak_dependencies: bool, cache: Path | None = None
    ) -> AbstractContextManager[Backend]:
        """The API with the host's configuration and repositories, closed at the end.

        :param cache: a private folder for metadata. With one, no lock of the host is checked or
            taken: it is for requests that only read repositories.
        :raises ConfigInvalid: when the package manager's own configuration cannot be read.
        """


def sort_newest_first(packages: Iterable[Package]) -> list[Package]:
    """In the order of rpm's own comparison."""

    def compare(one: Package, other: Package) -> int:
        order: int = rpm.labelCompare(
            (one.epoch, one.version, one.release), (other.epoch, other.version, other.release)
        )
        return order

    return sorted(packages, key=cmp_to_key(compare), reverse=True)
