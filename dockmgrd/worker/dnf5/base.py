# SPDX-License-Identifier: LGPL-2.1-or-later
"""libdnf5's Base, configured as the host's dnf would be, with what a job without a person needs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import libdnf5.base
import libdnf5.exception
import libdnf5.logger
import libdnf5.repo

from dockmgrd import paths
from dockmgrd.enums import Stage
from dockmgrd.messages import dnf as messages
from dockmgrd.messages.text import Text
from dockmgrd.worker import faults, history, locks, space
from dockmgrd.worker.channel import Channel
from dockmgrd.worker.dnf5.progress import Downloads, NoKeys
from dockmgrd.worker.protocol import InstallPackages, ListPackages

ERRORS = (
    libdnf5.exception.Error,
    getattr(libdnf5.exception, "NonLibdnf5Exception", RuntimeError),  # of C++'s own library
    RuntimeError,
)
"""What libdnf5 raises; until 5.2.12 it was RuntimeError for everything."""
LOG = "dnf5.log"

_HISTORY = "transaction_history.sqlite"
_SYSTEM_LOCK = "system-repo.lock"
_TRANSACTION_LOCK = Path("/run/dnf/rpmtransaction.lock")
# It removes expired keys from rpm's database as soon as something is resolved.
_UNWANTED_PLUGINS = ["expired-pgp-keys"]


@contextmanager
def open_base(cache: Path | None = None) -> Iterator[Any]:
    """A Base with the host's configuration, plugins and repositories.

    :param cache: see `backend.Module`.
    :raises ConfigInvalid: when dnf's own configuration cannot be read.
    :raises ConfigConflict: when it does not let transactions change the host as usual.
    :raises TransactionFailed: when libdnf5 fails in the context with an error of its own.
    :raises PackageManagerLocked: when another process works.
    """
    with ExitStack() as stack:
        base = libdnf5.base.Base()
        try:
            _configure(base, cache)
            if cache is None:
                config = base.get_config()
                faults.require_suitable_settings(config.tsflags, config.installroot)
                # The lock of every dnf5 of the host, from before it reads to after it has written.
                state = Path(base.get_config().persistdir)
                stack.enter_context(locks.hold_lock(state / _SYSTEM_LOCK))
                require_free()
                history.require_usable(Path(base.get_config().system_state_dir, _HISTORY))
            base.get_repo_sack().create_repos_from_system_configuration()
        except ERRORS as error:
            raise faults.make_configuration_error(format_error(error)) from error
        try:
            yield base
        except ERRORS as error:
            raise faults.make_package_manager_error(format_error(error)) from error


def require_free() -> None:
    """:raises PackageManagerLocked: when rpm, or another libdnf5, writes."""
    locks.require_free(_TRANSACTION_LOCK)
    locks.require_rpm_free()


class Repositories:
    """The repositories of a Base, and the callbacks, which libdnf5 does not keep alive."""

    def __init__(self, base: Any, channel: Channel) -> None:
        self._base = base
        self._channel = channel
        self._no_keys: list[NoKeys] = []
        self.downloads = Downloads(channel)
        base.set_download_callbacks(libdnf5.repo.DownloadCallbacksUniquePtr(self.downloads))

    def load(self, request: InstallPackages | ListPackages, *, alone: bool) -> tuple[Text, ...]:
        """See `backend.Backend.load`."""
        ours = self._enable_ours(request, alone=alone)
        broken = [each for each in self._list_all() if each.is_enabled() and not _has_address(each)]
        for each in broken:
            each.disable()
        enabled = [each for each in self._list_all() if each.is_enabled()]
        for each in enabled:
            self._prepare(each)
            each.get_config().skip_if_unavailable = each.get_id() != request.repository
        config = ours.get_config()
        config.metadata_expire = 0
        config.timeout = min(config.timeout, faults.SOURCE_TIMEOUT)
        ours.set_max_mirror_tries(faults.MAX_TRIES)
        self._channel.progress(Stage.METADATA, 0.0)
        try:
            sack = self._base.get_repo_sack()
            sack.load_repos(*([libdnf5.repo.Repo.Type_AVAILABLE] if alone else []))
        except ERRORS as error:
            space.require_not_exhausted(
                Path(self._base.get_config().cachedir), messages.SPACE_FOR_METADATA()
            )
            reason = self.downloads.find_reason(request.repository)
            if not reason and not _is_about_repository(error):
                raise
            raise faults.make_repository_error(
                find_address(ours), reason or format_error(error)
            ) from error
        self._channel.progress(Stage.METADATA, 1.0)
        failed = [each.get_id() for each in enabled if each.get_id() in self.downloads.failures]
        return (
            *(messages.REPOSITORY_WITHOUT_ADDRESS(repository=each.get_id()) for each in broken),
            *(messages.REPOSITORY_SKIPPED(repository=name) for name in failed),
        )

    def find_repository(self, name: str) -> Any:
        """The repository with the id; None when there is none."""
        return next((each for each in self._list_all() if each.get_id() == name), None)

    def _list_all(self) -> list[Any]:
        return list(libdnf5.repo.RepoQuery(self._base))

    def _enable_ours(self, request: InstallPackages | ListPackages, *, alone: bool) -> Any:
        """Our repository, enabled, with what the request says of it.

        :raises ConfigConflict: when another file than ours defines it, or none does.
        """
        for each in self._list_all():
            if alone or (request.base_url and each.get_repo_file_path() == str(paths.REPOSITORY)):
                each.disable()
        ours = self.find_repository(request.repository)
        if ours is None and request.base_url:
            ours = self._base.get_repo_sack().create_repo(request.repository)
            ours.set_repo_file_path(str(paths.REPOSITORY))
        file = ours.get_repo_file_path() if ours else None
        faults.require_our_definition(request.repository, file)
        if request.base_url:
            config = ours.get_config()
            config.baseurl = [self._base.get_vars().substitute(request.base_url)]
            config.metalink = config.mirrorlist = ""
            config.module_hotfixes = request.module_hotfixes
        ours.enable()
        return ours

    def _prepare(self, repository: Any) -> None:
        """Refuse its keys, and give it the number by which a download of it is known."""
        no_keys = NoKeys()
        self._no_keys.append(no_keys)
        repository.set_callbacks(libdnf5.repo.RepoCallbacksUniquePtr(no_keys))
        self.downloads.repositories.append(repository.get_id())
        repository.set_user_data(len(self.downloads.repositories))


def find_address(repository: Any) -> str:
    """Where the repository is, for a person to read."""
    config = repository.get_config()
    return ", ".join(config.baseurl) or config.metalink or config.mirrorlist or repository.get_id()


def format_error(error: Exception) -> str:
    """What the error says, and the errors that have caused it."""
    sentence = " ".join(str(error).split())
    cause = _find_cause(error)
    return f"{sentence}: {format_error(cause)}" if cause else sentence


def _is_about_repository(error: Exception) -> bool:
    name = type(error).__name__
    return name.startswith("Repo") or not isinstance(error, libdnf5.exception.Error)


def _find_cause(error: Exception) -> Exception | None:
    """The error inside an error of C++, if there is one."""
    rethrow = getattr(error, "rethrow_if_nested", None)
    try:
        if rethrow is not None:
            rethrow()
    except ERRORS as cause:
        return cause
    return None


def _has_address(repository: Any) -> bool:
    """Whether libdnf5 can load the repository: another one ends all loading, or the process."""
    config = repository.get_config()
    return faults.has_address([*config.baseurl, config.metalink, config.mirrorlist])


def _configure(base: Any, cache: Path | None) -> None:
    base.load_config()
    config = base.get_config()
    if cache is not None:
        config.cachedir = str(cache)
    config.best = True
    config.skip_broken = False
    config.skip_unavailable = False
    config.clean_requirements_on_remove = False
    base.enable_disable_plugins(_UNWANTED_PLUGINS, enable=False)
    base.setup()
    base.get_logger().add_logger(libdnf5.logger.create_rotating_file_logger(base, LOG))
