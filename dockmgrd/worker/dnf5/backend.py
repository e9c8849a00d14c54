# SPDX-License-Identifier: LGPL-2.1-or-later
"""The backend for dnf5."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import libdnf5.base
import libdnf5.repo
import libdnf5.rpm

from dockmgrd.enums import Stage
from dockmgrd.messages import dnf as messages
from dockmgrd.messages.text import Text
from dockmgrd.worker import faults, space
from dockmgrd.worker.backend import Package, PackageFile, Verdict
from dockmgrd.worker.channel import Channel
from dockmgrd.worker.dnf5 import base as dnf5_base
from dockmgrd.worker.dnf5 import plan as dnf5_plan
from dockmgrd.worker.dnf5.progress import TransactionProgress
from dockmgrd.worker.faults import Barrier
from dockmgrd.worker.protocol import Change, InstallPackages, ListPackages

_Checked = libdnf5.rpm.RpmSignature
_GOOD = (_Checked.CheckResult_OK, _Checked.CheckResult_SKIPPED)
_KEY_MAY_HELP = (_Checked.CheckResult_FAILED_KEY_MISSING, _Checked.CheckResult_FAILED_NOT_TRUSTED)

# An older libdnf5 does not have the name: a lock is an exclude for it.
_LOCKED = getattr(libdnf5.base, "GoalProblem_EXCLUDED_VERSIONLOCK", 0)

_LOCK_FILE = Path("/etc/dnf/versionlock.toml")
_LOCKED_NAME = re.compile(r"""^\s*name\s*=\s*["']([^"']+)["']""", re.MULTILINE)

_COMMAND_LINE = "@commandline"  # id of the repository of packages that are given as files


@contextmanager
def open_backend(*, weak_dependencies: bool, cache: Path | None = None) -> Iterator[Dnf5]:
    """See `backend.Module`."""
    with dnf5_base.open_base(cache) as base:
        base.get_config().install_weak_deps = weak_dependencies
        yield Dnf5(base)


class Dnf5:
    """See `backend.Backend`."""

    def __init__(self, base: Any) -> None:
        self._base = base
        self._goal = libdnf5.base.Goal(base)
        self._transaction: Any = None
        self._repositories: dnf5_base.Repositories | None = None
        self._ours = ""
        config = base.get_config()
        self.cache = Path(config.cachedir)
        self.offline = config.cacheonly not in ("", "none")

    def load_system(self) -> None:
        self._base.get_repo_sack().load_repos(libdnf5.repo.Repo.Type_SYSTEM)

    def load(
        self, request: InstallPackages | ListPackages, channel: Channel, *, alone: bool
    ) -> tuple[Text, ...]:
        self._ours = request.repository
        self._repositories = dnf5_base.Repositories(self._base, channel)
        return self._repositories.load(request, alone=alone)

    def fetch(self, url: str, path: Path) -> None:
        downloader = libdnf5.repo.FileDownloader(self._base)
        downloader.add(url, str(path))
        try:
            downloader.download()
        except dnf5_base.ERRORS as error:
            reason = self._require_repositories().downloads.find_reason(url)
            raise OSError(reason or dnf5_base.format_error(error)) from error

    def add_files(self, paths: Sequence[Path]) -> list[Package]:
        sack = self._base.get_repo_sack()
        try:
            sack.add_cmdline_packages([str(path) for path in paths])
        except dnf5_base.ERRORS as error:
            raise ValueError(str(error)) from error
        # What that returns cannot be read in Python everywhere.
        query = libdnf5.rpm.PackageQuery(self._base)
        query.filter_repo_id([_COMMAND_LINE])
        return _make_packages(query)

    def find_installed(self, names: Iterable[str]) -> list[Package]:
        query = libdnf5.rpm.PackageQuery(self._base)
        query.filter_installed()
        query.filter_name(list(names))
        return _make_packages(query)

    def find_offered(self, names: Iterable[str]) -> list[Package]:
        variables = self._base.get_vars()
        query = self._available(names)
        query.filter_repo_id([self._ours])
        query.filter_arch([variables.get_value("arch"), variables.get_value("basearch"), "noarch"])
        return _make_packages(query)

    def find_barrier(self, name: str, version: str) -> Barrier | None:
        # The flag with which queries see what is hidden does not exist in Python.
        goal = libdnf5.base.Goal(self._base)
        settings = libdnf5.base.GoalJobSettings()
        settings.set_to_repo_ids([self._ours])
        goal.add_rpm_install(f"{name}-{version}" if version else name, settings)
        problems = goal.resolve().get_problems()
        if problems & _LOCKED:
            return Barrier.VERSION_LOCK
        if not problems & libdnf5.base.GoalProblem_EXCLUDED:
            return None
        if not _LOCKED and name in _read_locked_names():
            return Barrier.VERSION_LOCK
        repository = self._require_repositories().find_repository(self._ours)
        configurations = (self._base.get_config(), repository.get_config())
        if any(list(each.includepkgs) for each in configurations):
            return Barrier.EXCLUDE
        # What is hidden cannot be asked for its version in Python, so names have to do.
        patterns = [pattern for each in configurations for pattern in each.excludepkgs]
        is_excluded = any(fnmatchcase(name, each) or each.startswith(name) for each in patterns)
        return Barrier.EXCLUDE if is_excluded else Barrier.MODULE

    def has_unmet_requirement(self, package: Package, name: str) -> bool:
        for each in package.handle.get_requires():
            if each.get_name() == name:
                wanted_one = libdnf5.rpm.ReldepList(self._base)
                wanted_one.add(each)
                query = libdnf5.rpm.PackageQuery(self._base)
                query.filter_provides(wanted_one)
                if query.empty():
                    return True
        return False

    def find_available(self, name: str) -> list[Package]:
        return _make_packages(self._available([name]))

    def address(self) -> str:
        return dnf5_base.find_address(self._require_repositories().find_repository(self._ours))

    def mark_install(self, package: Package) -> None:
        self._goal.add_rpm_install(package.handle)

    def mark_remove(self, package: Package) -> None:
        self._goal.add_rpm_remove(package.handle)

    def resolve(self) -> None:
        for allowed in (False, True):
            self._goal.set_allow_erasing(allowed)
            self._transaction = self._goal.resolve()
            if not self._transaction.get_problems():
                return
        raise faults.make_resolution_error(_describe_problems(self._transaction))

    def changes(self, requested: Collection[str] = ()) -> tuple[Change, ...]:
        return dnf5_plan.list_changes(self._base, self._transaction, requested)

    def incoming(self) -> list[PackageFile]:
        return [self._make_file(each) for each in dnf5_plan.list_incoming(self._transaction)]

    def download(
        self, files: Sequence[PackageFile], channel: Channel, on_arrival: Callable[[str], None]
    ) -> None:
        downloads = self._require_repositories().downloads
        in_full = {each.handle.get_full_nevra(): each.nevra for each in files}
        downloads.expect_packages(in_full, on_arrival)
        try:
            self._transaction.download()
        except dnf5_base.ERRORS as error:
            space.require_not_exhausted(self.cache, messages.SPACE_TO_DOWNLOAD())
            # The first failure ends the downloads of all others, so they have failed, too.
            by_nevra = {each.nevra: each for each in files}
            ended = [by_nevra[each] for each in downloads.failures if each in by_nevra]
            failed = (ended or files)[0]
            reason = downloads.find_reason(failed.nevra) or dnf5_base.format_error(error)
            raise faults.make_repository_error(
                failed.address, reason, ours=failed.repository == self._ours
            ) from error

    def judge(self, file: PackageFile) -> tuple[Verdict, str]:
        result = _Checked(self._base).check_package_signature(file.handle)
        if result in _GOOD:
            return Verdict.GOOD, ""
        verdict = Verdict.KEY_MISSING if result in _KEY_MAY_HELP else Verdict.BAD
        return verdict, _Checked.check_result_to_string(result)

    def run(self, channel: Channel, stage: Stage) -> list[Text]:
        dnf5_base.require_free()
        transaction = self._transaction
        progress = TransactionProgress(channel, stage)
        transaction.set_callbacks(libdnf5.rpm.TransactionCallbacksUniquePtr(progress))
        transaction.set_description("dockmgrd")
        try:
            result = transaction.run()
        except dnf5_base.ERRORS as error:
            raise self._make_failure(progress, [dnf5_base.format_error(error)]) from error
        if result == libdnf5.base.Transaction.TransactionRunResult_ERROR_LOCK:
            dnf5_base.require_free()
        if result != libdnf5.base.Transaction.TransactionRunResult_SUCCESS:
            problems = [
                *transaction.get_transaction_problems(),
                *transaction.get_gpg_signature_problems(),
            ] or [libdnf5.base.Transaction.transaction_result_to_string(result)]
            raise self._make_failure(progress, problems)
        return progress.warnings

    def _make_failure(self, progress: TransactionProgress, problems: Iterable[str]) -> Exception:
        failed = [messages.PACKAGES_FAILED(packages=progress.failed)] if progress.failed else []
        reasons: list[Text | str] = [
            *failed,
            *(each.rstrip(".") for each in problems),
            *progress.warnings,
        ]
        log = Path(self._base.get_config().logdir, dnf5_base.LOG)
        return faults.make_transaction_error(reasons, began=progress.began, log=str(log))

    def _require_repositories(self) -> dnf5_base.Repositories:
        assert self._repositories is not None, "load() must come first"
        return self._repositories

    def _available(self, names: Iterable[str]) -> Any:
        query = libdnf5.rpm.PackageQuery(self._base)
        query.filter_available()
        query.filter_name(list(names))
        return query

    def _make_file(self, package: Any) -> PackageFile:
        repository = self._require_repositories().find_repository(package.get_repo_id())
        return PackageFile(
            name=package.get_name(),
            nevra=package.get_nevra(),
            path=Path(package.get_package_path()),
            repository=package.get_repo_id(),
            address=dnf5_base.find_address(repository),
            key_urls=tuple(repository.get_config().gpgkey),
            handle=package,
        )


def _read_locked_names() -> set[str]:
    """The names of the packages in the file of dnf5's versionlock command."""
    try:
        text = _LOCK_FILE.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return set()
    return set(_LOCKED_NAME.findall(text))


def _describe_problems(transaction: Any) -> str:
    """What the solver says, as one line; or what was wrong before it was asked.

    Its rules by themselves cannot be had in Python.
    """
    events = transaction.get_resolve_logs()
    texts = [
        each.get_solver_problems().to_string() for each in events if each.get_solver_problems()
    ]
    lines = "\n".join(texts or transaction.get_resolve_logs_as_strings()).splitlines()
    return "; ".join(each.strip(" -") for each in lines if each.strip(" -"))


def _make_packages(found: Iterable[Any]) -> list[Package]:
    return [
        Package(
            name=each.get_name(),
            epoch=each.get_epoch(),
            version=each.get_version(),
            release=each.get_release(),
            nevra=each.get_nevra(),
            built=int(each.get_build_time()),
            size=int(each.get_download_size()),
            handle=each,
        )
        for each in found
    ]
