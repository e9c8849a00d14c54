# SPDX-License-Identifier: LGPL-2.1-or-later
"""Errors of which the job must know whether another source may help. Their names are the usual."""

from __future__ import annotations

from collections.abc import Sequence

from dockmgrd.errors import DockmgrError, ResolutionFailed, SourceUnreachable, TransactionFailed


class NotOffered(ResolutionFailed):
    """Our repository does not have a package, or not in the version asked for."""


class OtherRepositoryUnreachable(SourceUnreachable):
    """A repository that is not ours fails."""


def another_source_may_help(error: DockmgrError) -> bool:
    """Whether the error says something of our repository alone."""
    if isinstance(error, OtherRepositoryUnreachable):
        return False
    return isinstance(error, (NotOffered, SourceUnreachable))


def transaction_failed(reasons: Sequence[str], *, began: bool, log: str) -> TransactionFailed:
    """The error of a transaction that rpm did not do, or not to its end.

    :param log: the file that tells more.
    """
    reason = "; ".join(reasons)
    if not began:
        return TransactionFailed(
            f"rpm refused the transaction: {reason}; nothing was changed, remove what stands in "
            "the way and try again."
        )
    return TransactionFailed(
        f"rpm failed while it was writing: {reason}; {log} says why, correct that and try again."
    )
