# SPDX-License-Identifier: LGPL-2.1-or-later
"""ProbeMirrors: try mirrors all at once, tell what is found as it is found, and rank them."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from dockmgrd import names
from dockmgrd.catalog import mirrors as candidates
from dockmgrd.errors import InvalidArgs, MirrorUnreachable, ServiceFailed
from dockmgrd.host.engine import EngineFacts
from dockmgrd.host.jobstore import JobStore
from dockmgrd.job.context import JobContext
from dockmgrd.job.probe import engine_proxies as engineproxies
from dockmgrd.job.probe.http import WebClient
from dockmgrd.job.probe.registry import Finding, try_mirror
from dockmgrd.job.probe.trust import Trust
from dockmgrd.job.probe.verdicts import Verdict
from dockmgrd.model import Stage
from dockmgrd.options import SECONDS_TO_PROBE, ProbeOptions

_SECONDS_BETWEEN_UPDATES = 0.15
"""More than what the context lets pass, so that the last of several updates is never lost."""


async def probe(context: JobContext, options: ProbeOptions) -> dict[str, Any]:
    """Try the mirrors, or the candidates where none are named.

    :returns: `probed`: the findings, best first.
    :raises InvalidArgs: when there is nothing to try.
    """
    catalogue = candidates.load()
    context.add_notes(catalogue.problems)
    mirrors = options.mirrors or catalogue.mirrors
    if not mirrors:
        raise InvalidArgs("There is no candidate to probe; give the URL of a mirror.")
    store = JobStore()

    def publish(findings: Sequence[Finding]) -> None:
        plain = [each.to_plain() for each in ranked(findings)]
        store.write_findings(context.request.job_id, {"probed": plain})
        said = f"{len(findings)} of {len(mirrors)} mirrors tried"
        context.report(Stage.PROBING, 0.05 + 0.9 * len(findings) / len(mirrors), said)

    context.report(Stage.PROBING, 0.05)
    facts = await _facts(context, mirrors)
    findings = await try_all(mirrors, options.timeout, facts, publish)
    if _at_odds(findings):
        context.add_note(
            "The mirrors are at odds about what the tag stands for; ask again, or compare with "
            "Docker Hub before you trust one."
        )
    return {"probed": [each.to_plain() for each in ranked(findings)]}


async def verify(context: JobContext, mirrors: Sequence[str]) -> None:
    """Return when all of the mirrors work.

    :raises MirrorUnreachable: naming those that do not, and why.
    """
    if not mirrors:
        return
    context.report(Stage.PROBING, 0.1)
    facts = await _facts(context, mirrors)
    findings = await try_all(mirrors, SECONDS_TO_PROBE, facts, lambda _: None)
    failed = [each for each in findings if each.verdict is not Verdict.OK]
    if failed:
        reasons = "; ".join(f"{each.mirror}: {each.text}" for each in failed)
        raise MirrorUnreachable(
            f"Nothing was changed because not every mirror works ({reasons}); leave those out, or "
            "set them without verifying."
        )


async def try_all(
    mirrors: Sequence[str],
    timeout: float,
    facts: EngineFacts,
    publish: Callable[[Sequence[Finding]], None],
) -> list[Finding]:
    """Try all at once; `publish` is called with what is found so far, now and then.

    :param timeout: seconds for each.
    """
    trust = Trust(facts.insecure)
    proxies = engineproxies.of(facts)
    namespace = "docker.io" if facts.containerd_store else ""
    tries = [
        asyncio.ensure_future(
            try_mirror(
                mirror,
                WebClient(partial(trust.context, urlsplit(mirror).netloc), proxies),
                timeout,
                namespace,
            )
        )
        for mirror in mirrors
    ]
    try:
        pending = set(tries)
        while pending:
            _, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
            publish([each.result() for each in tries if each.done()])
            if pending:
                await asyncio.wait(pending, timeout=_SECONDS_BETWEEN_UPDATES)
    finally:
        for each in tries:
            each.cancel()
    return [each.result() for each in tries]


def ranked(findings: Sequence[Finding]) -> list[Finding]:
    """Those that work by their time for a pull, then the others as they were named.

    One that says otherwise than most about the image comes after those that agree.
    """
    good = [each for each in findings if each.verdict is Verdict.OK]
    digests = Counter(each.digest for each in good).most_common()
    usual = digests[0][0] if digests and not _at_odds(findings) else None
    marked = [
        replace(each, differs=True, text="its image is another one than that of most others")
        if usual is not None and each.digest != usual
        else each
        for each in good
    ]
    bad = [each for each in findings if each.verdict is not Verdict.OK]
    return sorted(marked, key=lambda each: (each.differs, each.seconds)) + bad


def _at_odds(findings: Sequence[Finding]) -> bool:
    """Whether the mirrors that work say different things, and none has the most on its side."""
    counts = Counter(each.digest for each in findings if each.verdict is Verdict.OK).most_common(2)
    return len(counts) == 2 and counts[0][1] == counts[1][1]


async def _facts(context: JobContext, mirrors: Sequence[str]) -> EngineFacts:
    """What a running engine says of itself, which tells how it would use the mirrors."""
    unit = await context.systemd.get_state(names.DOCKER_UNIT)
    if not unit.active:
        return EngineFacts()
    try:
        facts = await context.engine.facts()
    except ServiceFailed:
        return EngineFacts()  # Mirrors can be tried without it.
    facts = await engineproxies.with_credentials(context.systemd, unit, facts)
    for proxy in engineproxies.of(facts).used_for(mirrors):
        context.add_note(
            f"Mirrors were tried through the proxy {proxy}, as the engine is set to use it."
        )
        if proxy.masked:
            context.add_note(
                f"The engine has a name and a password for the proxy {proxy} that are not known "
                "here, and so the proxy was asked without."
            )
    return facts
