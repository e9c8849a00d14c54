# SPDX-License-Identifier: LGPL-2.1-or-later
"""Change mirrors repeatedly under load, and kill jobs: nothing is lost."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from bed.api import Api
from bed.fixtures import EVERYWHERE
from bed.limits import HANG_TIMEOUT
from bed.pings import pinged
from bed.soaking import rounds
from integration.mirror_hosts import (
    DAEMON_JSON,
    MIRROR,
    MIRROR2,
    active,
    engine_host,
    set_mirror,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bed.host import Host

__all__ = ["engine_host"]

CHANGES = rounds(25, 500)
KILLS = rounds(10, 200)
OTHERS = {"shutdown-timeout": 20, "debug": False, "labels": ["a=1", "b=\u00e9"]}
LISTS = ([MIRROR], [MIRROR2], [MIRROR, MIRROR2], [MIRROR2, MIRROR])

# Runs on the host until its standard input ends: pulls, and prints what fails.
_PULL = """
import select, subprocess, sys
pulls = 0
while not select.select([sys.stdin], [], [], 0)[0]:
    for command in (["docker", "pull", "-q", "hello-world"], ["docker", "rmi", "hello-world"]):
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            print(command, done.stderr, flush=True)
    pulls += 1
print(pulls)
"""

# Runs on the host: changes the mirrors over and over, and prints whatever is not as it must be.
_CHANGE = """
import asyncio, json, sys
from dockmgrd import names
from dockmgrd.bus.client import Bus
from dockmgrd.host.engine import Engine
from dockmgrd.bus.variants import to_plain

async def main():
    lists, others, count = json.loads(sys.argv[1])
    async with Bus() as bus:
        for number in range(count):
            mirrors = lists[number % len(lists)]
            [path] = await bus.call(names.BUS_NAME, names.MANAGER_PATH, names.MANAGER_INTERFACE,
                                    "SetMirror", "asa{sv}", [mirrors, {}])
            [result] = await bus.call(names.BUS_NAME, path, names.JOB_INTERFACE, "Wait",
                                      timeout=300)
            with open("/etc/docker/daemon.json", encoding="utf-8") as file:
                content = list(json.load(file).items())
            result = to_plain(result)
            diff = result.pop("diff")
            found = [result, list((await Engine().facts()).mirrors), content]
            wanted_result = {
                "changed": True,
                "registry": "docker.io",
                "mirrors": mirrors,
                "active": True,
                "notes": [],
            }
            wanted = [wanted_result, mirrors, [*others.items(), ("registry-mirrors", mirrors)]]
            if found != wanted or not diff.startswith("--- /etc/docker/daemon.json"):
                print(number, found, diff)

asyncio.run(main())
"""

# Runs on the host: starts a change, kills its job after a moment, prints what became of it.
_KILL = """
import asyncio, json, sys
from dockmgrd import names
from dockmgrd.bus.client import Bus
from dockmgrd.errors import RemoteError

MANAGER = ("org.freedesktop.systemd1", "/org/freedesktop/systemd1",
           "org.freedesktop.systemd1.Manager")

async def main():
    mirrors, seconds = json.loads(sys.argv[1])
    async with Bus() as bus:
        [path] = await bus.call(names.BUS_NAME, names.MANAGER_PATH, names.MANAGER_INTERFACE,
                                "SetMirror", "asa{sv}", [mirrors, {}])
        unit = names.job_unit(path.rpartition("/")[2])
        await asyncio.sleep(seconds)
        try:
            await bus.call(*MANAGER, "KillUnit", "ssi", [unit, "all", 9])
        except RemoteError:
            pass
        try:
            await bus.call(names.BUS_NAME, path, names.JOB_INTERFACE, "Wait", timeout=300)
            print("done")
        except RemoteError as error:
            print(error.name.rpartition(".")[2])

