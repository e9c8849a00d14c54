# SPDX-License-Identifier: LGPL-2.1-or-later
"""dnf4's Base, configured as the host's dnf would be, with what a job without a person needs."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dnf
import dnf.callback
import dnf.exceptions

from dockmgrd import paths
from dockmgrd.errors import ConfigConflict, ConfigInvalid, PackageManagerLocked, SourceUnreachable
from dockmgrd.model import Stage
from dockmgrd.worker import locks, space
from dockmgrd.worker.channel import Channel

_PATIENCE = 15
"""Seconds without data after which our source counts as unreachable."""


@contextmanager
def opened() -> Iterator[Any]:
    """A Base with the host's configuration, plugins and repositories; closed at the end.

    :raises ConfigInvalid: when dnf's own configuration cannot be read.
    :raises PackageManagerLocked: when, at any time in the context, another process works.
    """
    with dnf.Base() as base:
        try:
            _configure(base)
            yield base
        except dnf.exceptions.ConfigError as error:
            raise ConfigInvalid(
                f"dnf's configuration cannot be read: {_one_line(error)}; mend it and try again."
            ) from error
        except dnf.exceptions.ProcessLockError as error:
            raise locks.locked(error.pid) from error
        except dnf.exceptions.LockError as error:
            raise PackageManagerLocked(_one_line(error)) from error


def load_system(base: Any) -> None:
    """Read the host's package database and nothing else. Raises as `opened`."""
    base.fill_sack(load_system_repo=True, load_available_repos=False)


def load_repositories(base: Any, repository: str, channel: Channel) -> tuple[str, ...]:
    """Read the package database, and the metadata of all enabled repositories.

    Ours must work, and its metadata is always looked at anew; any other may fail.

    :returns: a sentence on each repository that was skipped.
    :raises ConfigConflict: when another file than ours defines the repository.
    :raises SourceUnreachable: when ours fails.
    :raises InsufficientSpace: when the metadata cannot be stored.
    """
    ours = _ours(base, repository)
    for each in base.repos.all():
        each.skip_if_unavailable = each is not ours
    ours.enable()
    ours.metadata_expire = 0
    ours.timeout = min(ours.timeout, _PATIENCE)
    enabled = list(base.repos.iter_enabled())
    for position, each in enumerate(enabled):
        each.set_progress_bar(_MetadataProgress(channel, each.id, position, len(enabled)))
    channel.progress(Stage.METADATA, 0.0)
    with _warnings() as warnings:
        try:
            base.fill_sack(load_system_repo=True, load_available_repos=True)
        except dnf.exceptions.RepoError as error:
            space.require_not_exhausted(Path(base.conf.cachedir), "to store metadata")
            raise unreachable(ours, _reason(warnings) or _one_line(error)) from error
    channel.progress(Stage.METADATA, 1.0)
    skipped = [each.id for each in enabled if not each.enabled]
    return tuple(f"Repository {name} did not answer and was left out." for name in skipped)


def unreachable(repository: Any, reason: str) -> SourceUnreachable:
    """The error that names the address of the repository and what is wrong with it."""
    addresses = ", ".join(repository.baseurl) or repository.metalink or repository.mirrorlist
    return SourceUnreachable(
        f"The repository at {addresses} cannot be used: {reason.rstrip('.')}; "
        "check the network and the proxy, or choose another source."
    )


def _ours(base: Any, repository: str) -> Any:
    ours = base.repos.get(repository)
    if ours is None:
        raise ConfigConflict(
            f"dnf does not read {paths.REPOSITORY}; correct 'reposdir' in /etc/dnf/dnf.conf."
        )
    if Path(ours.repofile) != paths.REPOSITORY:
        raise ConfigConflict(
            f"{ours.repofile} defines the repository {repository}, too, and dnf would use that "
            f"one and not {paths.REPOSITORY}; remove it there."
        )
    return ours


def _configure(base: Any) -> None:
    conf = base.conf
    conf.read(priority=dnf.conf.PRIO_MAINCONFIG)
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


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
