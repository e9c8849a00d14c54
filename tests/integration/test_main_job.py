# SPDX-License-Identifier: LGPL-2.1-or-later
"""The main job with busctl, and the guarantees while it runs."""

from __future__ import annotations

import json
import shlex
import signal
from typing import TYPE_CHECKING, Any

import pytest

from bed.api import Api, ApiError
from bed.fixtures import EVERYWHERE
from bed.workers import ALL
from dockmgrd import names

if TYPE_CHECKING:
    from bed.host import Host

pytestmark = EVERYWHERE
MIRROR, SECOND_MIRROR = "https://mirror.bed.test/", "https://mirror2.bed.test/"
RUN_TINY = ("docker", "run", "--rm", "tiny", "echo", "it works")


def busctl(host: Host, member: str, arguments: str) -> str:
    """Call a method of the manager as a person would; return the job path that it prints."""
    command = ["busctl", "--system", "--json=short", "call", names.BUS_NAME, names.MANAGER_PATH]
    output = host.run(*command, names.MANAGER_INTERFACE, member, *shlex.split(arguments)).stdout
    [path] = json.loads(output)["data"]
    return str(path)


def container(host: Host) -> tuple[int, str]:
    """Process and start time of the container `runs-on`."""
    output = host.run("docker", "inspect", "--format", "{{json .State}}", "runs-on").stdout
    state: dict[str, Any] = json.loads(output)
    assert state["Running"]
    return state["Pid"], state["StartedAt"]


def test_the_whole_path_by_busctl_alone(host: Host) -> None:
    api = Api(host)
    with api.watch() as changes:
        job = busctl(host, "Install", "a{sv} 1 source s aliyun")
        result = api.wait(job)
    assert result["changed"] is True
    assert result["source"] == "aliyun"
    fractions = [changed["Progress"] for path, changed in changes if "Progress" in changed]
    assert len(set(fractions)) > 5, "the job's properties move"
    assert fractions == sorted(fractions), "and never back"
    status = api.status()
    assert (status["installed"], status["source"]) == (True, "aliyun")
    assert set(ALL) <= set(status["packages"])
    assert status["service-state"] == "active"
    assert host.run("systemctl", "is-enabled", "docker.service").stdout.strip() == "enabled"

    assert host.run("docker", "pull", "tiny", check=False).returncode != 0
    api.wait(busctl(host, "SetMirror", "asa{sv} 1 https://mirror.bed.test 0"))
    assert host.run(*RUN_TINY).stdout == "it works\n"

    host.run("docker", "run", "--detach", "--name", "runs-on", "tiny", "sleep", "600")
    before = container(host)
    api.wait(busctl(host, "SetMirror", f"asa{{sv}} 2 {SECOND_MIRROR} {MIRROR} 0"))
    assert container(host) == before
    info = host.run("docker", "info", "--format", "{{json .RegistryConfig.Mirrors}}").stdout
    assert json.loads(info) == [SECOND_MIRROR, MIRROR]
    properties = api.properties(names.MANAGER_PATH, names.MANAGER_INTERFACE)
    assert properties["Mirrors"] == [SECOND_MIRROR, MIRROR]

    with pytest.raises(ApiError) as caught:
        api.wait(api.uninstall(purge_data=("b", True)))
    assert caught.value.name == "org.dockmgr1.Error.ContainersRunning"
    assert "runs-on" in caught.value.text
    assert container(host) == before
    host.run("docker", "rm", "--force", "runs-on")
    api.wait(busctl(host, "Uninstall", "a{sv} 1 purge-data b true"))
    assert host.run("rpm", "-q", *ALL, check=False).returncode == len(ALL)
    for folder in ("/var/lib/docker", "/var/lib/containerd"):
        path = host.path(folder)
        assert not path.exists() or (path.is_mount() and not list(path.iterdir()))
    assert not host.path("/etc/yum.repos.d/docker-ce.repo").exists()
    assert not host.path("/etc/docker").exists()
    assert api.status()["installed"] is False


def test_completed_steps_are_skipped(docker_host: Host) -> None:
    api = Api(docker_host)
    assert api.wait(api.install(source=("s", "official")))["changed"] is False
    started = docker_host.run("systemctl", "show", "docker", "-P", "ActiveEnterTimestampMonotonic")
    assert api.wait(api.set_mirror(MIRROR))["changed"] is True
    assert api.wait(api.set_mirror(MIRROR))["changed"] is False
    assert api.wait(api.set_mirror())["changed"] is True
    assert api.status()["mirrors-active"] == []
    again = docker_host.run("systemctl", "show", "docker", "-P", "ActiveEnterTimestampMonotonic")
    assert again.stdout == started.stdout, "the engine was never restarted"


