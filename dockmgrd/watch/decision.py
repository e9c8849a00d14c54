# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a run of the mirror watch decides. Nothing here reads the host or its clock."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

from dockmgrd.host.watch_record import Check, Outcome, Watched

FAILURES_BEFORE_CHANGE = 2
"""Runs in a row in which the first mirror must fail before it loses its place."""
_FAULTS_OF_HOST = ("proxy", "misconfigured")
"""Verdicts that say nothing about the mirror."""


@dataclass(frozen=True)
class Look:
    """What a run sees of a registry."""

    registry: str
    mirrors: tuple[str, ...]
    """The mirrors that are configured, in their order."""
    checks: tuple[Check, ...] = ()
    """The results, the best first; also of candidates."""
    candidates: Collection[str] = ()
    """Mirrors that the administrator allows beside those that are configured."""
    engine_runs: bool = True


@dataclass(frozen=True)
class Decision:
    """The new entry of the record, and the mirrors to set; none for no change."""

    watched: Watched
    order: tuple[str, ...] = ()


def decide(before: Watched | None, look: Look, now: int, max_gap: int) -> Decision:
    """Decide what follows from a run.

    The order changes when the first mirror has failed in two runs in a row and another one works.
    A configured mirror is preferred to a candidate, and the order of the others stays.

    :param before: the registry in the record; None in the first run.
    :param now: microseconds since the epoch.
    :param max_gap: the longest time between two runs that are in a row, in microseconds.
    """
    if not look.engine_runs:
        known = before or Watched(look.registry, mirrors=look.mirrors)
        return Decision(replace(known, outcome=Outcome.ENGINE_STOPPED))
    failures = _count_failures(before, look, now, max_gap)
    watched = Watched(look.registry, now, look.mirrors, look.checks, failures)
    if not any(each.works for each in look.checks):
        return Decision(replace(watched, outcome=Outcome.NONE_WORKS, none_works=True))
    if _works_first(look):
        return Decision(watched)
    if _find_failure(look) is None:
        return Decision(replace(watched, outcome=Outcome.UNKNOWN))
    watched = replace(watched, outcome=Outcome.FIRST_FAILED)
    if failures < FAILURES_BEFORE_CHANGE:
        return Decision(watched)
    return Decision(watched, _choose_order(look))


def conclude(decision: Decision, outcome: Outcome) -> Watched:
    """The entry of the record after the change that was decided was made, or was not."""
    if outcome is not Outcome.REORDERED:
        return replace(decision.watched, outcome=outcome)
    return replace(decision.watched, outcome=outcome, mirrors=decision.order, failures=0)


def _count_failures(before: Watched | None, look: Look, now: int, max_gap: int) -> int:
    """Runs in a row in which this first mirror has failed, with this run."""
    earlier = 0
    if before is not None and before.mirrors[:1] == look.mirrors[:1]:
        earlier = before.failures if 0 <= now - before.checked_at <= max_gap else 0
    if _works_first(look):
        return 0
    return earlier if _find_failure(look) is None else earlier + 1


def _works_first(look: Look) -> bool:
    return any(each.works for each in look.checks if each.mirror in look.mirrors[:1])


def _find_failure(look: Look) -> Check | None:
    """The failure of the first mirror; None when there is none, or when the host is at fault."""
    for each in look.checks:
        if each.mirror in look.mirrors[:1] and not each.works:
            return None if each.verdict in _FAULTS_OF_HOST else each
    return None


def _choose_order(look: Look) -> tuple[str, ...]:
    """The mirrors with one that works first; none when there is no such mirror."""
    usable = [each.mirror for each in look.checks if each.works and not each.differs]
    working = [mirror for mirror in look.mirrors if mirror in usable]
    if not working:
        working = [mirror for mirror in usable if mirror in look.candidates][:1]
    if not working:
        return ()
    return (*working, *(mirror for mirror in look.mirrors if mirror not in working))
