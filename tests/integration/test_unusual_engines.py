# SPDX-License-Identifier: LGPL-2.1-or-later
"""Engines that docker.service did not start in the usual way: Status and jobs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from bed.api import Api, ApiError
from integration.mirror_hosts import DAEMON_JSON, MIRROR, MIRROR2, active

if TYPE_CHECKING:
    from bed.host import Host

DROP_IN = "/etc/systemd/system/docker.service.d/test.conf"
DOCKERD = "/usr/bin/dockerd -H fd:// --containerd=/run/containerd/containerd.sock"
UNITS = ("docker.service", "docker.socket")
TRUE = ("b", True)


def reset(host: Host, drop_in: str = "", config: dict[str, Any] | None = None) -> None:
    """Stop the engine, and give its unit a drop-in and the host a configuration."""
    host.run("systemctl", "stop", *UNITS, check=False)  # It fails for a unit that is not valid.
    host.write(DROP_IN, drop_in)
    host.path(DAEMON_JSON).unlink(missing_ok=True)
    if config is not None:
        host.write(DAEMON_JSON, json.dumps(config))
    host.run("systemctl", "daemon-reload")
    host.run("systemctl", "reset-failed")


def start(host: Host, drop_in: str = "", config: dict[str, Any] | None = None) -> None:
    reset(host, drop_in, config)
    host.run("systemctl", "start", "docker.service")


def with_flags(flags: str, dockerd: str = DOCKERD) -> str:
    return f"[Service]\nExecStart=\nExecStart={dockerd} {flags}\n"


def find_problems(api: Api) -> dict[str, str]:
    """The commands of the problems' remedies, by the ids of the problems."""
    return {
        each["id"]: each.get("remedy", {}).get("command", "") for each in api.status()["problems"]
    }


def await_version(api: Api) -> None:
    """Wait until Status knows the engine, which no event announces."""
    for _ in range(50):
        if api.status()["engine-version"]:
            return
    raise AssertionError("Status does not notice the engine")


def find_refusal(api: Api, job: str) -> tuple[str, str]:
    with pytest.raises(ApiError) as caught:
        api.wait(job)
    return caught.value.name.rpartition(".")[2], caught.value.text


def test_settings_in_the_unit(docker_host: Host) -> None:
    host, api = docker_host, Api(docker_host)

    start(host, with_flags(f"--registry-mirror {MIRROR}"))
    assert not api.status()["mirrors-drift"]
    name, text = find_refusal(api, api.set_mirror(MIRROR2))
    assert (name, DROP_IN in text) == ("ConfigConflict", True)

    start(host, with_flags("--data-root /srv/data"))
    assert "/srv/data" in api.wait(api.uninstall(purge_data=TRUE, dry_run=TRUE))["deletes"]
    reset(host, with_flags("--data-root /srv/data"))
    assert "/srv/data" in api.wait(api.uninstall(purge_data=TRUE, dry_run=TRUE))["deletes"]

    host.write("/srv/docker.json", "{}")
    start(host, with_flags("--config-file /srv/docker.json"))
    assert "other-config-file" in find_problems(api)
    name, text = find_refusal(api, api.set_mirror(MIRROR))
    assert (name, "/srv/docker.json" in text) == ("ConfigConflict", True)

    start(host, "[Service]\nExecReload=\n")
    assert find_problems(api) == {"no-exec-reload": "systemctl edit docker.service"}
    assert api.wait(api.set_mirror(MIRROR))["active"]
    assert active(host) == [MIRROR]


@pytest.mark.parametrize("place", ["flag", "daemon.json"])
def test_an_engine_that_listens_elsewhere_is_not_waited_for(docker_host: Host, place: str) -> None:
    """docker.socket accepts connections all the same, and nobody answers them."""
    host, api = docker_host, Api(docker_host)
    address = "tcp://127.0.0.1:2375"
    if place == "flag":
        start(host, with_flags(f"-H {address}", "/usr/bin/dockerd"))
    else:
        start(host, with_flags("", "/usr/bin/dockerd"), {"hosts": [address]})
    assert find_problems(api) == {"no-local-socket": "systemctl edit docker.service"}
    for job in (api.set_mirror(MIRROR), api.uninstall(dry_run=TRUE)):
        name, text = find_refusal(api, job)
        assert (name, address in text) == ("ServiceFailed", True)
    result = api.wait(api.install(source=("s", "official")))
    assert [note["id"] for note in result["notes"]] == ["no-local-socket"]


