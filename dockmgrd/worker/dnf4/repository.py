# SPDX-License-Identifier: LGPL-2.1-or-later
"""Our repository in dnf4, defined by the request: no file of the host has to exist or change."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dockmgrd import paths
from dockmgrd.worker.channel import Channel
from dockmgrd.worker.dnf4 import base as dnf4_base
from dockmgrd.worker.protocol import InstallPackages, ListPackages


def load(
    base: Any, request: InstallPackages | ListPackages, channel: Channel, *, database: bool
) -> tuple[str, ...]:
    """As `dnf4_base.load_repositories`, with our repository as the request has it."""
    if request.base_url:
        _define(base, request)
    return dnf4_base.load_repositories(base, request.repository, channel, database=database)


def _define(base: Any, request: InstallPackages | ListPackages) -> None:
    # What else the file has goes when the job writes it.
    for each in list(base.repos.values()):
        if Path(each.repofile) == paths.REPOSITORY:
            del base.repos[each.id]
    if request.repository in base.repos:
        return  # of another file, which is refused later
    repository = base.repos.add_new_repo(
        request.repository, base.conf, baseurl=[request.base_url], name="Docker CE"
    )
    repository.module_hotfixes = request.module_hotfixes
    repository.repofile = str(paths.REPOSITORY)
