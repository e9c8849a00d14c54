# SPDX-License-Identifier: LGPL-2.1-or-later
"""Containers that have outlived their engine run, and their data is not deleted under them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bed.api import Api, ApiError
from bed.fixtures import EACH_DNF
from integration.test_unusual_engines import UNITS

if TYPE_CHECKING:
    from bed.host import Host

TRUE = ("b", True)
DATA = "/var/lib/docker/volumes/precious/_data/file"
RUN = ("docker", "run", "--detach", "--stop-timeout", "1", "--volume", "precious:/d", "tiny")
KILL = """mkdir -p /run/systemd/system/docker.service.d
printf '[Service]\\nRestart=no\\n' >/run/systemd/system/docker.service.d/no-restart.conf
systemctl daemon-reload
systemctl kill --signal=KILL docker.service
"""
STOP = f"systemctl stop {' '.join(UNITS)}\n"


def find_processes(host: Host) -> str:
    return host.run("pgrep", "--full", "sleep 600|containerd-shim", check=False).stdout


def run_container(host: Host, engine: str) -> None:
    """Start a container with data, and take its engine away."""
    host.write("/etc/docker/daemon.json", '{"live-restore": true}')
    host.run("systemctl", "restart", "docker")
    host.run("docker", "load", "--input", "/srv/bed/registry/tiny.tar")
    host.run(*RUN, "sleep", "600")
    host.write(DATA, "precious")
    host.run("sh", "-ec", engine)


@EACH_DNF
@pytest.mark.parametrize(
    "engine",
    [
        STOP,
        KILL + STOP,
        STOP + "systemctl stop containerd",
        STOP + "rpm --erase --nodeps docker-ce docker-ce-cli",
    ],
    ids=["stopped", "killed", "containerd stopped", "removed"],
)
def test_they_run(docker_host: Host, engine: str) -> None:
    host, api = docker_host, Api(docker_host)
    run_container(host, engine)
    before = find_processes(host)
    assert len(before.split()) == 2
    plan = api.wait(api.uninstall(purge_data=TRUE, dry_run=TRUE))
    [name] = plan["stops"]
    assert plan["refusal"]["name"].endswith("ContainersRunning")
    for options in ({}, {"purge_data": TRUE}):
        with pytest.raises(ApiError, match=name) as caught:
            api.wait(api.uninstall(**options))
        assert caught.value.name.endswith("ContainersRunning")
    assert find_processes(host) == before
    assert host.read(DATA) == "precious"

    api.wait(api.uninstall(purge_data=TRUE, force=TRUE))
    assert find_processes(host) == ""
    assert "/var/lib/docker/" not in host.read("/proc/1/mountinfo")
    assert not host.path(DATA).exists()


def test_those_of_an_engine_that_hangs_end_with_consent(docker_host: Host) -> None:
    host, api = docker_host, Api(docker_host)
    host.write("/etc/systemd/system/docker.service.d/test.conf", "[Service]\nTimeoutStopSec=1\n")
    host.run("systemctl", "daemon-reload")
    run_container(host, "systemctl kill --signal=STOP docker.service")
    api.wait(api.uninstall(force=TRUE))
    assert find_processes(host) == ""
    assert host.read(DATA) == "precious"


def test_an_engine_takes_them_over_again(docker_host: Host) -> None:
    host, api = docker_host, Api(docker_host)
    run_container(host, STOP)
    before = find_processes(host)
    result = api.wait(api.install(source=("s", "official")))
    assert [note["id"] for note in result["notes"]] == ["start-finds-containers"]
    assert host.run("docker", "ps", "--quiet").stdout != ""
    assert find_processes(host) == before
