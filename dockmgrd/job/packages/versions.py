# SPDX-License-Identifier: LGPL-2.1-or-later
"""ListVersions: which versions of the engine a source has for this host, the newest first."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from dockmgrd.enums import Stage
from dockmgrd.host.rpmdb import OF_ENGINE_VERSION
from dockmgrd.job.context import JobContext
from dockmgrd.job.packages import sources, worker
from dockmgrd.job.packages.worker import Span
from dockmgrd.options.packages import ListVersionsOptions
from dockmgrd.worker.protocol import ListPackages

_ENGINE = "docker-ce"
_ALL = Span(0.02, 0.98)


async def list_versions(context: JobContext, options: ListVersionsOptions) -> dict[str, Any]:
    """What `install --version` can be given.

    :returns: `source`, `tried` (see `sources.describe_source`), and `versions`: of each `version`,
        `release`, `built` (day, UTC), `size` (bytes of the package files that have this version),
        and `installed`. An installed version that the source does not have is in the list, too.
    :raises DockmgrError: what `sources.find_repositories` and the package worker raise.
    """
    context.report(Stage.PREPARING, 0.0)
    failed: list[sources.Attempt] = []
    for repository in await sources.find_repositories(context, options):
        request = ListPackages(names=OF_ENGINE_VERSION, **repository.request_fields())
        try:
            async with worker.transaction(context, request, _ALL) as transaction:
                outcome = await transaction.outcome()
        except worker.SourceFault as fault:
            failed.append(sources.Attempt(repository, fault.error))
            continue
        installed = (await context.packages.require_versions()).get(_ENGINE, "")
        return {
            "changed": False,
            **sources.describe_source(repository, failed),
            "versions": _make_table(outcome.offered, installed),
        }
    raise sources.combine_errors(failed)


def _make_table(offered: Sequence[Mapping[str, Any]], installed: str) -> list[dict[str, Any]]:
    """One row for each version-release of the engine, in the order in which they are offered."""
    sizes: dict[str, int] = {}
    for each in offered:
        evr = _strip_epoch(each["evr"])
        sizes[evr] = sizes.get(evr, 0) + each["size"]
    rows = {}
    for each in offered:
        evr = _strip_epoch(each["evr"])
        if each["name"] == _ENGINE and evr not in rows:
            built = time.strftime("%Y-%m-%d", time.gmtime(each["built"]))
            rows[evr] = _make_row(evr, built, sizes[evr], installed=evr == installed)
    listed = list(rows.values())
    if installed and installed not in rows:
        listed.append(_make_row(installed, "", 0, installed=True))
    return listed


def _make_row(evr: str, built: str, size: int, *, installed: bool) -> dict[str, Any]:
    version, _, release = evr.rpartition("-")
    return {
        "version": version,
        "release": release,
        "built": built,
        "size": size,
        "installed": installed,
    }


def _strip_epoch(evr: str) -> str:
    return evr.rpartition(":")[2]
