# SPDX-License-Identifier: LGPL-2.1-or-later
"""ProbeMirrors: try all mirrors at once, publish results as they come, and rank them."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from dockmgrd import names, paths
from dockmgrd.catalog import mirrors as candidates
from dockmgrd.catalog.mirrors import Candidates
from dockmgrd.enums import Stage
from dockmgrd.errors import InvalidArgs, MirrorUnreachable, ServiceFailed
from dockmgrd.host.engine_answers import EngineFacts
from dockmgrd.host.jobstore import JobStore
from dockmgrd.job.context import JobContext
from dockmgrd.job.probe import engine_proxies
from dockmgrd.job.probe.http import WebClient
from dockmgrd.job.probe.registry import Finding, Pull, try_mirror
from dockmgrd.job.probe.trust import Trust
from dockmgrd.job.probe.verdicts import Verdict
from dockmgrd.messages import probe as messages
from dockmgrd.model import Numbers
from dockmgrd.names import DOCKER_HUB
from dockmgrd.options.mirrors import SECONDS_TO_PROBE, ProbeOptions

_SECONDS_BETWEEN_UPDATES = 0.15
"""Longer than the interval of the context, so that the last of several updates is never lost."""


async def probe(context: JobContext, options: ProbeOptions) -> dict[str, Any]:
    """Probe the mirrors, or the candidates of this host when none are named.

    :returns: `probed`: the findings, best first.
    :raises InvalidArgs: when there is nothing to probe.
    """
    catalogue = candidates.load()
    context.add_notes(catalogue.problems)
    mirrors = options.mirrors or catalogue.list_mirrors(options.registry)
    if not mirrors:
        raise InvalidArgs(messages.NOTHING_TO_PROBE().with_remedy(messages.NAME_A_MIRROR()))
    store = JobStore()

    def publish(findings: Sequence[Finding]) -> None:
        plain = [each.to_plain() for each in rank_findings(findings)]
        store.write_findings(context.request.job_id, {"probed": plain})
        count, total = len(findings), len(mirrors)
        text = messages.MIRRORS_TRIED(count=count, total=total)
        numbers = Numbers(item=count, items=total)
        context.report(Stage.PROBING, 0.05 + 0.9 * count / total, text, numbers)

    context.report(Stage.PROBING, 0.05)
    facts = await _read_facts(context, mirrors)
    pull = make_pull(catalogue, options.registry, facts)
    findings = await try_all(mirrors, options.timeout, facts, publish, pull)
    if _do_disagree(findings):
        note = messages.MIRRORS_DISAGREE()
        context.add_note(note.with_remedy(messages.COMPARE_BEFORE_TRUST()))
    return {"probed": [each.to_plain() for each in rank_findings(findings)]}


async def verify(context: JobContext, mirrors: Sequence[str], registry: str = DOCKER_HUB) -> None:
    """Check that all of the mirrors of the registry work.

    :raises InvalidArgs: when no image of the registry is known.
    :raises MirrorUnreachable: naming those that fail, and why.
    """
    if not mirrors:
        return
    context.report(Stage.PROBING, 0.1)
    facts = await _read_facts(context, mirrors)
    pull = make_pull(candidates.load(), registry, facts)
    findings = await try_all(mirrors, SECONDS_TO_PROBE, facts, lambda _: None, pull)
    failed = [each for each in findings if each.verdict is not Verdict.OK]
    if failed:
        failures = [
            messages.MIRROR_AND_CAUSE(mirror=each.mirror, cause=each.cause) for each in failed
        ]
        text = messages.VERIFICATION_FAILED(failures=failures)
        raise MirrorUnreachable(text.with_remedy(messages.LEAVE_OUT_MIRRORS()))


def make_pull(catalogue: Candidates, registry: str, facts: EngineFacts) -> Pull:
    """What to pull through mirrors of the registry.

    :raises InvalidArgs: when no image of the registry is known.
    """
    image = catalogue.images.get(registry)
    if image is None:
        text = messages.NO_IMAGE_TO_PROBE(registry=registry)
        remedy = messages.NAME_AN_IMAGE(path=str(paths.ADMIN_MIRRORS))
        raise InvalidArgs(text.with_remedy(remedy))
    # Mirrors of another registry are for the containerd image store alone.
    uses_namespace = facts.containerd_store or registry != DOCKER_HUB
    return Pull(image, registry if uses_namespace else "", is_hub=registry == DOCKER_HUB)


async def try_all(
    mirrors: Sequence[str],
    timeout: float,
    facts: EngineFacts,
    publish: Callable[[Sequence[Finding]], None],
    pull: Pull,
) -> list[Finding]:
    """Try all at once; `publish` is called with the findings so far, now and then.

    :param timeout: seconds for each.
    """
    trust = Trust(facts.insecure)
    proxies = engine_proxies.make_proxies(facts)
    tries = [
        asyncio.ensure_future(
            try_mirror(
                mirror,
                WebClient(partial(trust.context, urlsplit(mirror).netloc), proxies),
                timeout,
                pull,
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


def rank_findings(findings: Sequence[Finding]) -> list[Finding]:
    """Working mirrors by the time of their pull, then the others in the given order.

    One with another image than most comes after those that agree.
    """
    good = [each for each in findings if each.verdict is Verdict.OK]
    digests = Counter(each.digest for each in good).most_common()
    usual = digests[0][0] if digests and not _do_disagree(findings) else None
    marked = [
        replace(each, differs=True, cause=messages.IMAGE_DIFFERS())
        if usual is not None and each.digest != usual
        else each
        for each in good
    ]
    bad = [each for each in findings if each.verdict is not Verdict.OK]
    return sorted(marked, key=lambda each: (each.differs, each.seconds)) + bad


def _do_disagree(findings: Sequence[Finding]) -> bool:
    """Whether working mirrors have different images, and no image has a majority."""
    counts = Counter(each.digest for each in findings if each.verdict is Verdict.OK).most_common(2)
    return len(counts) == 2 and counts[0][1] == counts[1][1]


async def _read_facts(context: JobContext, mirrors: Sequence[str]) -> EngineFacts:
    """The facts of a running engine, which decide how it would use the mirrors."""
    unit = await context.systemd.get_state(names.DOCKER_UNIT)
    if not unit.active:
        return EngineFacts()
    try:
        facts = await context.engine.facts()
    except ServiceFailed:
        return EngineFacts()  # Mirrors can be probed without it.
    facts = await engine_proxies.add_credentials(context.systemd, unit, facts)
    for proxy in engine_proxies.make_proxies(facts).list_used_for(mirrors):
        context.add_note(messages.TRIED_THROUGH_PROXY(proxy=str(proxy)))
        if proxy.is_masked:
            context.add_note(messages.TRIED_WITHOUT_CREDENTIALS(proxy=str(proxy)))
    return facts
