# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a package manager's API has to offer, so that one way of working does for all of them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import Enum
from functools import cmp_to_key
from pathlib import Path
from typing import Any, Protocol

import rpm

from dockmgrd.model import Stage
from dockmgrd.worker.channel import Channel
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

    def load_system(self) -> None:
        """Read the host's package database and nothing else."""

    def load(
        self, request: InstallPackages | ListPackages, channel: Channel, *, alone: bool
    ) -> tuple[str, ...]:
        """Read the package database and the metadata of all enabled repositories.

        Ours must work, and its metadata is always looked at anew; any other may fail.

        :param alone: leave the database out, and all repositories but ours.
        :returns: a sentence on each repository that was skipped.
        :raises ConfigConflict: when another file than ours defines our repository.
        :raises SourceUnreachable: when ours fails.
        :raises InsufficientSpace: when the metadata cannot be stored.
        """

    def fetch(self, url: str, path: Path) -> None:
        """Fetch a file. :raises OSError: when it cannot be had."""

    def add_files(self, paths: Sequence[Path]) -> list[Package]:
        """Make package files known to the solver. :raises ValueError: when one is none."""

    def installed(self, names: Iterable[str]) -> list[Package]: ...

    def offered(self, names: Iterable[str]) -> list[Package]:
        """What our repository has for this architecture."""

    def hides(self, name: str) -> bool:
        """Whether our repository has it, and excludes or modules hide it from the solver."""

    def lacks(self, package: Package, name: str) -> bool:
        """Whether the package requires something of that name that no repository has."""

    def available(self, name: str) -> list[Package]:
        """What any repository has of the name for this host."""

    def address(self) -> str:
        """Of our repository."""

    def mark_install(self, package: Package) -> None: ...

    def mark_remove(self, package: Package) -> None: ...

    def resolve(self) -> None:
        """Solve; nothing goes without need.

        :raises ResolutionFailed: when there is no way even with removals.
        """

    def changes(self, asked_for: Collection[str] = ()) -> tuple[Change, ...]:
        """What the resolved transaction does.

        :param asked_for: names of packages whose removal was the request.
        """

    def incoming(self) -> list[PackageFile]:
        """The package files that the resolved transaction installs."""

    def download(
        self, files: Sequence[PackageFile], channel: Channel, arrived: Callable[[str], None]
    ) -> None:
        """Fetch those that are not here yet.

        :param arrived: told the NEVRA of each that has been fetched, as soon as it is whole; it
            must not raise.
        :raises SourceUnreachable: when one cannot be had, or is not what the metadata says.
        """

    def judge(self, file: PackageFile) -> tuple[Verdict, str]:
        """What the host's own rules say of the file, and why. No key is imported."""

    def run(self, channel: Channel, stage: Stage) -> list[str]:
        """Have rpm do the transaction; what it complained about without failing.

        :raises TransactionFailed: when rpm refuses, or fails in it.
        """


class Module(Protocol):
    """What a backend's module offers."""

    def opened(
        self, *, weak_dependencies: bool, cache: Path | None = None
    ) -> AbstractContextManager[Backend]:
        """The API with the host's configuration and repositories, closed at the end.

        :param cache: a folder for metadata that nobody else knows. With one, no lock of the host
            is asked or taken: it is for who only looks at repositories.
        :raises ConfigInvalid: when the package manager's own configuration cannot be read.
        """


def newest_first(packages: Iterable[Package]) -> list[Package]:
    """In the order of rpm's own comparison."""

    def compare(one: Package, other: Package) -> int:
        order: int = rpm.labelCompare(
            (one.epoch, one.version, one.release), (other.epoch, other.version, other.release)
        )
        return order

    return sorted(packages, key=cmp_to_key(compare), reverse=True)
