# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the mirror watch does over simulated days: each row is a run, six hours after the last."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import pytest

from dockmgrd.host.watch_record import Check, Outcome, Watched
from dockmgrd.watch.decision import Decision, Look, conclude, decide

HOUR = 3600 * 1_000_000
EVERY = 6 * HOUR
MAX_GAP = 4 * EVERY
A, B, C, NEW = (f"https://{name}.example/" for name in ("a", "b", "c", "new"))
NAMES = {A: "A", B: "B", C: "C", NEW: "N"}


@dataclass
class World:
    """A host whose mirrors, engine and other jobs a test controls. Its clock is a number."""

    mirrors: tuple[str, ...] = (A, B, C)
    verdicts: dict[str, str] = field(default_factory=dict)
    candidates: frozenset[str] = frozenset()
    differing: frozenset[str] = frozenset()
    engine_runs: bool = True
    is_busy: bool = False
    now: int = 1_000 * 24 * HOUR
    watched: Watched | None = None
    changes: int = 0

    def run(self, changed_meanwhile: tuple[str, ...] = ()) -> str:
        """Run the watch as its service does, and return a row of the table."""
        checks = [
            Check(each, self.verdicts.get(each, "ok"), differs=each in self.differing)
            for each in dict.fromkeys((*self.mirrors, *sorted(self.candidates)))
        ]
        look = Look(
            "docker.io", self.mirrors, tuple(checks), self.candidates, engine_runs=self.engine_runs
        )
        decision = decide(self.watched, look, self.now, MAX_GAP)
        self.mirrors = changed_meanwhile or self.mirrors
        self.watched = self._act(decision, look)
        self.now += EVERY
        return f"{self.watched.outcome.value}: {''.join(NAMES[each] for each in self.mirrors)}"

    def _act(self, decision: Decision, look: Look) -> Watched:
        if not decision.order:
            return decision.watched
        if self.mirrors != look.mirrors:
            return conclude(decision, Outcome.LIST_CHANGED)
        if self.is_busy:
            return conclude(decision, Outcome.BUSY)
        self.mirrors = decision.order
        self.changes += 1
        return conclude(decision, Outcome.REORDERED)

    def break_down(self, *mirrors: str, verdict: str = "timeout") -> None:
        """Have only these mirrors fail from now on."""
        self.verdicts = dict.fromkeys(mirrors, verdict)


def test_nothing_happens_while_the_first_mirror_works() -> None:
    world = World()
    world.break_down(B, C)
    assert [world.run() for _ in range(40)] == ["works: ABC"] * 40


def test_dead_first_mirror() -> None:
    world = World()
    rows = [world.run()]
    world.break_down(A)
    rows += [world.run() for _ in range(4)]
    world.break_down()
    rows += [world.run() for _ in range(2)]
    assert rows == [
        "works: ABC",
        "first-failed: ABC",
        "reordered: BCA",
        "works: BCA",
        "works: BCA",
        "works: BCA",  # A works again, and is not put back.
        "works: BCA",
    ]


def test_flapping_mirror() -> None:
    world = World()
    rows = []
    for day in range(30):
        world.break_down(*([A] if day % 2 else []))
        rows.append(world.run())
    assert rows == ["works: ABC", "first-failed: ABC"] * 15
    assert world.changes == 0


def test_mirrors_that_fail_in_turns() -> None:
    """Each change needs two failures of the mirror that is the first one then."""
    world = World()
    rows = []
    for dead in (A, A, B, A, B, B, C, C):
        world.break_down(dead)
        rows.append(world.run())
    assert rows == [
        "first-failed: ABC",
        "reordered: BCA",
        "first-failed: BCA",
        "works: BCA",
        "first-failed: BCA",
        "reordered: CAB",
        "first-failed: CAB",
        "reordered: ABC",
    ]


def test_all_dead() -> None:
    world = World()
    world.break_down(A, B, C)
    rows = [world.run() for _ in range(4)]
    assert world.watched is not None
    assert world.watched.none_works
    world.break_down(A, B)
    rows.append(world.run())
    assert not world.watched.none_works
    rows.append(world.run())
    assert rows == [*["none-works: ABC"] * 4, "reordered: CAB", "works: CAB"]


def test_one_mirror_alone() -> None:
    world = World(mirrors=(A,))
    world.break_down(A)
    rows = [world.run() for _ in range(3)]
    world.break_down()
    assert [*rows, world.run()] == [*["none-works: A"] * 3, "works: A"]


def test_the_administrator_changes_the_list_between_runs() -> None:
    """The count of failures is that of one mirror in the first place."""
    world = World()
    world.break_down(A, B)
    rows = [world.run()]
    world.mirrors = (B, A, C)
    rows += [world.run(), world.run()]
    world.mirrors = (A, B, C)
    rows += [world.run(), world.run()]
    assert rows == [
        "first-failed: ABC",
        "first-failed: BAC",
        "reordered: CBA",
        "first-failed: ABC",
        "reordered: CAB",
    ]


