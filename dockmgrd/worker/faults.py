# SPDX-License-Identifier: LGPL-2.1-or-later
"""Errors about repositories and transactions, and whether another source may help."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from enum import Enum
from pathlib import Path

from dockmgrd import paths
from dockmgrd.errors import (
    ConfigConflict,
    ConfigInvalid,
    DockmgrError,
    ResolutionFailed,
    SourceUnreachable,
    TransactionFailed,
)
from dockmgrd.messages import dnf as messages
from dockmgrd.messages.packages import REBUILD_DATABASE, RPM_DATABASE_NOT_READ
from dockmgrd.messages.text import Template, Text, foreign_text
from dockmgrd.worker.clock import is_clock_suspected

SOURCE_TIMEOUT = 10
"""Seconds without data after which an attempt at our source has failed; dnf would wait 30."""
MAX_TRIES = 2
"""Attempts at each file of our source; librepo would make 4."""
_UNSUITABLE_FLAGS = ("test", "justdb", "noscripts")
"""Of rpm: change nothing; change the database alone; run no scriptlets, which add the group."""

_ADDRESS = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*:/|/")


class Barrier(Enum):
    """What hides a package of a repository from the solver."""

    EXCLUDE = "exclude"
    VERSION_LOCK = "version lock"
    MODULE = "module"


_BARRIERS: Mapping[Barrier, tuple[Template, Template, str]] = {
    Barrier.EXCLUDE: (
        messages.PACKAGE_EXCLUDED,
        messages.LOOK_AT_EXCLUDES,
        "grep -rnE '^ *(exclude|include)' /etc/dnf /etc/yum.repos.d",
    ),
    Barrier.VERSION_LOCK: (
        messages.PACKAGE_VERSION_LOCKED,
        messages.LOOK_AT_VERSION_LOCKS,
        "dnf versionlock list",
    ),
    Barrier.MODULE: (
        messages.PACKAGE_IN_MODULE,
        messages.LOOK_AT_MODULES,
        "dnf module list --enabled",
    ),
}
"""The sentence, the way out, and the command to look at it."""

# What the solvers of both dnf say, in English: workers have no other language.
_SIGNS: Mapping[str, Barrier] = {
    "filtered out by modular filtering": Barrier.MODULE,
    "filtered out by exclude filtering": Barrier.EXCLUDE,
    "excluded by versionlock": Barrier.VERSION_LOCK,
}
# Removing them, or breaking their dependencies.
_PROTECTED = re.compile(r"following protected packages: ([^;]*)")
_LIST_PROTECTED = "grep -rn protected_packages /etc/dnf; grep -rn . /etc/dnf/protected.d"


# What both versions of dnf say of rpm's database.
_OF_DATABASE = re.compile("rpmdb|rpmtsOpenDB|rpm database")


class NotOffered(ResolutionFailed):
    """Our repository does not have a package, or not in the requested version."""


class OtherRepositoryUnreachable(SourceUnreachable):
    """A repository that is not ours fails."""


def has_address(addresses: Iterable[str | None]) -> bool:
    """Whether a repository can be loaded from its addresses, as far as their form says."""
    given = [each for each in addresses if each]
    return bool(given) and all(_ADDRESS.match(each) for each in given)


def another_source_may_help(error: DockmgrError) -> bool:
    """Whether the error says something about our repository alone."""
    if isinstance(error, OtherRepositoryUnreachable):
        return False
    return isinstance(error, (NotOffered, SourceUnreachable))


def make_repository_error(address: str, reason: str, *, ours: bool = True) -> SourceUnreachable:
    """The error that names the address of a repository and what is wrong with it."""
    text = messages.REPOSITORY_FAILED(address=address, reason=reason.rstrip("."))
    kind = SourceUnreachable if ours else OtherRepositoryUnreachable
    if is_clock_suspected(address.partition(",")[0], reason):
        return kind(text.with_remedy(messages.CHECK_CLOCK(), "timedatectl"))
    return kind(text.with_remedy(messages.CHECK_NETWORK_OR_SOURCE()))


def make_offline_error(error: DockmgrError) -> ConfigConflict:
    """The error when the administrator has told dnf not to use the network.

    :param error: what has failed for that reason.
    """
    text = messages.OFFLINE_BY_CONFIGURATION(reason=foreign_text(error.text.sentence))
    return ConfigConflict(_add_removal(text, "cacheonly"))


def require_suitable_settings(flags: Iterable[str], install_root: str) -> None:
    """Check that a transaction changes this host, and all that belongs to it.

    :param flags: dnf's setting `tsflags`.
    :param install_root: its setting `installroot`.
    :raises ConfigConflict: naming the setting with which it does not.
    """
    unsuitable = [("tsflags", each) for each in flags if each in _UNSUITABLE_FLAGS]
    if install_root.rstrip("/"):
        unsuitable.append(("installroot", install_root))
    for name, value in unsuitable:
        text = messages.SETTING_UNSUITABLE(setting=f"{name}={value}")
        raise ConfigConflict(_add_removal(text, name))


def _add_removal(text: Text, name: str) -> Text:
    """The sentence about a setting of dnf, with the way to find and remove it."""
    return text.with_remedy(messages.REMOVE_SETTING(name=name), f"grep -rn {name} /etc/dnf")


def make_package_manager_error(reason: str) -> TransactionFailed:
    """The error for a failure of dnf or rpm that no other error of ours describes."""
    if _OF_DATABASE.search(reason):
        return make_database_error(reason)
    text = messages.PACKAGE_MANAGER_FAILED(reason=reason.rstrip("."))
    return TransactionFailed(text.with_remedy(messages.FIX_CAUSE()))


def make_database_error(reason: str) -> TransactionFailed:
    """The error for a database of rpm that cannot be read, in rpm's own words."""
    text = RPM_DATABASE_NOT_READ(reason=reason.strip(" ."))
    return TransactionFailed(text.with_remedy(REBUILD_DATABASE(), "rpmdb --rebuilddb"))