asyncio.run(main())
"""


@contextmanager
def meanwhile(host: Host, program: str) -> Iterator[list[str]]:
    """Run a program on the host until the context ends; then the lines that it printed are
    there.
    """
    lines: list[str] = []
    process = host.popen("/usr/bin/python3", "-IBc", program)
    try:
        yield lines
    finally:
        output, errors = process.communicate("\n", timeout=HANG_TIMEOUT)
        lines += [*output.splitlines(), *errors.splitlines()]


def state_of_container(host: Host) -> dict[str, Any]:
    output = host.run("docker", "inspect", "--format", "{{json .State}}", "runs-on").stdout
    state: dict[str, Any] = json.loads(output)
    assert state["Running"]
    return {key: state[key] for key in ("Pid", "StartedAt")}


def seconds_of(api: Api, job: str) -> float:
    """How long the job takes, from when it is accepted to its end."""
    api.wait(job)
    properties = api.properties(job)
    return float(properties["FinishedAt"] - properties["CreatedAt"]) / 1e6


def run_container(host: Host) -> None:
    host.run("docker", "load", "-i", "/srv/bed/registry/tiny.tar")
    host.run("docker", "run", "--detach", "--name", "runs-on", "tiny", "sleep", "1000000")


@pytest.mark.soak
@pytest.mark.timeout(20_000)
@EVERYWHERE
def test_changes_in_a_row_under_a_container_and_pulls(engine_host: Host) -> None:
    host, api = engine_host, Api(engine_host)
    host.write(DAEMON_JSON, json.dumps(OTHERS, indent=1, ensure_ascii=False))
    host.run("systemctl", "restart", "docker")
    api.wait(set_mirror(api, *LISTS[-1]))
    run_container(host)
    before = state_of_container(host)
    with meanwhile(host, _PULL), pinged(host) as undisturbed:
        host.run("sleep", "3")
    with meanwhile(host, _PULL) as pulls, pinged(host) as pings:
        request = json.dumps([LISTS, OTHERS, CHANGES])
        changed = host.run(
            "/usr/bin/python3", "-IBc", _CHANGE, request, timeout=HANG_TIMEOUT + 20 * CHANGES
        )
    assert changed.stdout == ""
    assert state_of_container(host) == before, "the container has run on"
    *failed_pulls, count = pulls
    assert failed_pulls == []
    assert int(count) > 0
    print(
        f"{CHANGES} changes, {count} pulls, {pings.asked} pings, longest gap {pings.longest:.3f} s"
    )
    assert pings.failed == 0
    usual = max(0.1, undisturbed.longest)  # the machine may be slow
    assert pings.longest < 10 * usual, "the engine answers throughout"


@pytest.mark.soak
@pytest.mark.timeout(20_000)
def test_a_change_killed_at_any_moment_leaves_a_file_that_the_engine_starts_with(
    engine_host: Host,
) -> None:
    host, api = engine_host, Api(engine_host)
    host.write(DAEMON_JSON, json.dumps(OTHERS, indent=1, ensure_ascii=False))
    whole = seconds_of(api, set_mirror(api, MIRROR))
    outcomes: dict[tuple[str, str], int] = {}
    for number in range(KILLS):
        old = json.loads(host.read(DAEMON_JSON))["registry-mirrors"]
        new = LISTS[(LISTS.index(old) + 1) % len(LISTS)]
        seconds = 1.2 * whole * number / KILLS
        request = json.dumps([new, seconds])
        outcome = host.run("/usr/bin/python3", "-IBc", _KILL, request).stdout.strip()
        content = json.loads(host.read(DAEMON_JSON))
        mirrors = content["registry-mirrors"]
        assert content == {**OTHERS, "registry-mirrors": mirrors}
        assert mirrors in (old, new)
        assert outcome == "Interrupted" or mirrors == new
        host.run("systemctl", "reset-failed", "docker")
        host.run("systemctl", "restart", "docker")
        assert active(host) == mirrors
        key = (outcome, "new" if mirrors == new else "old")
        outcomes[key] = outcomes.get(key, 0) + 1
    print(f"{KILLS} kills: {outcomes}")
    assert outcomes.get(("Interrupted", "old")), "some were killed before they wrote"
    assert api.wait(set_mirror(api, MIRROR, MIRROR2))["active"] is True, "the next job works"
    left = {each.name for each in host.path("/etc/docker").iterdir()}
    assert left <= {"daemon.json", "daemon.json.dockmgrd-backup", "key.json"}
