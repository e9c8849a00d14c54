# SPDX-License-Identifier: LGPL-2.1-or-later
"""The mirror watch on a host: its timer exists only where it is on, and its service does a run."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from bed.api import Api
from dockmgrd import names
from integration.mirror_hosts import MIRROR, MIRROR2, active, engine_host, set_mirror

if TYPE_CHECKING:
    from bed.host import Host

__all__ = ["engine_host"]

DEAD = "https://unsigned.bed.test/"
SETTINGS = "/etc/dockmgrd/dockmgrd.yaml"
WATCH = "mirror-watch: {every: 6h}\n"
TIMER, UNIT = "dockmgrd-mirror-watch.timer", "dockmgrd-mirror-watch.service"


def show(host: Host, unit: str, value: str) -> str:
    return host.run("systemctl", "show", unit, "-P", value).stdout.strip()


def run_watch(host: Host) -> None:
    host.run("systemctl", "start", UNIT)


def traffic(host: Host) -> list[str]:
    """Return the counters of all network devices."""
    return host.run("cat", "/proc/net/dev").stdout.splitlines()


def problems(api: Api) -> list[str]:
    return [each["id"] for each in api.call("Status")["problems"]]


@pytest.mark.suites("bookworm", "forky")
def test_the_timer_exists_only_when_it_is_configured(host: Host) -> None:
    api = Api(host)
    api.call("Status")
    assert show(host, TIMER, "LoadState") == "not-found"
    host.write(SETTINGS, WATCH)
    api.call("Status")
    assert show(host, TIMER, "ActiveState") == "active"
    assert TIMER in host.run("systemctl", "list-timers", "--all").stdout
    assert "6h" in show(host, TIMER, "TimersMonotonic")
    host.write(SETTINGS, "mirror-watch: {every: 30min}\n")
    api.call("Status")
    assert "30min" in show(host, TIMER, "TimersMonotonic")
    host.run("systemctl", "daemon-reload")
    assert TIMER in show(host, "timers.target", "Wants"), "it starts at boot"
    units = (f"/run/systemd/generator/{TIMER}", f"/usr/lib/systemd/system/{UNIT}")
    host.run("systemd-analyze", "verify", "--man=no", *units)
    host.run("rm", SETTINGS)
    api.call("Status")
    assert show(host, TIMER, "LoadState") == "not-found"
    assert show(host, TIMER, "ActiveState") == "inactive"


@pytest.mark.suites("bookworm", "forky")
def test_no_traffic_when_it_is_off(host: Host) -> None:
    host.write("/etc/docker/daemon.json", json.dumps({"registry-mirrors": [MIRROR]}))
    before = traffic(host)
    api = Api(host)
    api.call("Status")
    assert TIMER not in host.run("systemctl", "list-timers", "--all").stdout
    run_watch(host)
    api.call("Status")
    assert traffic(host) == before


@pytest.mark.suites("bookworm", "forky")
def test_a_dead_first_mirror_loses_its_place_after_two_runs(engine_host: Host) -> None:
    host, api = engine_host, Api(engine_host)
    host.internet.refuse("unsigned.bed.test")
    api.wait(set_mirror(api, DEAD, MIRROR2, MIRROR))
    host.write(SETTINGS, WATCH)
    pid = show(host, "docker.service", "MainPID")
    host.run("docker", "pull", "tiny")
    host.run(
        "docker", "run", "--detach", "--name=steady", "--network=none", "tiny", "sleep", "infinity"
    )
    run_watch(host)
    assert active(host) == [DEAD, MIRROR2, MIRROR]
    run_watch(host)
    assert active(host) == [MIRROR2, MIRROR, DEAD]
    assert host.run("docker", "ps", "--quiet").stdout.strip()
    assert show(host, "docker.service", "MainPID") == pid
    run_watch(host)
    assert active(host) == [MIRROR2, MIRROR, DEAD]
    assert host.journal(MESSAGE_ID=names.MESSAGE_MIRRORS_REORDERED)
    jobs = json.loads(host.run("dockmgrctl", "--json", "jobs").stdout)
    assert [each["kind"] for each in jobs].count("set-mirror") == 2
    assert "dockmgrd" in host.run("dockmgrctl", "jobs").stdout
    table = host.run("dockmgrctl", "mirrors").stdout
    assert "min ago" in table, table


@pytest.mark.suites("bookworm")
def test_a_problem_while_no_mirror_works(engine_host: Host) -> None:
    host, api = engine_host, Api(engine_host)
    api.wait(set_mirror(api, MIRROR))
    host.write(SETTINGS, WATCH)
    before = host.read("/etc/docker/daemon.json")
    host.internet.refuse("mirror.bed.test")
    for _ in range(3):
        run_watch(host)
        assert "no-mirror-of-registry-works" in problems(api)
    assert host.read("/etc/docker/daemon.json") == before
    assert len(host.journal(MESSAGE_ID=names.MESSAGE_NO_MIRROR_WORKS)) == 1
    host.internet.clear()
    run_watch(host)
    assert "no-mirror-of-registry-works" not in problems(api)
    host.run("systemctl", "stop", "docker.service", "docker.socket")
    run_watch(host)
    checks: list[dict[str, Any]] = api.call("Status")["mirror-checks"]
    assert [each["outcome"] for each in checks] == ["engine-stopped"]


@pytest.mark.suites("bookworm")
def test_a_record_that_is_not_readable_is_none(engine_host: Host) -> None:
    host, api = engine_host, Api(engine_host)
    api.wait(set_mirror(api, MIRROR))
    host.write(SETTINGS, WATCH)
    for content in ("{", "[]", '{"registries": [{"registry": 1}]}', '{"version": 99}'):
        host.write("/var/lib/dockmgrd/mirror-watch.json", content)
        assert api.call("Status")["mirror-checks"] == []
    run_watch(host)
    assert [each["verdict"] for each in api.call("Status")["mirror-checks"]] == ["ok"]
