# SPDX-License-Identifier: LGPL-2.1-or-later
"""What SIGKILL leaves: no temporary file of a worker, of a job or of what they have started."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bed import sites
from bed.api import Api, ApiError
from bed.fixtures import EACH_DNF
from integration.mirror_hosts import engine_host

if TYPE_CHECKING:
    from bed.host import Host

__all__ = ["engine_host"]

pytestmark = EACH_DNF

PROCESSES = {"worker": "dockmgrd.worker", "job": "dockmgrd.job"}
JOBS = "/var/lib/dockmgrd/jobs"
REACHED, GO = "/run/reached", "/run/go"

# In place of a program: runs until a certain point, and there until it may go on.
_GATE = f"""#!/bin/sh
case " $* " in
*" {{argument}} "*)
    touch {REACHED}
    until [ -e {GO} ]; do sleep 0.05; done ;;
esac
exec {{program}}.real "$@"
"""
_FIND = (
    "find /tmp /var/tmp /run/dockmgrd /var/lib/dockmgrd /var/cache/dnf /var/cache/libdnf5"
    " -name 'dockmgrd-*' -o -path '*/jobs/*/tmp*' -o -path '*/jobs/*/daemon.json'"
)


def put_gate(host: Host, program: str, argument: str) -> None:
    """Have the program wait where it is called with the argument."""
    host.run("mv", program, f"{program}.real")
    host.write(program, _GATE.format(program=program, argument=argument), mode=0o755)


def wait_at_gate(host: Host, program: str) -> list[str]:
    """Return the ids of the processes that wait."""
    until(host, f"[ -e {REACHED} ]")
    return host.run("pgrep", "--full", f"^/bin/sh {program}").stdout.split()


def until(host: Host, condition: str) -> None:
    host.run("sh", "-c", f"until {condition}; do sleep 0.05; done")


def kill(host: Host, who: str) -> None:
    host.run("pkill", "--signal", "KILL", "--full", PROCESSES[who])


def open_gate(host: Host, waiting: list[str]) -> None:
    """Let those go on that have not ended, and wait for the end of all."""
    host.write(GO, "")
    for pid in waiting:
        host.run("tail", "--pid", pid, "--follow", "/dev/null")


def leftovers(host: Host) -> list[str]:
    return host.run("sh", "-c", f"{_FIND} 2>/dev/null || true").stdout.split()


@pytest.mark.parametrize("who", PROCESSES)
@pytest.mark.parametrize("argument", ["--import", "--checksig"])
def test_a_kill_during_a_check_of_signatures(host: Host, who: str, argument: str) -> None:
    """rpmkeys ends with the worker: it would make its directory again."""
    api = Api(host)
    put_gate(host, "/usr/bin/rpmkeys", argument)
    job = api.install()
    waiting = wait_at_gate(host, "/usr/bin/rpmkeys")
    assert waiting
    kill(host, who)
    with pytest.raises(ApiError):
        api.wait(job)
    open_gate(host, waiting)
    assert leftovers(host) == []
    api.wait(api.install())
    assert leftovers(host) == []


@pytest.mark.parametrize("who", PROCESSES)
def test_a_kill_while_versions_are_listed(host: Host, who: str) -> None:
    api = Api(host)
    host.internet.fault(sites.DOCKER, "hang", prefix="/linux/")
    job = str(api.call("ListVersions", "a{sv}", {}))
    until(host, f'[ -n "$(find {JOBS} -name dockmgrd-metadata-*)" ]')
    kill(host, who)
    with pytest.raises(ApiError):
        api.wait(job)
    assert leftovers(host) == []


@pytest.mark.suites("forky")  # engines before 23 cannot validate
@pytest.mark.parametrize("ending", ["job", "job and daemon"])
def test_a_kill_while_the_engine_validates(engine_host: Host, ending: str) -> None:
    """The copy of daemon.json, which may hold secrets, goes with the job."""
    host = engine_host
    api = Api(host)
    dockerd = host.run("sh", "-c", "command -v dockerd").stdout.strip()
    put_gate(host, dockerd, "--validate")
    job = api.set_mirror("https://a.example/")
    waiting = wait_at_gate(host, dockerd)
    assert any(path.endswith("daemon.json") for path in leftovers(host))
    if ending == "job and daemon":
        host.run("systemctl", "kill", "--signal=KILL", "--kill-whom=main", "dockmgrd.service")
    kill(host, "job")
    with pytest.raises(ApiError):
        api.wait(job)
    open_gate(host, waiting)
    assert leftovers(host) == []
