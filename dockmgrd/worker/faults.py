# SPDX-License-Identifier: LGPL-2.1-or-later
"""Errors about repositories and transactions, and whether another source may help."""

from __future__ import annotations

from collections.abc import Sequence
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
from dockmgrd.messages.text import Text

SOURCE_TIMEOUT = 10
"""Seconds without data after which an attempt at our source has failed; dnf would wait 30."""
MAX_TRIES = 2
"""Attempts at each file of our source; librepo would make 4."""


class NotOffered(ResolutionFailed):
    """Our repository does not have a package, or not in the requested version."""


class OtherRepositoryUnreachable(SourceUnreachable):
    """A repository that is not ours fails."""


def another_source_may_help(error: DockmgrError) -> bool:
    """Whether the error says something about our repository alone."""
    if isinstance(error, OtherRepositoryUnreachable):
        return False
    return isinstance(error, (NotOffered, SourceUnreachable))


def make_repository_error(address: str, reason: str, *, ours: bool = True) -> SourceUnreachable:
    """The error that names the address of a repository and what is wrong with it."""
    text = messages.REPOSITORY_FAILED(address=address, reason=reason.rstrip("."))
    kind = SourceUnreachable if ours else OtherRepositoryUnreachable
    return kind(text.with_remedy(messages.CHECK_NETWORK_OR_SOURCE()))


def make_configuration_error(reason: str) -> ConfigInvalid:
    """The error of a configuration that dnf itself cannot read."""
    text = messages.DNF_CONFIGURATION_INVALID(reason=reason.rstrip("."))
    return ConfigInvalid(text.with_remedy(messages.FIX_AND_TRY_AGAIN()))


def make_resolution_error(reason: str) -> ResolutionFailed:
    """The error that gives the solver's own reason."""
    text = messages.RESOLUTION_FAILED(reason=reason.rstrip("."))
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
