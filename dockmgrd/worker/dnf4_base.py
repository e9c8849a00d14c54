# SPDX-License-Identifier: LGPL-2.1-or-later
"""dnf4's Base, configured as the host's dnf would be, with what a job without a person needs."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dnf
import dnf.callback
import dnf.exceptions
import dnf.plugin

from dockmgrd.errors import PackageManagerLocked
from dockmgrd.model import Stage
from dockmgrd.worker import locks, repositories, space
from dockmgrd.worker.channel import Channel


@contextmanager
def opened(cache: Path | None = None) -> Iterator[Any]:
    """A Base with the host's configuration, plugins and repositories; closed at the end.

    :param cache: see `backend.Module`.
    :raises ConfigInvalid: when dnf's own configuration cannot be read.
    :raises PackageManagerLocked: when, at any time in the context, another process works.
    """
    with dnf.Base() as base:
        try:
            _configure(base, cache)
            pid_files = _pid_files(base)
            if cache is None:
                locks.require_rpm_free()
                for file in pid_files:
                    locks.require_not_named(file)
            yield base
        except dnf.exceptions.ConfigError as error:
            raise repositories.unreadable(one_line(error)) from error
        except dnf.exceptions.ProcessLockError as error:
            raise locks.named_in(pid_files, error.pid) from error
        except dnf.exceptions.LockError as error:
            raise PackageManagerLocked(one_line(error)) from error
        finally:
            if dnf.plugin.DYNAMIC_PACKAGE in sys.modules:
                # Or there could be no other Base in this process. dnf before 4.14 has no method.
                getattr(base, "unload_plugins", base._plugins._unload)()


def load_repositories(
    base: Any, repository: str, channel: Channel, *, database: bool
) -> tuple[str, ...]:
    """Read the metadata of all enabled repositories.

    Ours must work, and its metadata is always looked at anew; any other may fail.

    :param database: read the host's package database, too.
    :returns: a sentence on each repository that was skipped.
    :raises ConfigConflict: when another file than ours defines the repository.
    :raises SourceUnreachable: when ours fails.
    :raises InsufficientSpace: when the metadata cannot be stored.
    """
    ours = base.repos.get(repository)
    repositories.require_ours(repository, ours and ours.repofile)
    for each in base.repos.all():
        each.skip_if_unavailable = each is not ours
    ours.enable()
    ours.metadata_expire = 0
    ours.timeout = min(ours.timeout, repositories.PATIENCE)
    ours._repo.setMaxMirrorTries(repositories.TRIES)
    enabled = list(base.repos.iter_enabled())
    for position, each in enumerate(enabled):
        each.set_progress_bar(_MetadataProgress(channel, each.id, position, len(enabled)))
    channel.progress(Stage.METADATA, 0.0)
    with _warnings() as warnings:
        try:
            base.fill_sack(load_system_repo=database, load_available_repos=True)
        except dnf.exceptions.RepoError as error:
            space.require_not_exhausted(Path(base.conf.cachedir), "to store metadata")
            reason = _reason(warnings) or one_line(error)
            raise repositories.unreachable(address(ours), reason) from error
    channel.progress(Stage.METADATA, 1.0)
    skipped = [each.id for each in enabled if not each.enabled]
    return tuple(repositories.left_out(name) for name in skipped)


def address(repository: Any) -> str:
    """Where the repository is, for a person to read."""
    found: str = ", ".join(repository.baseurl) or repository.metalink or repository.mirrorlist
    return found


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


def _pid_files(base: Any) -> list[Path]:
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
def _warnings() -> Iterator[list[str]]:
    """What dnf logs as a warning in the context: why a repository failed is told nowhere else."""
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


def _reason(warnings: list[str]) -> str:
    """The last line of the last warning, for a person to read."""
    lines = warnings[-1].strip().splitlines() if warnings else []
    return lines[-1].strip(" -") if lines else ""


def one_line(error: Exception) -> str:
    """What the error says."""
    return " ".join(str(error).split())
