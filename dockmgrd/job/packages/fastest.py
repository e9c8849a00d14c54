# SPDX-License-Identifier: LGPL-2.1-or-later
"""The source `fastest`: the sources that may be used, in the order of their speed."""

from __future__ import annotations

import platform
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from dockmgrd.catalog.platforms import Tree
from dockmgrd.catalog.sources import Catalog, Source
from dockmgrd.enums import Stage
from dockmgrd.errors import SourceUnreachable
from dockmgrd.host import adminconfig
from dockmgrd.job.context import JobContext
from dockmgrd.job.packages import measured_sources
from dockmgrd.job.packages.dnf_network import read_dnf_network
from dockmgrd.job.packages.measured_sources import Memory
from dockmgrd.job.packages.repofile import Repository
from dockmgrd.job.plan import find_plan_result
from dockmgrd.job.probe.packages import Measurement, measure_all
from dockmgrd.messages import packages, sources

MAX_MEASURED = 64
_ARCHITECTURES = {"armv7l": "armhfp", "i686": "i386"}
"""dnf's $basearch, where it is not the name of the machine."""


async def order_repositories(
    context: JobContext, tree: Tree, channel: str, plan: str = ""
) -> list[Repository]:
    """The usable repositories, the best first. They are measured unless that was done lately.

    :param plan: digest of the plan that the caller agreed to, whose source comes first.
    :raises SourceUnreachable: when none is usable.
    """
    repositories = list_repositories(context, tree, channel)
    urls = _list_urls(repositories)
    planned = str((find_plan_result(plan) or {}).get("source", "")) if plan else ""
    memory = measured_sources.read_memory(urls, time.time())
    if memory is None and planned in repositories:
        return [repositories[planned]]
    if memory is None:
        context.report(Stage.PROBING, 0.0)
        memory = _keep(urls, await _measure(urls))
    context.add_note(_describe_choice(memory))
    names = [each.source for each in memory.measurements]
    names.sort(key=lambda name: name != planned)
    return [repositories[name] for name in names]


async def measure_sources(context: JobContext, tree: Tree, channel: str) -> dict[str, Any]:
    """Measure all of them now.

    :returns: `measured`: the measurements, the best first.
    :raises SourceUnreachable: when there is nothing to measure.
    """
    repositories = list_repositories(context, tree, channel)
    context.report(Stage.PROBING, 0.05)
    urls = _list_urls(repositories)
    measurements = await _measure(urls)
    measured_sources.write_memory(urls, measurements)
    return {"measured": [each.to_plain() for each in measurements]}


def list_repositories(context: JobContext, tree: Tree, channel: str) -> dict[str, Repository]:
    """Those that may be measured, by the names of their sources.

    :raises SourceUnreachable: when there are none.
    """
    limits, _ = adminconfig.load()
    allowed = [each for each in Catalog.load().sources.values() if _may_measure(each, limits)]
    if not allowed:
        text = sources.NO_SOURCE_TO_MEASURE()
        raise SourceUnreachable(text.with_remedy(sources.NAME_A_SOURCE(), "dockmgrctl sources"))
    return {each.name: Repository(each, tree, channel) for each in allowed[:MAX_MEASURED]}


def _may_measure(source: Source, limits: adminconfig.Limits) -> bool:
    """Without TLS, anybody on the way could be the fastest. The administrator may want that."""
    if limits.allowed_sources is not None:
        return limits.allows(source.name)
    return urlsplit(source.prefix).scheme == "https"


def _keep(urls: Mapping[str, str], measurements: Sequence[Measurement]) -> Memory:
    """:raises SourceUnreachable: when none of the sources is usable, saying why of each."""
    memory = measured_sources.write_memory(urls, measurements)
    if not memory.measurements:
        reasons = packages.join_sentences(*_list_reasons(measurements))
        text = sources.NO_SOURCE_MEASURED(reasons=reasons)
        raise SourceUnreachable(
            text.with_remedy(sources.NAME_A_SOURCE(), "dockmgrctl sources --probe")
        )
    return memory


def _list_reasons(measurements: Iterable[Measurement]) -> list[Any]:
    return [
        packages.SOURCE_FAILED(source=each.source, reason=sources.CLAUSE_END(clause=each.cause))
        for each in measurements
    ]


def _describe_choice(memory: Memory) -> Any:
    best = memory.measurements[0]
    return sources.FASTEST_CHOSEN(
        source=best.source,
        count=len(memory.measurements),
        latency=f"{best.latency * 1000:.0f}",
        throughput=f"{best.throughput / 1024:.0f}",
        date=time.strftime("%Y-%m-%d", time.gmtime(best.time)),
        measured=time.strftime("%Y-%m-%d %H:%M", time.gmtime(memory.measured)),
    )


async def _measure(urls: Mapping[str, str]) -> list[Measurement]:
    network = read_dnf_network()
    return await measure_all(urls, network.proxies, tls=network.make_context)


def _list_urls(repositories: Mapping[str, Repository]) -> dict[str, str]:
    machine = platform.machine()
    architecture = _ARCHITECTURES.get(machine, machine)
    return {
        name: each.base_url.replace("$basearch", architecture)
        for name, each in repositories.items()
    }
