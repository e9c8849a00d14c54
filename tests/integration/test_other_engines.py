# SPDX-License-Identifier: LGPL-2.1-or-later
"""Engines that no package of Docker's has brought or started, and units that are not valid."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from bed.api import Api
from bed.suites import BOOKWORM, FORKY
from integration.mirror_hosts import DAEMON_JSON, MIRROR, MIRROR2, active
from integration.test_unusual_engines import (
    DOCKERD,
    TRUE,
    await_version,
    find_problems,
    find_refusal,
    reset,
    start,
)
from integration.walk_view import find_ended, look

if TYPE_CHECKING:
    from bed.host import Host

pytestmark = pytest.mark.suites(BOOKWORM.name, FORKY.name)
STATIC_UNIT = "/etc/systemd/system/docker.service"
_MOVE_BINARIES = """
systemctl disable --now docker.socket docker containerd
cd /usr/bin
cp dockerd docker docker-proxy containerd containerd-shim-runc-v2 ctr runc /usr/local/bin
rpm -e --nodeps $(rpm -qa 'docker-*' containerd.io)
rm -f /etc/yum.repos.d/docker-ce.repo /usr/bin/runc
"""
_STATIC = """\
[Service]
Type=notify
Environment=PATH=/usr/local/bin:/usr/sbin:/usr/bin
ExecStart=/usr/local/bin/dockerd {flags}
KillMode=process
[Install]
WantedBy=multi-user.target
"""


@pytest.mark.parametrize("flags", ["", "--data-root /srv/data", "-H unix:///run/docker.sock"])
def test_static_binaries(docker_host: Host, flags: str) -> None:
    """As in Docker's guide for static binaries, with a unit of the administrator's."""
    host, api = docker_host, Api(docker_host)
    host.run("sh", "-ec", _MOVE_BINARIES)
    host.write(STATIC_UNIT, _STATIC.format(flags=flags))
    host.run("systemctl", "daemon-reload")
    host.run("systemctl", "enable", "--now", "docker.service")
    host.run("docker", "load", "--input", "/srv/bed/registry/tiny.tar")
    host.run("docker", "run", "--detach", "--name", "alive", "tiny", "sleep", "600")
    status = api.status()
    assert (status["installed"], status["service-state"]) == (False, "active")
    assert status["engine-version"]
    assert set(find_problems(api)) == {"no-exec-reload"}
    assert api.wait(api.set_mirror(MIRROR))["active"]
    assert active(host) == [MIRROR]
    before = look(host)
    assert find_refusal(api, api.uninstall())[0] == "ContainersRunning"
    for force in (False, True):
        job = api.uninstall(purge_data=TRUE, force=("b", force))
        expected = "ServiceFailed" if force else "ContainersRunning"
        assert find_refusal(api, job)[0] == expected
    plan = api.wait(api.install(source=("s", "official"), dry_run=TRUE))
    assert "docker-ce" in str(plan["install"])
    after = look(host)
    assert find_ended(before, after) == []
    assert before.packages == after.packages
    assert "alive" in host.run("docker", "ps", "--format", "{{.Names}}").stdout


@pytest.mark.parametrize("slice_unit", ["system.slice", "user.slice"])
def test_an_engine_by_hand(docker_host: Host, slice_unit: str) -> None:
    """In a scope, as a login session is one."""
    host, api = docker_host, Api(docker_host)
    reset(host)
    scope = f"systemd-run --scope --slice={slice_unit} --unit=mine"
    command = f"setsid {scope} /usr/bin/dockerd >/var/log/dockerd.log 2>&1 &"
    host.run("sh", "-c", command)
    try:
        host.run("sh", "-c", "until docker version; do sleep 0.2; done")
        await_version(api)
        assert "engine-unmanaged" in find_problems(api)
        assert api.wait(api.set_mirror(MIRROR))["active"]
        assert active(host) == [MIRROR]
        name, text = find_refusal(api, api.install(source=("s", "official")))
        assert (name, "/usr/bin/dockerd" in text) == ("ServiceFailed", True)
        assert find_refusal(api, api.uninstall(purge_data=TRUE, force=TRUE))[0] == "ServiceFailed"
        assert host.run("docker", "version").returncode == 0
    finally:
        stop = "pid=$(cat /run/docker.pid); kill $pid; tail --pid $pid --follow /dev/null"
        host.run("sh", "-c", stop)
    assert (api.status()["engine-version"], find_problems(api)) == ("", {})


def test_a_socket_without_its_group(docker_host: Host) -> None:
    host, api = docker_host, Api(docker_host)
    reset(host)
    host.run("groupdel", "docker")
    assert host.run("systemctl", "start", "docker.socket", check=False).returncode != 0
    assert find_problems(api) == {"socket-failed": "journalctl -u docker.socket"}
    assert find_refusal(api, api.install(source=("s", "official")))[0] == "ServiceFailed"
    host.run("groupadd", "--system", "docker")
    assert api.wait(api.install(source=("s", "official")))["engine-version"]
    assert find_problems(api) == {}


def test_mirrors_with_a_unit_that_is_not_valid(docker_host: Host) -> None:
    """It has two ExecStart lines. An engine that it started before still runs."""
    host, api = docker_host, Api(docker_host)
    twice = f"[Service]\nExecStart={DOCKERD}\n"
    reset(host, twice)
    result = api.wait(api.set_mirror(MIRROR))
    assert (result["active"], result["changed"]) == (False, True)
    assert "unit-invalid" in find_problems(api)
    assert json.loads(host.read(DAEMON_JSON)) == {"registry-mirrors": [MIRROR]}
    start(host)
    host.write("/etc/systemd/system/docker.service.d/test.conf", twice)
    host.run("systemctl", "daemon-reload")
    assert api.wait(api.set_mirror(MIRROR2))["active"], "by a signal, as systemd refuses"
    assert active(host) == [MIRROR2]