@pytest.mark.parametrize(
    ("flags", "config", "key"),
    [
        ("", {"hosts": ["fd://"]}, "hosts"),
        ("--label a=b -D", {"debug": True, "labels": ["c=d"]}, "labels"),
        ("--insecure-registry=one.bed.test", {"insecure-registries": []}, "insecure-registries"),
    ],
)
def test_a_setting_in_two_places(
    docker_host: Host, flags: str, config: dict[str, Any], key: str
) -> None:
    host, api = docker_host, Api(docker_host)
    start(host, with_flags(flags))
    host.write(DAEMON_JSON, json.dumps(config))
    assert find_problems(api)["setting-twice"] == "systemctl edit docker.service"
    named = [each["args"]["key"] for each in api.status()["problems"]]
    assert key in named, "while the engine runs, too"
    assert set(named) == set(config)
    host.run("systemctl", "stop", *UNITS)
    plan = api.wait(api.install(source=("s", "official"), dry_run=TRUE))
    assert key in [each["args"].get("key") for each in plan["notes"]]
    failed = host.run("systemctl", "start", "docker.service", check=False)
    assert failed.returncode != 0, "dockerd itself refuses it"
    host.path(DAEMON_JSON).unlink()
    host.run("systemctl", "reset-failed")
    host.run("systemctl", "start", "docker.service")
    assert find_problems(api) == {}


def test_a_first_installation_with_sockets_in_daemon_json(host: Host) -> None:
    """The unit of the package passes '-H fd://'."""
    api = Api(host)
    host.write(DAEMON_JSON, json.dumps({"hosts": ["fd://", "tcp://127.0.0.1:2375"]}))
    plan = api.wait(api.install(source=("s", "official"), dry_run=TRUE))
    [note] = plan["notes"]
    assert (note["id"], note["args"]["key"]) == ("setting-twice", "hosts")
    assert find_refusal(api, api.install(source=("s", "official")))[0] == "ServiceFailed"
    assert find_problems(api)["setting-twice"]


def test_units_that_cannot_start(docker_host: Host) -> None:
    host, api = docker_host, Api(docker_host)

    reset(host, f"[Service]\nExecStart={DOCKERD}\n")
    assert find_problems(api) == {"unit-invalid": "systemd-analyze verify docker.service"}

    reset(host)
    for unit in UNITS:
        host.run("systemctl", "mask", "--runtime", unit)
        assert find_problems(api) == {"unit-masked": f"systemctl unmask {unit}"}
        host.run("systemctl", "unmask", "--runtime", unit)

    host.path("/run/docker.sock").unlink(missing_ok=True)
    host.run("mkdir", "--parents", "/run/docker.sock/in-the-way")
    assert host.run("systemctl", "start", "docker.socket", check=False).returncode != 0
    assert find_problems(api) == {"socket-failed": "journalctl -u docker.socket"}
    host.run("rm", "--recursive", "/run/docker.sock")

    reset(host, "[Service]\nExecStartPre=/usr/bin/false\nRestartSec=0\n")
    host.run("systemctl", "start", "docker.service", check=False)
    for _ in range(3):
        host.run("systemctl", "start", "docker.service", check=False)
    assert "start-limit-hit" in find_problems(api)
    host.path(DROP_IN).unlink()
    host.run("systemctl", "daemon-reload")
    assert api.wait(api.install(source=("s", "official")))["engine-version"]


@pytest.mark.parametrize("check", ["ConditionPathExists", "AssertPathExists"])
def test_a_condition_that_is_not_met(docker_host: Host, check: str) -> None:
    host, api = docker_host, Api(docker_host)
    reset(host, f"[Unit]\n{check}=/nonexistent\n")
    name, text = find_refusal(api, api.install(source=("s", "official")))
    assert (name, "docker.service" in text) == ("ServiceFailed", True)
    assert find_problems(api)["condition-unmet"] == "systemctl status docker.service"

    host.run("systemctl", "start", "docker.socket")
    host.run("docker", "version", check=False)
    host.run("sh", "-c", "until systemctl is-failed docker.socket; do sleep 0.1; done")
    assert find_problems(api)["socket-stopped"] == "journalctl -u docker.service"

    start(host)
    await_version(api)
    assert find_problems(api) == {}


def test_an_engine_whose_socket_is_gone(docker_host: Host) -> None:
    host, api = docker_host, Api(docker_host)
    start(host)
    host.path("/run/docker.sock").unlink()
    assert find_problems(api) == {"engine-silent": "systemctl status docker"}
    name, text = find_refusal(api, api.set_mirror(MIRROR))
    assert (name, "/run/docker.sock: No such file" in text) == ("ServiceFailed", True)
    assert find_refusal(api, api.uninstall()) == (name, text)
    start(host)
    await_version(api)
    assert find_problems(api) == {}


