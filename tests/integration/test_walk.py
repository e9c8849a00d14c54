# SPDX-License-Identifier: LGPL-2.1-or-later
"""Random walks over unusual hosts: nothing is lost that no job has announced.

A walk is determined by its seed. DOCKMGRD_WALK_SEED repeats one.
"""

from __future__ import annotations

import os
import random
import time
from typing import TYPE_CHECKING

import pytest

from bed import layers
from bed.api import Api
from bed.fixtures import EACH_DNF
from bed.soaking import SOAKING
from integration.walk_hosts import RandomHost
from integration.walk_rules import Run, find_faults
from integration.walk_steps import Step
from integration.walk_view import look

if TYPE_CHECKING:
    from bed.fixtures import NewHost
    from bed.host import Host
    from bed.suites import Suite

SOAK_SECONDS = 600.0
STEPS = 3
DATA_MOUNTS_SHARE = 0.8
"""How many hosts have mount points at Docker's folders below /var/lib."""
SEEDS = [int(each) for each in os.environ.get("DOCKMGRD_WALK_SEED", "1,2,3").split(",")]


def walk(new_host: NewHost, suite: Suite, seed: int) -> None:
    """Take random steps on a random host; pytest shows them when one fails."""
    chance = random.Random(seed)
    kind, data_mounts = RandomHost.choose(chance), chance.random() < DATA_MOUNTS_SHARE
    steps = [Step.choose(chance) for _ in range(STEPS)]
    host = new_host(layers.docker(suite), data_mounts=data_mounts)
    history = [f"seed {seed}, with mounts for the data: {data_mounts}"]
    try:
        history += kind.set_up(host)
        for step in steps:
            history.append(str(step))
            faults = find_faults(take(host, step, history))
            history += faults
            assert faults == []
    finally:
        print(*history, sep="\n")
    host.close()


def take(host: Host, step: Step, history: list[str]) -> Run:
    """Do the step, and its dry run before it."""
    api = Api(host)
    step.prepare(host)
    before = look(host)
    plan = step.plan(api)
    history.append(f"  dry run: {plan}")
    planned = look(host)
    outcome = step.run(api)
    history.append(f"  job: {outcome}")
    after = look(host)
    step.clean_up(host)
    assert api.status()["platform"], "Status works on every host"
    return Run(before, planned, after, plan, outcome, canceled=step.cancel_at is not None)


@EACH_DNF
@pytest.mark.parametrize("seed", SEEDS)
def test_a_walk(new_host: NewHost, suite: Suite, seed: int) -> None:
    walk(new_host, suite, seed)


@EACH_DNF
@pytest.mark.soak
@pytest.mark.timeout(20_000)
@pytest.mark.skipif(not SOAKING, reason="takes ten minutes")
def test_walks_for_ten_minutes(new_host: NewHost, suite: Suite) -> None:
    end = time.monotonic() + SOAK_SECONDS
    seed = random.SystemRandom().randrange(10**6)
    count = 0
    while time.monotonic() < end:
        walk(new_host, suite, seed + count)
        count += 1
    print(f"{count} walks from seed {seed} on")