def test_the_job_outlives_a_daemon_that_is_killed(host: Host) -> None:
    host.internet.fault("download.docker.com", "slow", prefix="/linux/", value=30_000_000)
    api = Api(host)
    job = api.install()
    daemon = host.run("systemctl", "show", "dockmgrd", "-P", "MainPID").stdout.strip()
    host.run("kill", f"-{signal.SIGKILL.value}", daemon)
    properties = api.properties(job)
    assert properties["State"] == "running", "a new daemon has adopted the job"
    assert host.run("systemctl", "show", "dockmgrd", "-P", "MainPID").stdout.strip() != daemon
    assert api.wait(job)["changed"] is True
    host.run("systemctl", "kill", "--signal=SIGKILL", "dockmgrd")
    assert api.properties(job)["State"] == "done"
    assert api.status()["service-state"] == "active"


def test_a_killed_job_is_interrupted_and_the_next_one_continues(host: Host) -> None:
    host.internet.fault("download.docker.com", "slow", prefix="/linux/", value=10_000_000)
    api = Api(host)
    job = api.install()
    host.run("systemctl", "kill", "--signal=SIGKILL", api.properties(job)["Unit"])
    with pytest.raises(ApiError) as caught:
        api.wait(job)
    assert caught.value.name == "org.dockmgr1.Error.Interrupted"
    host.internet.clear()
    assert api.wait(api.install())["changed"] is True


def test_a_job_can_be_cancelled_before_rpm_writes(host: Host) -> None:
    host.internet.fault("download.docker.com", "slow", prefix="/linux/", value=5_000_000)
    api = Api(host)
    job = api.install()
    api.cancel(job)
    with pytest.raises(ApiError) as caught:
        api.wait(job)
    assert caught.value.name == "org.dockmgr1.Error.Cancelled"
    assert api.properties(job)["State"] == "cancelled"
    assert not host.path("/etc/yum.repos.d/docker-ce.repo").exists()
    with pytest.raises(ApiError) as caught:
        api.cancel(job)
    assert caught.value.name == "org.dockmgr1.Error.NotCancellable"


def hold_starting_jobs(host: Host) -> None:
    """Have every job wait while Python starts, until somebody writes."""
    host.run("mkfifo", "/run/start")
    # Python reads this before anything of the job's.
    is_job = "'dockmgrd.job' in open('/proc/self/cmdline').read().split(chr(0))"
    hold = f"import sys; {is_job} and open('/run/start').read()\n"
    host.write("/usr/lib/python3/dist-packages/hold.pth", hold)


def let_go(host: Host) -> None:
    with host.path("/run/start").open("r+b", buffering=0) as start:
        start.write(b"go")


def test_a_job_can_be_cancelled_while_its_process_starts(host: Host) -> None:
    api = Api(host)
    api.status()
    hold_starting_jobs(host)
    job = api.install()
    api.cancel(job)
    let_go(host)
    with pytest.raises(ApiError, match="canceled before it changed anything") as caught:
        api.wait(job)
    assert caught.value.name == "org.dockmgr1.Error.Cancelled"


def test_a_job_has_the_mounts_of_the_host(host: Host) -> None:
    api = Api(host)
    hold_starting_jobs(host)
    job = api.set_mirror(MIRROR)
    unit = names.job_unit(job.rpartition("/")[2])
    pid = host.run("systemctl", "show", unit, "-P", "MainPID").stdout.strip()
    namespaces = host.run("readlink", f"/proc/{pid}/ns/mnt", "/proc/1/ns/mnt").stdout.split()
    let_go(host)
    api.wait(job)
    assert namespaces[0] == namespaces[1]


def test_one_job_at_a_time_and_the_same_request_joins(host: Host) -> None:
    host.internet.fault("download.docker.com", "slow", prefix="/linux/", value=10_000_000)
    api = Api(host)
    job = api.install()
    assert api.install() == job
    with pytest.raises(ApiError) as caught:
        api.set_mirror(MIRROR)
    assert caught.value.name == "org.dockmgr1.Error.Busy"
    assert job.rpartition("/")[2] in caught.value.text
    api.cancel(job)


def test_the_journal_tells_who_asked_for_what_and_how_it_ended(host: Host) -> None:
    api = Api(host)
    job = api.set_mirror(MIRROR)
    api.wait(job)
    with pytest.raises(ApiError):
        Api(host, "alice").set_mirror(MIRROR)
    job_id = job.rpartition("/")[2]
    entries = host.journal(DOCKMGR_JOB_ID=job_id)
    assert [(entry["MESSAGE_ID"], entry["DOCKMGR_RESULT"]) for entry in entries] == [
        (names.MESSAGE_JOB_STARTED, "started"),
        (names.MESSAGE_JOB_DONE, "done"),
    ]
    assert {entry["DOCKMGR_ACTION"] for entry in entries} == {"set-mirror"}
    assert {entry["DOCKMGR_CALLER_UID"] for entry in entries} == {"0"}
    [denied] = host.journal(MESSAGE_ID=names.MESSAGE_DENIED)
    alice = host.run("id", "-u", "alice").stdout.strip()
    assert (denied["DOCKMGR_CALLER_UID"], denied["DOCKMGR_RESULT"]) == (alice, "denied")
    explained = host.run("journalctl", "--catalog", f"MESSAGE_ID={names.MESSAGE_JOB_DONE}").stdout
    assert f"Docker job {job_id} is done" in explained
