# SPDX-License-Identifier: LGPL-2.1-or-later
"""The kill matrix: after any kill, the job has a correct end and the next request succeeds."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from bed.api import Api, ApiError
from dockmgrd import names

if TYPE_CHECKING:
    from bed.host import Host

TERMINAL = ("done", "failed", "interrupted")

_INHIBITORS = (
    "busctl",
    "--json=short",
    "call",
    "org.freedesktop.login1",
    "/org/freedesktop/login1",
    "org.freedesktop.login1.Manager",
    "ListInhibitors",
)

# Runs on the host: starts Install, and ends when the job is at a stage, with the job's path. One
# that was so short that nobody saw it, as can be on a busy machine, counts when it is over.
_UNTIL_STAGE = """
import asyncio, sys
from dockmgrd.bus.client import Bus
from dockmgrd.bus.messages import PROPERTIES, Match
from dockmgrd.enums import Stage
from dockmgrd.bus.variants import to_plain

ORDER = [stage.value for stage in Stage]

async def main(stage):
    async with Bus() as bus:
        reached = asyncio.Event()

        def look(values):
            now = to_plain(values).get("Stage")
            if now and ORDER.index(now) >= ORDER.index(stage):
                reached.set()

        changed = Match("org.dockmgr1", PROPERTIES, "PropertiesChanged")
        await bus.subscribe(changed, lambda message: look(message.body[1]))
        [path] = await bus.call("org.dockmgr1", "/org/dockmgr1", "org.dockmgr1.Manager",
                                "Install", "a{sv}", [{}])
        print(path, flush=True)
        [values] = await bus.call("org.dockmgr1", path, PROPERTIES, "GetAll", "s",
                                  ["org.dockmgr1.Job"])
        look(values)
        await reached.wait()

asyncio.run(main(sys.argv[1]))
"""


def unit_of(job: str) -> str:
    return names.job_unit(job.rpartition("/")[2])


def kill_daemon(host: Host, _job: str) -> None:
    host.run("systemctl", "kill", "--signal=SIGKILL", "--kill-whom=main", "dockmgrd.service")


def kill_job(host: Host, job: str) -> None:
    """The main process alone, as a fault of it or the kernel's memory killer would."""
    unit = unit_of(job)
    host.run("systemctl", "kill", "--signal=SIGKILL", "--kill-whom=main", unit, check=False)


def kill_worker(host: Host, _job: str) -> None:
    host.run("pkill", "-KILL", "--full", "-m dockmgrd.worker", check=False)


def stop_daemon(host: Host, _job: str) -> None:
    host.run("systemctl", "stop", "dockmgrd.service")


def restart_bus(host: Host, _job: str) -> None:
    host.run("systemctl", "restart", "dbus.service")


def reexec_systemd(host: Host, _job: str) -> None:
    host.run("systemctl", "daemon-reexec")


def power_loss(host: Host, _job: str) -> None:
    host.kill()
    host.boot(may_degrade=True)


EVENTS: dict[str, Callable[[Host, str], None]] = {
    "daemon": kill_daemon,
    "stop": stop_daemon,
    "job": kill_job,
    "worker": kill_worker,
    "bus": restart_bus,
    "reexec": reexec_systemd,
    "power": power_loss,
}
STAGES = ("preparing", "downloading", "checking", "installing", "starting", "verifying")
HARMLESS = ("daemon", "stop", "bus", "reexec")


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("event", EVENTS)
def test_whatever_dies_the_job_ends_truly_and_the_next_one_succeeds(
    host: Host, event: str, stage: str
) -> None:
    survive(host, event, stage)


@pytest.mark.suites("trixie", "forky", "bullseye")
@pytest.mark.parametrize("event", ["stop", "bus", "power"])
def test_on_other_hosts_too_while_rpm_writes(host: Host, event: str) -> None:
    """With another systemd, another message bus, another dnf."""
    survive(host, event, "installing")


def survive(host: Host, event: str, stage: str) -> None:
    host.internet.fault("download.docker.com", "slow", prefix="/linux/", value=60_000_000)
    job = host.run("/usr/bin/python3", "-IBc", _UNTIL_STAGE, stage).stdout.strip()
    EVENTS[event](host, job)
    ended = end_of(host, job)
    assert ended["State"] in TERMINAL
    if event in HARMLESS:
        assert ended["State"] == "done", ended["ErrorMessage"]
    if ended["State"] != "done":
        assert ended["ErrorMessage"].endswith(".")
        host.run("systemctl", "reset-failed")
    api = Api(host)
    api.wait(api.install())
    status = api.status()
    assert status["installed"]
    assert status["service-state"] == "active"
    assert host.run("rpm", "-V", "docker-ce", "docker-ce-cli", check=False).returncode == 0
    nothing_left_behind(host)


def test_the_host_may_not_shut_down_while_rpm_writes(host: Host) -> None:
    job = host.run("/usr/bin/python3", "-IBc", _UNTIL_STAGE, "installing").stdout.strip()
    locks = json.loads(host.run(*_INHIBITORS).stdout)["data"][0]
    host.run("systemctl", "stop", unit_of(job))
    assert ("shutdown:sleep", "dockmgrd", "block") in [
        (lock[0], lock[1], lock[3]) for lock in locks
    ]
    assert end_of(host, job)["State"] == "done", "a stop waits for rpm, and then for the job"
    locks = json.loads(host.run(*_INHIBITORS).stdout)["data"][0]
    assert "dockmgrd" not in [lock[1] for lock in locks]


def test_a_job_started_by_hand_finds_the_lock_taken(host: Host) -> None:
    host.internet.fault("download.docker.com", "slow", prefix="/linux/", value=10_000_000)
    api = Api(host)
    job = api.install()
    jobs = "/var/lib/dockmgrd/jobs"
    other = "20260101T000000_abcdef"
    host.run("cp", "-r", f"{jobs}/{job.rpartition('/')[2]}", f"{jobs}/{other}")
    host.run("systemctl", "start", "--wait", names.job_unit(other))
    result = json.loads(host.read(f"{jobs}/{other}/result.json"))
    assert result["error_name"] == "org.dockmgr1.Error.Busy"
    api.cancel(job)


def test_a_job_is_not_done_twice(host: Host) -> None:
    api = Api(host)
    job = api.set_mirror("https://mirror.bed.test")
    api.wait(job)
    host.run("rm", "/etc/docker/daemon.json")
    host.run("systemctl", "start", "--wait", unit_of(job))
    assert not host.path("/etc/docker/daemon.json").exists()


def end_of(host: Host, job: str) -> dict[str, Any]:
    """The job's properties when it has ended, by whichever daemon there is by then."""
    api = Api(host)
    for _ in range(5):
        try:
            api.wait(job)
        except ApiError as error:
            if not error.name.startswith("org.freedesktop.DBus.Error."):
                break
        else:
            break
    return api.properties(job)


def nothing_left_behind(host: Host) -> None:
    """No unit of a job, no lock that is held, no file half-written."""
    units = host.run("systemctl", "list-units", "--plain", "--no-legend", "dockmgrd-job@*").stdout
    assert units == ""
    assert host.run("pgrep", "--full", "dockmgrd.worker", check=False).stdout == ""
    folders = ("/etc/yum.repos.d", "/etc/docker", "/var/lib/dockmgrd")
    found = host.run("find", *folders, "-name", ".*", "-type", "f", check=False).stdout
    assert found == ""
    jobs = host.path("/var/lib/dockmgrd/jobs")
    for folder in jobs.iterdir():
        assert json.loads((folder / "result.json").read_text())["state"] in TERMINAL