def test_an_engine_of_another_unit(docker_host: Host) -> None:
    host, api = docker_host, Api(docker_host)
    reset(host)
    assert api.status()["engine-version"] == ""
    host.run("systemd-run", "--unit=mine", "--property=Type=notify", "/usr/bin/dockerd")
    await_version(api)
    assert find_problems(api) == {"engine-unmanaged": "systemctl status mine.service"}
    assert api.wait(api.set_mirror(MIRROR))["active"]
    assert active(host) == [MIRROR]
    name, text = find_refusal(api, api.install(source=("s", "official")))
    assert (name, "/usr/bin/dockerd" in text) == ("ServiceFailed", True)
    host.run("docker", "run", "--detach", "--name", "alive", "tiny", "sleep", "600")
    assert find_refusal(api, api.uninstall())[0] == "ContainersRunning"
    assert find_refusal(api, api.uninstall(purge_data=TRUE, force=TRUE))[0] == "ServiceFailed"
    assert "alive" in host.run("docker", "ps", "--format", "{{.Names}}").stdout
    host.run("docker", "rm", "--force", "alive")
    host.run("systemctl", "stop", "mine")
    assert (api.status()["engine-version"], find_problems(api)) == ("", {})


def test_mirrors_that_no_engine_can_use(docker_host: Host) -> None:
    host, api = docker_host, Api(docker_host)
    start(host)
    for mirror in ("", "mirror.bed.test", "https://mirror.bed.test/ "):
        host.write(DAEMON_JSON, json.dumps({"registry-mirrors": [mirror, MIRROR2]}))
        host.run("systemctl", "reload", "docker")
        problems = find_problems(api)
        assert list(problems) == ["mirror-unusable"]
        host.run("sh", "-c", problems["mirror-unusable"])
        assert active(host) == [MIRROR2]
        assert find_problems(api) == {}
    host.write(DAEMON_JSON, json.dumps({"registry-mirrors": ["HTTPS://Mirror.bed.test"]}))
    host.run("systemctl", "reload", "docker")
    assert not api.status()["mirrors-drift"], "dockerd keeps the spelling of its file"


def test_a_pid_file_that_an_engine_has_left(docker_host: Host) -> None:
    """Its number may be that of any process by now."""
    host, api = docker_host, Api(docker_host)
    reset(host)
    for number in ("1", host.run("systemctl", "show", "-P", "MainPID", "dbus").stdout, "999999"):
        host.write("/run/docker.pid", number)
        assert find_problems(api) == {}
    assert "refusal" not in api.wait(api.uninstall(purge_data=TRUE, dry_run=TRUE))


SCRIPT = "/usr/local/bin/start-docker"
FLAGS = "-H fd:// --containerd=/run/containerd/containerd.sock --data-root=/srv/docker"


@pytest.mark.suites("bookworm", "forky")  # the engine of forky can validate
@pytest.mark.parametrize(
    ("command", "is_known"),
    [
        (f"/usr/bin/nice --adjustment=1 /usr/bin/dockerd {FLAGS}", True),
        (f"/bin/sh -c 'exec dockerd {FLAGS}'", True),
        (f"@/usr/bin/dockerd other-name {FLAGS}", True),
        (SCRIPT, False),
    ],
)
def test_an_engine_behind_a_wrapper(docker_host: Host, command: str, is_known: bool) -> None:
    """Its options count, and nothing but dockerd itself is asked to validate a file."""
    host, api = docker_host, Api(docker_host)
    host.write(SCRIPT, f"#!/bin/sh\nexec /usr/bin/dockerd {FLAGS}\n", mode=0o755)
    start(host, f"[Service]\nExecStart=\nExecStart={command}\n")
    await_version(api)
    assert find_problems(api) == {}
    assert api.wait(api.set_mirror(MIRROR))["active"]
    assert active(host) == [MIRROR]

    host.run("systemctl", "stop", *UNITS)
    result = api.wait(api.set_mirror(MIRROR2))
    assert (result["changed"], result["active"]) == (True, False)
    assert host.run("pgrep", "dockerd", check=False).stdout == "", "the job has started an engine"
    plan = api.wait(api.uninstall(purge_data=TRUE, dry_run=TRUE))
    assert ("/srv/docker" in plan["deletes"]) == is_known
    assert ("data-root-unknown" in [note["id"] for note in plan["notes"]]) != is_known
