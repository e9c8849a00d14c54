# SPDX-License-Identifier: LGPL-2.1-or-later
"""dnf4's Base, configured as the host's dnf would be, with what a job without a person needs."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import dnf
import dnf.callback
import dnf.exceptions
import dnf.plugin
import hawkey
import libdnf.error

from dockmgrd import paths
from dockmgrd.enums import Stage
from dockmgrd.errors import PackageManagerLocked
from dockmgrd.messages import dnf as messages
from dockmgrd.messages.text import Text
from dockmgrd.worker import faults, history, locks, space
from dockmgrd.worker.channel import Channel
from dockmgrd.worker.protocol import InstallPackages, ListPackages


@contextmanager
def open_base(cache: Path | None = None) -> Iterator[Any]:
    """A Base with the host's configuration, plugins and repositories; closed at the end.

    :param cache: see `backend.Module`.
    :raises ConfigInvalid: when dnf's own configuration cannot be read.
    :raises ConfigConflict: when it does not let transactions change the host as usual.
    :raises PackageManagerLocked: when, at any time in the context, another process works.
    :raises TransactionFailed: when dnf fails in the context with another error of its own.
    """
    with ExitStack() as stack:
        try:
            base = stack.enter_context(dnf.Base())  # It reads rpm's database for the release.
            stack.callback(_unload_plugins, base)
            _configure_readably(base, cache)
            pid_files = _list_pid_files(base)
            if cache is None:
                faults.require_suitable_settings(base.conf.tsflags, base.conf.installroot)
                locks.require_rpm_free()
                for file in pid_files:
                    locks.require_pid_file_free(file)
                history.require_usable(Path(base.conf.persistdir, "history.sqlite"))
            yield base
        except dnf.exceptions.ConfigError as error:
            raise faults.make_configuration_error(format_error(error)) from error
        except dnf.exceptions.ProcessLockError as error:
            raise locks.make_pid_file_error(pid_files, error.pid) from error
        except dnf.exceptions.LockError as error:
            raise PackageManagerLocked(
                messages.PACKAGE_MANAGER_LOCKED_BY_DNF(reason=format_error(error).rstrip("."))
            ) from error
        except (dnf.exceptions.Error, hawkey.Exception, libdnf.error.Error) as error:
            raise faults.make_package_manager_error(format_error(error)) from error


def _unload_plugins(base: Any) -> None:
    """Unload them: otherwise there could be no second Base in this process."""
    if dnf.plugin.DYNAMIC_PACKAGE in sys.modules:
        # dnf has the public name since 4.14:
        # https://github.com/rpm-software-management/dnf/pull/1856
        getattr(base, "unload_plugins", base._plugins._unload)()


def load_repositories(
    base: Any, request: InstallPackages | ListPackages, channel: Channel, *, database: bool
) -> tuple[Text, ...]:
    """Read the metadata of all enabled repositories.

    Our repository must work, and its metadata is always refreshed; others may fail.

    :param database: read the host's package database, too.
    :returns: a note on each repository that was skipped.
    :raises ConfigConflict: when another file than ours defines the repository.
    :raises SourceUnreachable: when ours fails.
    :raises InsufficientSpace: when the metadata cannot be stored.
    """
    if request.base_url:
        _define_repository(base, request)
    ours = base.repos.get(request.repository)
    faults.require_our_definition(request.repository, ours and ours.repofile)
    for each in base.repos.all():
        each.skip_if_unavailable = each is not ours
    ours.enable()
    ours.metadata_expire = 0
    ours.timeout = min(ours.timeout, faults.SOURCE_TIMEOUT)
    ours._repo.setMaxMirrorTries(faults.MAX_TRIES)
    broken = [each for each in base.repos.iter_enabled() if not _has_address(each)]
    for each in broken:
        each.disable()
    enabled = list(base.repos.iter_enabled())
    for position, each in enumerate(enabled):
        each.set_progress_bar(_MetadataProgress(channel, each.id, position, len(enabled)))
    channel.progress(Stage.METADATA, 0.0)
    with _collect_warnings() as warnings:
        try:
            base.fill_sack(load_system_repo=database, load_available_repos=True)
        except dnf.exceptions.RepoError as error:
            space.require_not_exhausted(Path(base.conf.cachedir), messages.SPACE_FOR_METADATA())
            reason = _find_reason(warnings) or format_error(error)
            raise faults.make_repository_error(find_address(ours), reason) from error
    channel.progress(Stage.METADATA, 1.0)
    skipped = [each.id for each in enabled if not each.enabled]
    return (
        *(messages.REPOSITORY_WITHOUT_ADDRESS(repository=each.id) for each in broken),
        *(messages.REPOSITORY_SKIPPED(repository=name) for name in skipped),
    )


def find_address(repository: Any) -> str:
    """Where the repository is, for a person to read."""
    found: str = ", ".join(repository.baseurl) or repository.metalink or repository.mirrorlist
    return found


def _has_address(repository: Any) -> bool:
    return faults.has_address([*repository.baseurl, repository.metalink, repository.mirrorlist])


def _define_repository(base: Any, request: InstallPackages | ListPackages) -> None:
    # The job replaces the file, so its other sections go.
    for each in list(base.repos.values()):
        if Path(each.repofile) == paths.REPOSITORY:
            del base.repos[each.id]
    if request.repository in base.repos:
        return  # in another file, which is refused later
    repository = base.repos.add_new_repo(
        request.repository, base.conf, baseurl=[request.base_url], name="Docker CE"
    )
    repository.module_hotfixes = request.module_hotfixes
    repository.repofile = str(paths.REPOSITORY)


def _configure_readably(base: Any, cache: Path | None) -> None:
    """:raises ConfigInvalid: for a file of variables or of a plugin that is not UTF-8, too."""
    try:
        _configure(base, cache)
    except UnicodeDecodeError as error:
        raise faults.make_configuration_error(format_error(error)) from error


def _configure(base: Any, cache: Path | None) -> None:
    conf = base.conf
    conf.read(priority=dnf.conf.PRIO_MAINCONFIG)
    if cache is not None:
        conf.cachedir = str(cache)
    conf.substitutions.update_from_etc(conf.installroot, varsdir=conf.varsdir)
    conf.best = True
    conf.clean_requirements_on_remove = False
    conf.exit_on_lock = True
    conf.comment = "dockmgrd"
    base.setup_loggers()
    base.init_plugins()
    base.pre_configure_plugins()
    base.read_all_repos()
    base.configure_plugins()


def _list_pid_files(base: Any) -> list[Path]:
    """Where dnf's processes write their id while they read, fetch or write."""
    cache, state = Path(base.conf.cachedir), Path(base.conf.persistdir)
    return [cache / "metadata_lock.pid", cache / "download_lock.pid", state / "rpmdb_lock.pid"]


class _MetadataProgress(dnf.callback.DownloadProgress):  # type: ignore[misc]
    """Tells how much of the metadata is there: each repository is a part of the same size."""

    def __init__(self, channel: Channel, name: str, position: int, count: int) -> None:
        self._channel = channel
        self._name = name
        self._position = position
        self._count = count

    def progress(self, payload: Any, done: int) -> None:
        size = payload.download_size
        part = min(done / size, 1.0) if size else 0.0
        self._channel.progress(Stage.METADATA, (self._position + part) / self._count, self._name)


@contextmanager
def _collect_warnings() -> Iterator[list[str]]:
    """Collect the warnings of dnf in the context: only these say why a repository failed."""
    messages: list[str] = []

    class Collector(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            messages.append(record.getMessage())

    collector = Collector(logging.WARNING)
    logger = logging.getLogger("dnf")
    logger.addHandler(collector)
    try:
        yield messages
    finally:
        logger.removeHandler(collector)


def _find_reason(warnings: list[str]) -> str:
    """The last line of the last warning, for a person to read."""
    lines = warnings[-1].strip().splitlines() if warnings else []
    return lines[-1].strip(" -") if lines else ""


def format_error(error: Exception) -> str:
    """What the error says."""
    return " ".join(str(error).split())
