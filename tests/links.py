# SPDX-License-Identifier: LGPL-2.1-or-later
"""`make check-links`: probe all that the catalog lists, and print what to change in its files."""

from __future__ import annotations

import asyncio
import sys
import time
from typing import TYPE_CHECKING

from dockmgrd import paths
from dockmgrd.catalog import mirrors as candidates
from dockmgrd.catalog.platforms import Tree
from dockmgrd.catalog.sources import Catalog
from dockmgrd.host.engine_answers import EngineFacts
from dockmgrd.job.packages.repofile import Repository
from dockmgrd.job.probe.packages import measure_all
from dockmgrd.job.probe.probe import make_pull, try_all
from dockmgrd.job.probe.proxies import Proxies
from dockmgrd.job.probe.verdicts import Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

TIMEOUT = 30
_NO_FILES = paths.CATALOGUE / "none"
_TREE, _ARCHITECTURE = Tree("centos", "9"), "x86_64"
_BY = "make check-links"


async def check_sources(catalog: Catalog, today: str, timeout: float) -> list[str]:
    """Return what to change in sources.yaml."""
    inside = {name for name, each in catalog.sources.items() if each.intranet}
    urls = {
        name: Repository(each, _TREE, "stable").base_url.replace("$basearch", _ARCHITECTURE)
        for name, each in catalog.sources.items()
        if name not in inside
    }
    found = await measure_all(urls, Proxies(), timeout)
    lines = [
        _advise(each.source, str(each.cause), today, works=each.verdict is Verdict.OK)
        if not each.stale
        else f"{each.source}: out of date; say so in its notes, or remove it if it stays so"
        for each in found
    ]
    return [*lines, *(f"{name}: not tried, it is for one cloud only" for name in sorted(inside))]


async def check_mirrors(known: candidates.Candidates, today: str, timeout: float) -> list[str]:
    """Return what to change in mirrors.yaml."""
    lines = []
    for registry in sorted({each.registry for each in known.known}):
        mirrors = known.list_mirrors(registry)
        facts = EngineFacts(containerd_store=True)
        pull = make_pull(known, registry, facts)
        for each in await try_all(mirrors, timeout, facts, lambda _: None, pull):
            works = each.verdict is Verdict.OK
            lines.append(_advise(each.mirror, str(each.cause), today, works=works))
    return lines


def _advise(name: str, cause: str, today: str, *, works: bool) -> str:
    if works:
        return f"{name}: works; set checked: {today}, source: {_BY}"
    return f"{name}: {cause}; try from another network, then remove it"


def run(catalogue: Path = paths.CATALOGUE, timeout: float = TIMEOUT) -> int:
    """Check both files; 0 when something works, so that there is a network at all."""
    catalog, known = Catalog.load(catalogue, _NO_FILES), candidates.load(catalogue, _NO_FILES)
    today = time.strftime("%Y-%m-%d", time.gmtime())
    sources = asyncio.run(check_sources(catalog, today, timeout))
    mirrors = asyncio.run(check_mirrors(known, today, timeout))
    _print("sources.yaml", sources)
    _print("mirrors.yaml", mirrors)
    return 0 if any(": works;" in line for line in (*sources, *mirrors)) else 1


def _print(file: str, lines: Sequence[str]) -> None:
    print(f"{file}:")
    for line in lines:
        print(f"  {line}")


if __name__ == "__main__":
    sys.exit(run())