def make_hidden_error(package: str, address: str, barrier: Barrier) -> ResolutionFailed:
    """The error for a package that our repository has and that the host hides from dnf."""
    template, remedy, command = _BARRIERS[barrier]
    text = template(package=package, address=address)
    return ResolutionFailed(text.with_remedy(remedy(), command))


def make_configuration_error(reason: str) -> ConfigInvalid:
    """The error of a configuration that dnf itself cannot read."""
    text = messages.DNF_CONFIGURATION_INVALID(reason=reason.rstrip("."))
    return ConfigInvalid(text.with_remedy(messages.FIX_AND_TRY_AGAIN()))


def make_resolution_error(reason: str) -> ResolutionFailed:
    """The error that gives the solver's own reason, with the way out that fits it."""
    protected = _PROTECTED.search(reason)
    if protected:
        packages = [each.strip(" .") for each in protected.group(1).split(",")]
        text = messages.PACKAGES_PROTECTED(packages=packages)
        return ResolutionFailed(text.with_remedy(messages.LOOK_AT_PROTECTED(), _LIST_PROTECTED))
    text = messages.RESOLUTION_FAILED(reason=reason.rstrip("."))
    for sign, barrier in _SIGNS.items():
        if sign in reason:
            _, remedy, command = _BARRIERS[barrier]
            return ResolutionFailed(text.with_remedy(remedy(), command))
    return ResolutionFailed(text.with_remedy(messages.ENABLE_REPOSITORY_OR_VERSION()))


def make_transaction_error(
    reasons: Sequence[Text | str], *, began: bool, log: str
) -> TransactionFailed:
    """The error of a transaction that rpm did not do, or did not finish.

    :param began: whether rpm had begun to write.
    :param log: the file that has the details.
    """
    if not began:
        refused = messages.TRANSACTION_REFUSED(reason=reasons)
        return TransactionFailed(refused.with_remedy(messages.RESOLVE_CONFLICT()))
    broken = messages.TRANSACTION_BROKEN(reason=reasons)
    return TransactionFailed(broken.with_remedy(messages.READ_LOG(log=log), f"less {log}"))


def require_our_definition(repository: str, file: str | None) -> None:
    """Check that our file defines our repository.

    :param file: the file that does; None when none does.
    :raises ConfigConflict: when it is another file, or none.
    """
    if file is None:
        unread = messages.REPOSITORY_FILE_NOT_READ(file=str(paths.REPOSITORY))
        raise ConfigConflict(unread.with_remedy(messages.CORRECT_REPOSDIR()))
    if Path(file) != paths.REPOSITORY:
        twice = messages.REPOSITORY_DEFINED_TWICE(
            file=file, repository=repository, ours=str(paths.REPOSITORY)
        )
        remedy = messages.REMOVE_OTHER_DEFINITION(repository=repository, file=file)
        raise ConfigConflict(twice.with_remedy(remedy))
