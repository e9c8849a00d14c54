# SPDX-License-Identifier: LGPL-2.1-or-later
"""What Install finds and Uninstall keeps: files of others, data, running containers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from bed import layers
from bed.api import Api, ApiError
from bed.fixtures import EACH_DNF

if TYPE_CHECKING:
    from collections.abc import Callable

    from bed.fixtures import NewHost
    from bed.host import Host
    from bed.suites import Suite

pytestmark = EACH_DNF
ERROR = "org.dockmgr1.Error."
REPOSITORY = "/etc/yum.repos.d/docker-ce.repo"
FOREIGN = "[docker-ce-stable]\nname=Mine\nbaseurl=https://mine.bed.test/\nenabled=0\n"
CONFIG = "/etc/docker/daemon.json"
TRUE = ("b", True)

# systemd keeps starting the unit until then, or until it is stopped.
REACH_START_LIMIT = """
for try in 1 2 3 4 5 6; do
    systemctl start docker
    systemctl show docker --property=Result | grep start-limit-hit && break
done
systemctl stop docker docker.socket
"""


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


def test_a_repository_file_of_others_is_restored(host: Host) -> None:
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
    host.run("sh", "-c", REACH_START_LIMIT, check=False)
    host.path(CONFIG).unlink()
    result = api.wait(api.install())
    assert result["changed"]
    assert result["installed"] == []
    assert result["engine-version"]


def test_a_broken_daemon_json_is_reported_before_anything_is_installed(host: Host) -> None:
    api = Api(host)
    host.write(CONFIG, "{,}")
    with pytest.raises(ApiError, match=r"daemon\.json is not valid: line 1") as caught:
        api.wait(api.install(mirrors=("as", ["https://mirror.bed.test"])))
    assert caught.value.name == ERROR + "ConfigInvalid"
    assert files_of(host, "/etc/yum.repos.d") == ["base.repo"]
    assert host.run("rpm", "-q", "docker-ce", check=False).returncode != 0


def ids_of(messages: list[dict[str, Any]]) -> list[str]:
    return [each["id"] for each in messages]


def test_others_keep_what_they_have_with_containerd(docker_host: Host) -> None:
    """As the kubelet of a Kubernetes node does, in a namespace of its own."""
    host, api = docker_host, Api(docker_host)
    host.run("ctr", "--namespace", "k8s.io", "images", "import", "/srv/bed/registry/tiny.tar")
    with pytest.raises(ApiError, match=r"namespaces k8s\.io have images") as caught:
        api.wait(api.uninstall())
    assert caught.value.name == ERROR + "ConflictingPackages"
    assert host.run("systemctl", "is-active", "docker").stdout == "active\n"
    assert host.run("rpm", "-q", "containerd.io").returncode == 0
    plan = api.wait(api.uninstall(dry_run=TRUE, purge_data=TRUE))
    assert plan["refusal"]["name"] == ERROR + "ConflictingPackages"
    assert plan["refusal"]["args"] == {"namespaces": ["k8s.io"]}
    assert "/var/lib/containerd" not in plan["deletes"]
    host.run("systemctl", "stop", "docker", "docker.socket", "containerd")
    assert api.wait(api.uninstall(dry_run=TRUE))["refusal"]["args"] == {"namespaces": ["k8s.io"]}
    result = api.wait(api.uninstall(purge_data=TRUE, force=TRUE))
    assert "containerd-data-kept" in ids_of(result["notes"])
    assert "/var/lib/docker" in result["purged"]
    assert "/var/lib/containerd" not in result["purged"]
    assert files_of(host, "/var/lib/containerd") != []
    again = api.wait(api.uninstall(purge_data=TRUE))
    assert not again["changed"], "nor later, when no package is there any more"
    assert files_of(host, "/var/lib/containerd") != []
    host.run("rm", "--recursive", "/var/lib/containerd/io.containerd.metadata.v1.bolt")
    assert "/var/lib/containerd" in api.wait(api.uninstall(purge_data=TRUE))["purged"]


# How containerd is told to keep its data in /srv/other.
_OTHER_ROOTS = {
    "a flag": ("/usr/bin/containerd --root /srv/other", ""),
    "another configuration": ("/usr/bin/containerd -c /srv/c.toml", 'root = "/srv/other"\n'),
    "an import": (
        "/usr/bin/containerd --config=/srv/c.toml",
        'imports = [\n  "/srv/d/*.toml",\n]\n',
    ),
}


@pytest.mark.parametrize("how", _OTHER_ROOTS)
def test_a_containerd_that_is_told_to_work_elsewhere(docker_host: Host, how: str) -> None:
    host, api = docker_host, Api(docker_host)
    command, configuration = _OTHER_ROOTS[how]
    host.write("/srv/c.toml", configuration)
    host.write("/srv/d/root.toml", "root = '/srv/other'\n")
    drop_in = "/etc/systemd/system/containerd.service.d/root.conf"
    host.write(drop_in, f"[Service]\nExecStart=\nExecStart={command}\n")
    host.run("systemctl", "daemon-reload")
    host.run("systemctl", "restart", "containerd", "docker")
    host.run("ctr", "--namespace", "k8s.io", "images", "import", "/srv/bed/registry/tiny.tar")
    with pytest.raises(ApiError, match=r"namespaces k8s\.io have images"):
        api.wait(api.uninstall())
    result = api.wait(api.uninstall(purge_data=TRUE, force=TRUE))
    assert {"containerd-root-kept", "containerd-data-kept"} <= set(ids_of(result["notes"]))
    assert files_of(host, "/srv/other") != []


def test_a_containerd_of_others_keeps_the_folder_that_it_uses(docker_host: Host) -> None:
    """As one that another unit, or a user, has started on the folder of containerd.io."""
    host, api = docker_host, Api(docker_host)
    host.run("systemctl", "stop", "docker", "docker.socket", "containerd")
    host.run("cp", "/usr/bin/containerd", "/usr/local/bin/containerd")
    command = "/usr/local/bin/containerd --address /run/other.sock --state /run/other"
    host.run("systemd-run", "--unit=other", *command.split())
    host.run("sh", "-c", "until ctr --address /run/other.sock version; do sleep 0.05; done")
    plan = api.wait(api.uninstall(dry_run=TRUE, purge_data=TRUE))
    assert "/var/lib/containerd" not in plan["deletes"]
    result = api.wait(api.uninstall(purge_data=TRUE))
    assert "containerd-of-others" in ids_of(result["notes"])
    assert files_of(host, "/var/lib/containerd") != []
    assert host.run("systemctl", "is-active", "other").stdout == "active\n"


def test_leftovers_are_named_with_a_command(docker_host: Host) -> None:
    host, api = docker_host, Api(docker_host)
    host.write("/root/.docker/config.json", "{}")
    plan = api.wait(api.uninstall(dry_run=TRUE))
    result = api.wait(api.uninstall())
    commands = [each["remedy"]["command"] for each in result["notes"]]
    assert {"ip link delete docker0", "rm -r /root/.docker", "groupdel docker"} <= set(commands)
    assert "docker0" in host.run("ls", "/sys/class/net").stdout
    for command in commands:
        if not command.startswith("ip "):  # This host has no ip(8).
            host.run("sh", "-c", command)
    assert host.run("getent", "group", "docker", check=False).stdout == ""
    assert "DOCKER" not in host.run("iptables-save", check=False).stdout
    assert (result["steps"], result["digest"]) == (plan["steps"], plan["digest"])
    assert result["diff"] == plan["diff"]


def test_a_purge_says_how_much_it_deletes(docker_host: Host) -> None:
    host, api = docker_host, Api(docker_host)
    host.run("docker", "load", "--input", "/srv/bed/registry/tiny.tar")
    host.run("docker", "create", "--name", "web", "--volume", "data:/data", "tiny")
    running = api.wait(api.uninstall(dry_run=TRUE, purge_data=TRUE))
    assert running["counts"] == {"containers": 1, "images": 1, "volumes": 1}
    sizes = {each["path"]: each["bytes"] for each in running["purge"]}
    assert set(sizes) == set(running["deletes"])
    assert sizes["/var/lib/docker"] > 100_000
    host.run("systemctl", "stop", "docker", "docker.socket")
    stopped = api.wait(api.uninstall(dry_run=TRUE, purge_data=TRUE))
    assert stopped["counts"] == running["counts"]
    assert stopped["volumes"] == ["data"]


def test_an_engine_that_somebody_else_has_started(docker_host: Host) -> None:
    """Its containers are containers, and its data is in use."""
    host, api = docker_host, Api(docker_host)
    host.run("docker", "load", "--input", "/srv/bed/registry/tiny.tar")
    host.run("systemctl", "stop", "docker", "docker.socket")
    host.run("systemd-run", "--unit=by-hand", "dockerd", "--host=unix:///run/docker.sock")
    host.run("sh", "-c", "until docker info; do sleep 0.2; done")
    host.run("docker", "run", "--detach", "--name", "alive", "tiny", "sleep", "600")
    with pytest.raises(ApiError, match="Containers are running: alive") as caught:
        api.wait(api.uninstall())
    assert caught.value.name == ERROR + "ContainersRunning"
    with pytest.raises(ApiError, match=r"docker\.service has not started is running") as caught:
        api.wait(api.uninstall(purge_data=TRUE, force=TRUE))
    assert caught.value.name == ERROR + "ServiceFailed"
    plan = api.wait(api.uninstall(purge_data=TRUE, force=TRUE, dry_run=TRUE))
    assert plan["refusal"]["remedy"]["command"] == "systemctl stop by-hand.service"
    with pytest.raises(ApiError, match=r"docker\.service has not started is running"):
        api.wait(api.install())
    assert api.wait(api.install(dry_run=TRUE))["refusal"]["name"] == ERROR + "ServiceFailed"
    assert host.run("systemctl", "is-active", "docker.socket", check=False).stdout == "inactive\n"
    assert host.run("docker", "ps", "--quiet").stdout != ""


@pytest.mark.parametrize("running", [True, False])
def test_a_data_root_of_the_unit(docker_host: Host, running: bool) -> None:
    host, api = docker_host, Api(docker_host)
    drop_in = "/etc/systemd/system/docker.service.d/root.conf"
    start = "/usr/bin/dockerd -H fd:// --containerd=/run/containerd/containerd.sock"
    lines = f"[Service]\nExecStart=\nExecStart={start} --data-root /srv/elsewhere\n"
    host.write(drop_in, lines)
    host.run("systemctl", "daemon-reload")
    host.run("systemctl", "restart", "docker")
    if not running:
        host.run("systemctl", "stop", "docker", "docker.socket")
    assert "/srv/elsewhere" in api.wait(api.uninstall(dry_run=TRUE, purge_data=TRUE))["deletes"]
    assert "/srv/elsewhere" in api.wait(api.uninstall(purge_data=TRUE))["purged"]
    assert not host.path("/srv/elsewhere").exists()


def test_a_host_whose_packages_cannot_change(docker_host: Host) -> None:
    host, api = docker_host, Api(docker_host)
    before = host.run("rpm", "-qa").stdout
    host.run("mount", "--bind", "/usr", "/usr")
    host.run("mount", "--options", "remount,bind,ro", "/usr")
    starts: list[tuple[Callable[..., str], dict[str, Any]]] = [
        (api.uninstall, {}),
        (api.install, {"completion": TRUE}),
    ]
    for start, options in starts:
        with pytest.raises(ApiError, match="/usr is on /usr, which is read-only") as caught:
            api.wait(start(**options))
        assert caught.value.name == ERROR + "WriteFailed"
    host.run("mount", "--options", "remount,bind,rw", "/usr")
    host.write("/run/ostree-booted", "")
    host.internet.forget_requests()
    for start, options in starts:
        with pytest.raises(ApiError, match="boots an image") as caught:
            api.wait(start(**options))
        assert caught.value.name == ERROR + "UnsupportedPlatform"
        refusal = api.wait(start(dry_run=TRUE, **options))["refusal"]
        assert refusal["name"] == ERROR + "UnsupportedPlatform"
    assert host.internet.requests() == [], "refused before anything was downloaded"
    assert host.run("rpm", "-qa").stdout == before
    assert host.run("systemctl", "is-active", "docker").stdout == "active\n"
    assert not api.wait(api.install())["changed"], "nothing has to change"
