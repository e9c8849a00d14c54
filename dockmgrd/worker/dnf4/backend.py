# SPDX-License-Identifier: LGPL-2.1-or-later
"""The backend for dnf4."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import dnf.exceptions
import hawkey
import libdnf.transaction

from dockmgrd.enums import Stage
from dockmgrd.messages import dnf as messages
from dockmgrd.messages.text import Text
from dockmgrd.worker import faults, space
from dockmgrd.worker.backend import Package, PackageFile, Verdict
from dockmgrd.worker.channel import Channel
from dockmgrd.worker.dnf4 import base as dnf4_base
from dockmgrd.worker.dnf4 import plan as dnf4_plan
from dockmgrd.worker.dnf4.progress import DownloadProgress, TransactionProgress
from dockmgrd.worker.faults import Barrier
from dockmgrd.worker.protocol import Change, InstallPackages, ListPackages

_LOG = "/var/log/dnf.rpm.log"
# What package_signature_check says.
_GOOD, _KEY_MAY_HELP = 0, 1


@contextmanager
def open_backend(*, weak_dependencies: bool, cache: Path | None = None) -> Iterator[Dnf4]:
    """See `backend.Module`."""
    with dnf4_base.open_base(cache) as base:
        base.conf.install_weak_deps = weak_dependencies
        yield Dnf4(base)


class Dnf4:
    """See `backend.Backend`."""

    def __init__(self, base: Any) -> None:
        self._base = base
        self._repository = ""
        self.cache = Path(base.conf.cachedir)
        self.offline = bool(base.conf.cacheonly)

    def load_system(self) -> None:
        self._base.fill_sack(load_system_repo=True, load_available_repos=False)

    def load(
        self, request: InstallPackages | ListPackages, channel: Channel, *, alone: bool
    ) -> tuple[Text, ...]:
        self._repository = request.repository
        if alone:
            for each in self._base.repos.all():
                each.disable()
        return dnf4_base.load_repositories(self._base, request, channel, database=not alone)

    def fetch(self, url: str, path: Path) -> None:
        with self._base.urlopen(url) as answer, path.open("wb") as file:
            for block in iter(lambda: answer.read(1 << 20), b""):
                file.write(block)

    def add_files(self, paths: Sequence[Path]) -> list[Package]:
        try:
            return _make_packages(self._base.add_remote_rpms([str(path) for path in paths]))
        except (OSError, dnf.exceptions.Error) as error:
            raise ValueError(str(error)) from error

    def find_installed(self, names: Iterable[str]) -> list[Package]:
        return _make_packages(self._base.sack.query().installed().filter(name=list(names)))

    def find_offered(self, names: Iterable[str]) -> list[Package]:
        return _make_packages(self._query_ours(names))

    def find_barrier(self, name: str, version: str) -> Barrier | None:
        def find(flags: int) -> list[Any]:
            return [
                each
                for each in self._query_ours([name], flags=flags)
                if version in ("", each.version, f"{each.version}-{each.release}")
            ]

        hidden = find(hawkey.IGNORE_EXCLUDES)
        if not hidden:
            return None
        if find(hawkey.IGNORE_MODULAR_EXCLUDES):
            return Barrier.MODULE
        # Locks are excludes of a plugin's, and so are in no configuration.
        configurations = (self._base.conf, self._base.repos[self._repository])
        includes = [pattern for each in configurations for pattern in each.includepkgs]
        excludes = [pattern for each in configurations for pattern in each.excludepkgs]
        if includes or any(_matches(each, pattern) for each in hidden for pattern in excludes):
            return Barrier.EXCLUDE
        return Barrier.VERSION_LOCK

    def has_unmet_requirement(self, package: Package, name: str) -> bool:
        return any(
            not self._base.sack.query().filter(provides=each)
            for each in package.handle.requires
            if str(each).partition(" ")[0] == name
        )

    def find_available(self, name: str) -> list[Package]:
        return _make_packages(self._base.sack.query().available().filter(name=name))

    def address(self) -> str:
        return dnf4_base.find_address(self._base.repos[self._repository])

    def mark_install(self, package: Package) -> None:
        self._base.package_install(package.handle)

    def mark_remove(self, package: Package) -> None:
        self._base.package_remove(package.handle)

    def resolve(self) -> None:
        try:
            self._base.resolve(allow_erasing=False)
        except dnf.exceptions.DepsolveError:
            self._resolve_erasing()

    def changes(self, requested: Collection[str] = ()) -> tuple[Change, ...]:
        return dnf4_plan.list_changes(self._base, requested)

    def incoming(self) -> list[PackageFile]:
        return [self._make_file(each) for each in self._base.transaction.install_set]

    def download(
        self, files: Sequence[PackageFile], channel: Channel, on_arrival: Callable[[str], None]
    ) -> None:
        progress = DownloadProgress(channel, on_arrival)
        try:
            self._base.download_packages([each.handle for each in files], progress)
        except dnf.exceptions.DownloadError as error:
            space.require_not_exhausted(self.cache, messages.SPACE_TO_DOWNLOAD())
            package, reasons = next(iter(error.errmap.items()))
            name = package.reponame if package else self._repository
            reason = progress.failures.get(str(package), reasons[0])
            raise faults.make_repository_error(
                dnf4_base.find_address(self._base.repos[name]),
                reason,
                ours=name == self._repository,
            ) from error
        except dnf.exceptions.Error as error:
            if not self.offline:
                raise
            reason = dnf4_base.format_error(error)
            raise faults.make_repository_error(self.address(), reason) from error

    def judge(self, file: PackageFile) -> tuple[Verdict, str]:
        result, reason = self._base.package_signature_check(file.handle)
        if result == _GOOD:
            return Verdict.GOOD, ""
        return Verdict.KEY_MISSING if result == _KEY_MAY_HELP else Verdict.BAD, reason

    def run(self, channel: Channel, stage: Stage) -> list[Text]:
        display = TransactionProgress(channel, stage)
        try:
            self._base.do_transaction(display)
        except dnf.exceptions.LockError:
            raise
        except dnf.exceptions.Error as error:
            reason = dnf4_base.format_error(error).rstrip(".")
            raise faults.make_transaction_error(
                [reason, *display.warnings], began=display.began, log=_LOG
            ) from error
        failed = [
            str(item.pkg)
            for item in self._base.transaction
            if item.state == libdnf.transaction.TransactionItemState_ERROR
        ]
        if failed:
            failure = messages.PACKAGES_FAILED(packages=failed)
            raise faults.make_transaction_error(
                [failure, *display.warnings], began=display.began, log=_LOG
            )
        return display.warnings

    def _query_ours(self, names: Iterable[str], flags: int = 0) -> Any:
        variables = self._base.conf.substitutions
        architectures = [variables["arch"], variables["basearch"], "noarch"]
        query = self._base.sack.query(flags=flags).available()
        return query.filter(name=list(names), reponame=self._repository, arch=architectures)

    def _resolve_erasing(self) -> None:
        try:
            self._base.resolve(allow_erasing=True)
        except dnf.exceptions.DepsolveError as error:
            [rules, *_] = self._base.goal.problem_rules()
            raise faults.make_resolution_error("; ".join(reversed(rules))) from error

    def _make_file(self, package: Any) -> PackageFile:
        repository = self._base.repos.get(package.reponame)
        return PackageFile(
            name=package.name,
            nevra=str(package),
            path=Path(package.localPkg()),
            repository=package.reponame,
            address=dnf4_base.find_address(repository) if repository else package.reponame,
            key_urls=tuple(repository.gpgkey) if repository else (),
            handle=package,
        )


def _matches(package: Any, pattern: str) -> bool:
    """Whether dnf takes the pattern of an exclude for the package."""
    name, version, release = package.name, package.version, package.release
    with_epoch = f"{name}-{package.epoch}:{version}-{release}"
    forms = (name, f"{name}-{version}", f"{name}-{version}-{release}", with_epoch)
    return any(
        fnmatchcase(form, pattern) or fnmatchcase(f"{form}.{package.arch}", pattern)
        for form in forms
    )


def _make_packages(found: Iterable[Any]) -> list[Package]:
    return [
        Package(
            name=each.name,
            epoch=str(each.epoch),
            version=each.version,
            release=each.release,
            nevra=str(each),
            built=int(each.buildtime),
            size=int(each.downloadsize),
            handle=each,
        )
        for each in found
    ]
