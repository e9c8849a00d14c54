# SPDX-License-Identifier: LGPL-2.1-or-later
"""Invalid input and failures: the error has a cause and a remedy, and nothing is changed."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bed.api import Api, ApiError
from bed.fixtures import EVERYWHERE
from dockmgrd.errors import ConfigInvalid

if TYPE_CHECKING:
    from bed.host import Host

OURS = "org.dockmgr1.Error."
STANDARD = "org.freedesktop.DBus.Error."
WATCHED = ("/etc", "/var/lib/rpm", "/usr/lib/systemd/system")


@contextmanager
def nothing_changes(host: Host) -> Iterator[None]:
    """Check that configuration and packages are the same afterwards."""
    before = _fingerprint(host)
    yield
    assert _fingerprint(host) == before


def _fingerprint(host: Host) -> dict[str, str]:
    packages = {"packages": host.run("rpm", "-qa").stdout}
    files = {
        f"{top}/{path.relative_to(host.path(top))}": hashlib.sha256(path.read_bytes()).hexdigest()
        for top in WATCHED
        for path in host.path(top).rglob("*")
        if path.is_file() and not path.is_symlink() and not _is_bookkeeping(path)
    }
    return {**packages, **files}


def _is_bookkeeping(path: Path) -> bool:
    """Files that programs keep for themselves: rpm's database changes when it is only read."""
    return path.name.startswith(("rpmdb.sqlite", ".rpm.lock", ".dbenv"))


REFUSED_AT_ONCE: list[tuple[str, Callable[[Api], object], str, str]] = [
    ("key", lambda api: api.install(sauce=("s", "x")), "InvalidArgs", "'sauce'"),
    ("type", lambda api: api.install(source=("b", True)), "InvalidArgs", "'source' must have"),
    ("object", lambda api: api.install(source=("o", "/x")), "InvalidArgs", "not 'o'"),
    ("source", lambda api: api.install(source=("s", "nowhere")), "InvalidArgs", "official"),
    ("channel", lambda api: api.install(channel=("s", "nightly")), "InvalidArgs", "stable"),
    ("url", lambda api: api.set_mirror("mirror"), "InvalidArgs", "is not a registry URL"),
    ("query", lambda api: api.set_mirror("https://m.example/?a"), "InvalidArgs", "query"),
    ("long", lambda api: api.set_mirror("https://" + "m" * 2000), "LimitsExceeded", "longer"),
    ("many", lambda api: api.set_mirror(*["https://m.example"] * 40), "LimitsExceeded", "16"),
    ("args", lambda api: api.call("Install", "s", "aliyun"), "InvalidArgs", "takes arguments"),
]


def test_invalid_requests_are_refused_before_authorization(host: Host) -> None:
    with nothing_changes(host):
        for user in (None, "alice"):
            for label, verb, name, hint in REFUSED_AT_ONCE:
                with pytest.raises(ApiError) as caught:
                    verb(Api(host, user))
                assert caught.value.name == STANDARD + name, label
                assert hint in caught.value.text, label
                assert caught.value.text.endswith("."), label
    assert list(host.path("/var/lib/dockmgrd").glob("jobs/*")) == []


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ('{"debug": true,}', "line 1, column"),
        ('{"debug": true, "debug": false}', "twice"),
        ("[]", "not a JSON object"),
        ('{"registry-mirrors": "https://x"}', "not a list"),
    ],
)
def test_a_broken_daemon_json_is_left_alone(docker_host: Host, content: str, reason: str) -> None:
    docker_host.write("/etc/docker/daemon.json", content)
    api = Api(docker_host)
    with nothing_changes(docker_host), pytest.raises(ApiError) as caught:
        api.wait(api.set_mirror("https://mirror.bed.test"))
    assert caught.value.name == OURS + "ConfigInvalid"
    assert reason in caught.value.text
    assert "Fix the file" in caught.value.text
    [problem] = api.status()["problems"]
    assert reason in problem["text"]


def test_mirrors_in_the_unit_are_reported_and_nothing_is_written(docker_host: Host) -> None:
    docker_host.write(
        "/etc/systemd/system/docker.service.d/mirror.conf",
        "[Service]\nExecStart=\nExecStart=/usr/bin/dockerd -H fd:// "
        "--registry-mirror=https://old.example\n",
    )
    docker_host.run("systemctl", "daemon-reload")
    api = Api(docker_host)
    with nothing_changes(docker_host), pytest.raises(ApiError) as caught:
        api.wait(api.set_mirror("https://mirror.bed.test"))
    assert caught.value.name == OURS + "ConfigConflict"
    assert "docker.service.d/mirror.conf" in caught.value.text


