# SPDX-License-Identifier: LGPL-2.1-or-later
"""Configuration files that are links, devices, folders, mounts or immutable: nothing is lost."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from bed.api import Api, ApiError
from integration.mirror_hosts import DAEMON_JSON, MIRROR

if TYPE_CHECKING:
    from bed.host import Host

REPOSITORY = "/etc/yum.repos.d/docker-ce.repo"
CONTENT = '{"debug": true}\n'


def check_refusal(api: Api, job: str, path: str, case: str) -> None:
    """Check that the job is refused, and that its error names the path."""
    with pytest.raises(ApiError) as caught:
        api.wait(job)
    name = caught.value.name.rpartition(".")[2]
    assert name in ("WriteFailed", "ConfigInvalid"), (path, case, caught.value)
    assert path in caught.value.text, (case, caught.value)


def lay(host: Host, path: str, script: str) -> None:
    """Put something in place of the file; the script knows it as $1."""
    clear(host, path)
    host.run("mkdir", "--parents", path.rpartition("/")[0])
    host.run("sh", "-ec", script, "sh", path)


def clear(host: Host, path: str) -> None:
    undo = 'umount "$1" || :; chattr -i "$1" || :; rm -rf "$1"'
    host.run("sh", "-c", f"({undo}) 2>/dev/null", "sh", path)


_WRONG = {
    "loop": 'ln -s "$1" "$1"',
    "directory": 'mkdir "$1"',
    "device": 'ln -s /dev/null "$1"',
    "fifo": 'mkfifo "$1"',
    "dangling without parent": 'ln -s /srv/missing/file "$1"',
    "mount point": 'echo "{}" >/srv/origin; echo "{}" >"$1"; mount --bind /srv/origin "$1"',
}


def test_special_files_are_refused_before_any_download(host: Host) -> None:
    api = Api(host)
    for path in (DAEMON_JSON, REPOSITORY):
        for name, script in _WRONG.items():
            lay(host, path, script)
            before = host.run("stat", "--format=%F %i", path).stdout
            mirrors = {"mirrors": ("as", [MIRROR])} if path == DAEMON_JSON else {}
            if path == DAEMON_JSON:
                check_refusal(api, api.set_mirror(MIRROR), path, name)
            check_refusal(api, api.install(source=("s", "official"), **mirrors), path, name)
            if path == REPOSITORY and name in ("loop", "directory", "device", "fifo"):
                # dnf itself would wait for ever for somebody to write into a FIFO.
                check_refusal(api, api.uninstall(), path, name)
                listing = api.call("ListVersions", "a{sv}", {"source": ("s", "official")})
                check_refusal(api, str(listing), path, name)
            assert host.run("stat", "--format=%F %i", path).stdout == before, (path, name)
            assert host.run("rpm", "-q", "docker-ce", check=False).returncode != 0
            assert isinstance(api.status()["problems"], list)
            clear(host, path)
    assert host.run("stat", "--format=%F", "/dev/null").stdout == "character special file\n"
    assert host.read("/srv/origin") == "{}\n"


def test_links_to_hidden_folders_are_followed(host: Host) -> None:
    api = Api(host)
    for target in ("/root/docker/daemon.json", "/home/someone/daemon.json"):
        host.write(target, CONTENT, mode=0o600)
        host.path(target).parent.chmod(0o700)
        lay(host, DAEMON_JSON, f'ln -s {target} "$1"')
        problems = {each["id"] for each in api.status()["problems"]}
        assert "config-link-unreadable" in problems, "the sandbox cannot follow it"
        assert api.wait(api.set_mirror(MIRROR))["changed"]
        assert host.path(DAEMON_JSON).is_symlink()
        values = json.loads(host.read(target))
        assert values == {"debug": True, "registry-mirrors": [MIRROR]}
    clear(host, DAEMON_JSON)
    lay(host, DAEMON_JSON, 'ln -s /srv/new.json "$1"')
    assert api.wait(api.set_mirror(MIRROR))["changed"]
    assert json.loads(host.read("/srv/new.json")) == {"registry-mirrors": [MIRROR]}


_MOVE_AWAY = """
mkdir --parents "$1" "$2"
cp --archive "$1/." "$2"
rm --recursive "$1"
ln --symbolic "$2" "$1"
"""


@pytest.mark.parametrize(
    ("folder", "owner"), [("/root", "root"), ("/home/alice", "alice"), ("/srv/private", "alice")]
)
def test_folders_in_hidden_folders_are_followed(docker_host: Host, folder: str, owner: str) -> None:
    """Links on the way to a file, of Docker's, of dnf's and of our own."""
    host, api = docker_host, Api(docker_host)
    for path, name in (("/etc/docker", "d"), ("/etc/yum.repos.d", "y"), ("/etc/dockmgrd", "m")):
        host.run(
            *("sh", "-ec", _MOVE_AWAY, "sh", path, f"{folder}/{name}"),
        )
    file = f"{folder}/d/daemon.json"
    host.write(file, CONTENT)
    host.run("chown", "--recursive", owner, folder)
    host.run("chmod", "0700", folder)
    problems = [each["id"] for each in api.status()["problems"]]
    assert problems.count("config-link-unreadable") == 2
    assert "limits-unknown" in problems, "the limits of the administrator may be stricter"
    assert not api.status()["mirrors-drift"]
    assert api.wait(api.set_mirror(MIRROR))["active"]
    assert MIRROR in host.read(file)
    assert host.run("stat", "--format=%U", file).stdout.strip() == owner
    result = api.wait(api.install(source=("s", "official"), mirrors=("as", [])))
    assert result["mirrors"] == []
    refusal = api.wait(api.uninstall(purge_data=("b", True), dry_run=("b", True)))["refusal"]
    assert refusal["name"].endswith("UnsafePath")
    assert api.wait(api.uninstall())["removed"]
    assert host.run("ls", f"{folder}/y").stdout.find("docker-ce.repo") < 0


def test_content_that_only_the_engine_judges(host: Host) -> None:
    """An Install without mirrors does not touch daemon.json, whatever it holds."""
    api = Api(host)
    dry_run = ("b", True)
    for content in (
        b"\xff\xfe" + CONTENT.encode("utf-16-le"),
        b'{"log-opts": {"tag": "a", "tag": "b"}}',
    ):
        host.run("mkdir", "--parents", "/etc/docker")
        host.path(DAEMON_JSON).write_bytes(content)
        result = api.wait(api.install(source=("s", "official"), dry_run=dry_run))
        assert "refusal" not in result
        assert [each["id"] for each in api.status()["problems"]] == ["config-invalid"]
        check_refusal(api, api.set_mirror(MIRROR), DAEMON_JSON, "content")
        assert host.path(DAEMON_JSON).read_bytes() == content
    clear(host, DAEMON_JSON)


_DEEP = {
    "volume": "/var/lib/docker/volumes/mine/_data/a/b/file",
    "containerd": "/var/lib/containerd/io.containerd.content.v1.content/mine/file",
    "configuration": "/etc/docker/certs.d/registry/ca.crt",
}


@pytest.mark.parametrize("place", list(_DEEP))
@pytest.mark.parametrize("attribute", ["i", "a"])
def test_an_attribute_deep_inside_of_a_purge(docker_host: Host, place: str, attribute: str) -> None:
    host, api, path = docker_host, Api(docker_host), _DEEP[place]
    host.write(path, CONTENT)
    if host.run("chattr", f"+{attribute}", path, check=False).returncode != 0:
        pytest.skip("the file system has no attributes")
    job = api.uninstall(purge_data=("b", True))
    try:
        with pytest.raises(ApiError) as caught:
            api.wait(job)
        assert caught.value.name == "org.dockmgr1.Error.WriteFailed"
        assert f"{path} has the immutable or append-only attribute" in caught.value.text
        assert "packages have already been removed" in caught.value.text
        remedy = api.properties(job)["ErrorDetails"]["remedy"]["command"]
        assert host.read(path) == CONTENT
        assert host.run("rpm", "-q", "docker-ce", check=False).returncode != 0
        host.run("sh", "-c", remedy)
    finally:
        host.run("chattr", "-ia", path, check=False)
    assert api.wait(api.uninstall(purge_data=("b", True)))["purged"], "the way out works"
    assert not host.path(path).exists()


def test_a_purge_on_a_read_only_mount(docker_host: Host) -> None:
    host, api = docker_host, Api(docker_host)
    host.run("mount", "--bind", "/var/lib/docker", "/var/lib/docker")
    host.run("mount", "--options", "remount,bind,ro", "/var/lib/docker")
    host.run("systemctl", "stop", "docker", "docker.socket")
    job = api.uninstall(purge_data=("b", True))
    with pytest.raises(ApiError) as caught:
        api.wait(job)
    assert caught.value.name == "org.dockmgr1.Error.WriteFailed"
    assert "/var/lib/docker is mounted read-only" in caught.value.text
    assert api.properties(job)["ErrorDetails"]["remedy"]["command"].startswith("mount -o remount")
    assert host.run("rpm", "-q", "docker-ce").returncode == 0, "known before anything is done"