def test_the_administrator_changes_the_list_during_a_run() -> None:
    world = World()
    world.break_down(A)
    rows = [world.run(), world.run(changed_meanwhile=(A, C)), world.run()]
    assert rows == ["first-failed: ABC", "list-changed: AC", "reordered: CA"]


def test_a_mirror_that_was_removed_does_not_return() -> None:
    world = World()
    world.break_down(A)
    rows = [world.run()]
    world.mirrors = (A, C)
    rows += [world.run() for _ in range(2)]
    assert rows == ["first-failed: ABC", "reordered: CA", "works: CA"]


def test_engine_stopped() -> None:
    """Runs while the engine is stopped count neither as failures nor as successes."""
    world = World()
    world.break_down(A)
    rows = [world.run()]
    world.engine_runs = False
    rows += [world.run() for _ in range(2)]
    world.engine_runs = True
    rows.append(world.run())
    assert rows == ["first-failed: ABC", *["engine-stopped: ABC"] * 2, "reordered: BCA"]


def test_engine_stopped_from_the_beginning() -> None:
    world = World(engine_runs=False)
    assert [world.run(), world.run()] == ["engine-stopped: ABC"] * 2


def test_another_job_runs() -> None:
    world = World(is_busy=True)
    world.break_down(A)
    rows = [world.run() for _ in range(3)]
    world.is_busy = False
    assert [*rows, world.run()] == ["first-failed: ABC", *["busy: ABC"] * 2, "reordered: BCA"]


def test_a_failure_long_ago_is_not_in_a_row() -> None:
    """Such as that of the last evening before a week in which the machine was off."""
    world = World()
    world.break_down(A)
    rows = [world.run()]
    world.now += MAX_GAP
    assert [*rows, world.run(), world.run()] == [*["first-failed: ABC"] * 2, "reordered: BCA"]


def test_a_clock_that_was_set_back() -> None:
    world = World()
    world.break_down(A)
    rows = [world.run()]
    world.now -= 10 * 24 * HOUR
    assert [*rows, world.run(), world.run()] == [*["first-failed: ABC"] * 2, "reordered: BCA"]


@pytest.mark.parametrize("verdict", ["proxy", "misconfigured"])
def test_a_fault_of_the_host_does_not_count(verdict: str) -> None:
    world = World()
    rows = []
    for each in ("timeout", verdict, verdict, "timeout"):
        world.break_down(A, verdict=each)
        rows.append(world.run())
    assert rows == ["first-failed: ABC", *["unknown: ABC"] * 2, "reordered: BCA"]


def test_candidates_are_not_used_unless_they_are_allowed() -> None:
    world = World(mirrors=(A, B))
    world.break_down(A, B)
    rows = [world.run() for _ in range(4)]
    world.candidates = frozenset({NEW})
    rows += [world.run() for _ in range(2)]
    assert rows == [*["none-works: AB"] * 4, "reordered: NAB", "works: NAB"]


def test_configured_mirrors_are_preferred_to_candidates() -> None:
    world = World(mirrors=(A, B), candidates=frozenset({NEW}))
    world.break_down(A)
    assert [world.run(), world.run()] == ["first-failed: AB", "reordered: BA"]


def test_a_mirror_with_another_image_does_not_become_the_first() -> None:
    world = World(differing=frozenset({B}))
    world.break_down(A)
    assert [world.run(), world.run()] == ["first-failed: ABC", "reordered: CAB"]
    world = World(mirrors=(A, B), differing=frozenset({B}))
    world.break_down(A)
    assert [world.run() for _ in range(3)] == ["first-failed: AB"] * 3


def test_no_change_without_two_failures_in_a_row() -> None:
    """For every way in which the first mirror works and fails in ten runs."""
    for pattern in range(1 << 10):
        dead = [bool(pattern >> number & 1) for number in range(10)]
        world = World(mirrors=(A, B))
        for before, now in zip([False, *dead], dead):
            world.break_down(*([A] if now else []))
            had_changed = world.changes > 0
            world.run()
            assert had_changed or (world.changes > 0) == (before and now), dead


def _list_orders(rows: Iterable[str]) -> set[frozenset[str]]:
    return {frozenset(row.partition(": ")[2]) for row in rows}


def test_no_mirror_is_ever_added_or_lost() -> None:
    world = World()
    rows = []
    for number in range(200):
        world.break_down(*(each for bit, each in enumerate((A, B, C)) if number * 7 >> bit & 1))
        rows.append(world.run())
    assert _list_orders(rows) == {frozenset("ABC")}
