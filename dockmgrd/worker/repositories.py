# SPDX-License-Identifier: LGPL-2.1-or-later
"""How repositories are treated, and what is said about them, whichever dnf reads them."""

from __future__ import annotations

from pathlib import Path

from dockmgrd import paths
from dockmgrd.errors import ConfigConflict, ConfigInvalid, SourceUnreachable

PATIENCE = 10
"""Seconds without data after which an attempt at our source has failed; dnf would take 30."""
TRIES = 2
"""Attempts at each file of our source; librepo would make 4."""


def unreachable(address: str, reason: str) -> SourceUnreachable:
    """The error that names the address of the repository and what is wrong with it."""
    return SourceUnreachable(
        f"The repository at {address} cannot be used: {reason.rstrip('.')}; "
        "check the network and the proxy, or choose another source."
    )


def left_out(name: str) -> str:
    """The sentence on a repository that is not ours and failed."""
    return f"Repository {name} did not answer and was left out."


def require_ours(repository: str, file: str | None) -> None:
    """See that it is our file which defines our repository.

    :param file: the one that does; None when none does.
    :raises ConfigConflict: when it is another, or none.
    """
    if file is None:
        raise ConfigConflict(
            f"dnf does not read {paths.REPOSITORY}; correct 'reposdir' in /etc/dnf/dnf.conf."
        )
    if Path(file) != paths.REPOSITORY:
        raise ConfigConflict(
            f"{file} defines the repository {repository}, too, and dnf would use that "
            f"one and not {paths.REPOSITORY}; remove it there."
        )


def unreadable(reason: str) -> ConfigInvalid:
    """The error of a configuration that dnf itself cannot read."""
    return ConfigInvalid(f"dnf's configuration cannot be read: {reason}; mend it and try again.")
