# SPDX-License-Identifier: LGPL-2.1-or-later
"""What Install found and what Uninstall leaves: files of another hand, data, running containers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from bed import layers
from bed.api import Api, ApiError
from bed.fixtures import EVERYWHERE

if TYPE_CHECKING:
    from bed.fixtures import NewHost
    from bed.host import Host
    from bed.suites import Suite

pytestmark = EVERYWHERE
ERROR = "org.dockmgr1.Error."
REPOSITORY = "/etc/yum.repos.d/docker-ce.repo"
FOREIGN = "[docker-ce-stable]\nname=Mine\nbaseurl=https://mine.bed.test/\nenabled=0\n"
CONFIG = "/etc/docker/daemon.json"
TRUE = ("b", True)


def configure(host: Host, **settings: object) -> None:
    host.write(CONFIG, json.dumps(settings))
    host.run("systemctl", "restart", "docker")


def files_of(host: Host, folder: str) -> list[str]:
    path = host.path(folder)
    return sorted(each.name for each in path.iterdir()) if path.exists() else []


def test_containers_are_stopped_and_all_data_goes_with_consent(docker_host: Host) -> None:
    """With live-restore containers would outlive the engine, and keep their mounts."""
    host, api = docker_host, Api(docker_host)
    configure(host, **{"live-restore": True, "registry-mirrors": ["https://mirror.bed.test"]})
    run = ("docker", "run", "--detach", "--stop-timeout", "1", "--name", "alive")
    host.run(*run, "tiny", "sleep", "600")
    with pytest.raises(ApiError, match="alive") as caught:
        api.wait(api.uninstall(purge_data=TRUE))
    assert caught.value.name == ERROR + "ContainersRunning"
    result = api.wait(api.uninstall(purge_data=TRUE, force=TRUE))
    assert result["changed"]
    assert result["freed-bytes"] > 1_000_000
    assert {"/var/lib/docker", "/etc/docker"} <= set(result["purged"])
    for folder in ("/var/lib/docker", "/var/lib/containerd", "/etc/docker", "/run/docker"):
        assert files_of(host, folder) == []
    assert host.run("pgrep", "--full", "sleep 600|shim", check=False).stdout == ""
    assert "/var/lib/docker/" not in host.read("/proc/1/mountinfo")
    assert host.run("systemctl", "--failed", "--no-legend").stdout == ""
    assert not api.wait(api.uninstall(purge_data=TRUE))["changed"], "nothing is left to do"


def test_docker_of_old_tutorials_goes(host: Host) -> None:
    names = ("docker", "docker-latest", "docker-client-latest", "docker-logrotate")
    host.run("dnf", "-y", "install", *names, "docker-selinux", "podman")
    api = Api(host)
    removed = api.wait(api.uninstall())["removed"]
    assert {each.rsplit("-", 2)[0] for each in removed} == {
        *names,
        "docker-selinux",
        "docker-client",
        "docker-common",
    }
    assert host.run("rpm", "-q", "podman").returncode == 0
    assert not api.wait(api.uninstall())["changed"]


def test_a_repository_file_of_another_hand_comes_back(host: Host) -> None:
    host.write(REPOSITORY, FOREIGN, mode=0o640)
    api = Api(host)
    assert api.wait(api.install(start=("b", False)))["changed"]
    assert host.read(REPOSITORY).startswith("# Written by dockmgrd")
    assert host.read(REPOSITORY + ".dockmgrd-saved") == FOREIGN
    host.write(CONFIG, "{}")
    result = api.wait(api.uninstall())
    assert (result["changed"], result["purged"]) == (True, [])
    assert host.read(REPOSITORY) == FOREIGN
    assert host.path(REPOSITORY).stat().st_mode & 0o777 == 0o640
    assert files_of(host, "/etc/yum.repos.d") == ["base.repo", "docker-ce.repo"]
    assert host.read(CONFIG) == "{}", "without purging the configuration stays"
    assert not api.wait(api.uninstall())["changed"]


def test_a_data_root_elsewhere(docker_host: Host) -> None:
    host, api = docker_host, Api(docker_host)
    configure(host, **{"data-root": "/srv/docker"})
    host.write("/srv/docker/thesis.odt", "mine")
    started = host.run("systemctl", "show", "docker", "-P", "ActiveEnterTimestampMonotonic").stdout
    with pytest.raises(ApiError, match=r"thesis\.odt") as caught:
        api.wait(api.uninstall(purge_data=TRUE))
    assert caught.value.name == ERROR + "UnsafePath"
    again = host.run("systemctl", "show", "docker", "-P", "ActiveEnterTimestampMonotonic").stdout
    assert again == started, "refused before anything was stopped"
    host.path("/srv/docker/thesis.odt").unlink()
    result = api.wait(api.uninstall(purge_data=TRUE, keep_config=TRUE))
    assert "/srv/docker" in result["purged"]
    assert not host.path("/srv/docker").exists()
    assert json.loads(host.read(CONFIG)) == {"data-root": "/srv/docker"}


def test_data_behind_a_link_is_not_followed(new_host: NewHost, suite: Suite) -> None:
    host = new_host(layers.ours(suite), data_mounts=False)
    host.run("rm", "--recursive", "--force", "/var/lib/docker")
    host.run("ln", "--symbolic", "/etc", "/var/lib/docker")
    before = files_of(host, "/etc")
    api = Api(host)
    with pytest.raises(ApiError, match="is a symbolic link to /etc"):
        api.wait(api.uninstall(purge_data=TRUE))
    assert files_of(host, "/etc") == before


def test_a_failed_start_keeps_the_packages_and_takes_the_mirrors_back(host: Host) -> None:
    api = Api(host)
    host.write(CONFIG, '{"storage-driver": "nonsense"}')
    with pytest.raises(ApiError, match="The packages remain installed") as caught:
        api.wait(api.install(mirrors=("as", ["https://mirror.bed.test"])))
    assert caught.value.name == ERROR + "ServiceFailed"
    assert host.read(CONFIG) == '{"storage-driver": "nonsense"}'
    assert host.run("rpm", "-q", "docker-ce").returncode == 0
    assert host.read(REPOSITORY) != "", "where the packages get their updates from"
    host.path(CONFIG).unlink()
    host.run("systemctl", "reset-failed", "docker.service", "docker.socket", check=False)
    result = api.wait(api.install())
    assert result["changed"]
    assert result["installed"] == []
    assert result["engine-version"]


def test_a_broken_daemon_json_is_told_before_anything_is_installed(host: Host) -> None:
    api = Api(host)
    host.write(CONFIG, "{,}")
    with pytest.raises(ApiError, match=r"daemon\.json cannot be changed safely") as caught:
        api.wait(api.install(mirrors=("as", ["https://mirror.bed.test"])))
    assert caught.value.name == ERROR + "ConfigInvalid"
    assert files_of(host, "/etc/yum.repos.d") == ["base.repo"]
    assert host.run("rpm", "-q", "docker-ce", check=False).returncode != 0