def test_changes_that_the_engine_does_not_accept_are_rolled_back(docker_host: Host) -> None:
    """An engine that never hears of a reload."""
    docker_host.write(
        "/etc/systemd/system/docker.service.d/deaf.conf",
        "[Service]\nExecReload=\nExecReload=/bin/true\n",
    )
    former = '{"registry-mirrors":   ["https://other.example/"]}\n'
    docker_host.write("/etc/docker/daemon.json", former)
    docker_host.run("systemctl", "daemon-reload")
    docker_host.run("systemctl", "restart", "docker.service")
    api = Api(docker_host)
    with pytest.raises(ApiError) as caught:
        api.wait(api.set_mirror("https://mirror.bed.test"))
    assert caught.value.name == OURS + "RolledBack"
    assert "https://other.example/" in caught.value.text
    assert docker_host.read("/etc/docker/daemon.json") == former


UNKNOWN_KEY = '{"registry-mirrors": ["https://mirror.bed.test/"], "no-such-key": 1}'


@pytest.mark.suites("forky")  # engines before 23 cannot validate
@pytest.mark.parametrize("options", [(), ("--dry-run",)])
def test_a_file_that_names_the_mirrors_is_validated(
    docker_host: Host, options: tuple[str, ...]
) -> None:
    """Another tool has written the mirrors beside a key that dockerd does not know."""
    docker_host.write("/etc/docker/daemon.json", UNKNOWN_KEY)
    command = ("dockmgrctl", "set-mirror", *options, "https://mirror.bed.test")
    with nothing_changes(docker_host):
        done = docker_host.run(*command, check=False)
    assert done.returncode == ConfigInvalid.exit_code, done
    assert "no-such-key" in done.stderr


def test_a_file_that_the_engine_does_not_take_was_not_changed(docker_host: Host) -> None:
    docker_host.write("/etc/docker/daemon.json", UNKNOWN_KEY)
    api = Api(docker_host)
    with nothing_changes(docker_host), pytest.raises(ApiError) as caught:
        api.wait(api.set_mirror("https://mirror.bed.test"))
    assert caught.value.name == OURS + "ServiceFailed"
    assert "The file was left as it was" in caught.value.text


def test_an_engine_that_reads_another_file_is_a_conflict(docker_host: Host) -> None:
    drop_in = "/etc/systemd/system/docker.service.d/other.conf"
    docker_host.write(
        drop_in,
        "[Service]\nExecStart=\n"
        "ExecStart=/usr/bin/dockerd -H fd:// --config-file=/etc/other.json\n",
    )
    docker_host.write("/etc/other.json", '{"registry-mirrors": ["https://other.example/"]}')
    docker_host.write("/etc/docker/daemon.json", '{"debug":   false}\n')
    docker_host.run("systemctl", "daemon-reload")
    docker_host.run("systemctl", "restart", "docker.service")
    api = Api(docker_host)
    with pytest.raises(ApiError) as caught:
        api.wait(api.set_mirror("https://mirror.bed.test"))
    assert caught.value.name == OURS + "ConfigConflict"
    assert f"{drop_in}, line 3" in caught.value.text
    assert docker_host.read("/etc/docker/daemon.json") == '{"debug":   false}\n'


@EVERYWHERE
def test_no_network_is_reported_and_leaves_no_repository_behind(host: Host) -> None:
    host.internet.unresolvable("download.docker.com")
    api = Api(host)
    with nothing_changes(host), pytest.raises(ApiError) as caught:
        api.wait(api.install())
    assert caught.value.name == OURS + "SourceUnreachable"
    assert "download.docker.com" in caught.value.text


def test_no_space_is_reported_before_anything_is_installed(host: Host) -> None:
    host.run("mkdir", "-p", "/var/cache/dnf")
    host.run("mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", "/var/cache/dnf")
    api = Api(host)
    with nothing_changes(host), pytest.raises(ApiError) as caught:
        api.wait(api.install())
    assert caught.value.name == OURS + "InsufficientSpace"
    assert "/var/cache/dnf" in caught.value.text


def test_a_full_file_system_leaves_daemon_json_alone(host: Host) -> None:
    host.run("mkdir", "-p", "/etc/docker")
    host.run("mount", "-t", "tmpfs", "-o", "size=4k,nr_inodes=2", "tmpfs", "/etc/docker")
    host.run("sh", "-c", "echo '{}' > /etc/docker/daemon.json")
    api = Api(host)
    with pytest.raises(ApiError) as caught:
        api.wait(api.set_mirror("https://mirror.bed.test"))
    assert caught.value.name == OURS + "InsufficientSpace"
    assert host.read("/etc/docker/daemon.json") == "{}\n"
