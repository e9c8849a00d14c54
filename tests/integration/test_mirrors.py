# SPDX-License-Identifier: LGPL-2.1-or-later
"""Changes of mirrors on hosts: the file, the engine, and errors."""

from __future__ import annotations

import json
import stat
from typing import TYPE_CHECKING

import pytest

from bed.api import Api, ApiError
from bed.fixtures import EVERYWHERE, NEEDS_JAVASCRIPT_RULES
from bed.suites import BOOKWORM, BULLSEYE
from dockmgrd import names
from integration.mirror_hosts import (
    DAEMON_JSON,
    MIRROR,
    MIRROR2,
    UNTRUSTED,
    active,
    engine_host,
    info,
    set_mirror,
)

if TYPE_CHECKING:
    from bed.host import Host

__all__ = ["engine_host"]

OURS = "org.dockmgr1.Error."
ODD = '{\r\n\t"log-opts": {"max-size": "1\\u0030m"},\r\n\t"shutdown-timeout":   20\r\n}'


@EVERYWHERE
def test_everything_but_the_mirrors_stays_as_it_was(engine_host: Host) -> None:
    host, api = engine_host, Api(engine_host)
    real = "/srv/config/docker.json"
    # Docker 20.10 does not read it.
    mark = "" if host.suite in (BOOKWORM, BULLSEYE) else "\ufeff"
    host.write(real, mark + ODD, mode=0o640)
    host.run("chown", "daemon:games", real)
    host.run("mkdir", "-p", "/etc/docker")
    host.path(DAEMON_JSON).unlink(missing_ok=True)
    host.path(DAEMON_JSON).symlink_to(real)
    before = host.path(real).stat()
    for mirrors in ([MIRROR], [MIRROR2, MIRROR], []):
        result = api.wait(set_mirror(api, *mirrors))
        assert (result["changed"], result["active"]) == (True, True)
        assert active(host) == mirrors
        text = host.path(real).read_bytes().decode()
        assert text.startswith(mark + ODD.rstrip("\r\n}"))
        assert json.loads(text.lstrip("\ufeff"))["registry-mirrors"] == mirrors
        after = host.path(real).stat()
        assert (after.st_mode, after.st_uid, after.st_gid) == (
            before.st_mode,
            before.st_uid,
            before.st_gid,
        )
    assert host.path(DAEMON_JSON).is_symlink()
    backup = json.loads(host.read(f"{DAEMON_JSON}.dockmgrd-backup").lstrip("\ufeff"))
    assert backup["registry-mirrors"] == [MIRROR2, MIRROR], "one backup: what was there last"
    inode = host.path(real).stat().st_ino
    assert api.wait(set_mirror(api))["changed"] is False
    assert host.path(real).stat().st_ino == inode, "an unchanged file is not written again"


@EVERYWHERE
def test_modes(engine_host: Host) -> None:
    host, api = engine_host, Api(engine_host)
    host.write(DAEMON_JSON, '{"registry-mirrors": ["https://mirror.bed.test"]}')
    host.run("systemctl", "reload", "docker")
    assert api.wait(set_mirror(api, MIRROR))["changed"] is False, "the slash makes no difference"
    append, remove = ("s", "append"), ("s", "remove")
    assert api.wait(set_mirror(api, MIRROR2, mode=append))["mirrors"] == [MIRROR, MIRROR2]
    assert api.wait(set_mirror(api, MIRROR, mode=append))["changed"] is False
    assert active(host) == [MIRROR, MIRROR2]
    assert api.wait(set_mirror(api, MIRROR, mode=remove))["mirrors"] == [MIRROR2]
    assert api.wait(set_mirror(api, MIRROR, mode=remove))["changed"] is False
    assert active(host) == [MIRROR2]


def test_a_dry_run_tells_and_changes_nothing(engine_host: Host) -> None:
    host, api = engine_host, Api(engine_host)
    host.write(DAEMON_JSON, '{\n  "debug": true\n}\n')
    result = api.wait(set_mirror(api, MIRROR, dry_run=("b", True)))
    assert result["diff"].splitlines() == [
        f"--- {DAEMON_JSON}",
        f"+++ {DAEMON_JSON}",
        "@@ -1,3 +1,6 @@",
        " {",
        '-  "debug": true',
        '+  "debug": true,',
        '+  "registry-mirrors": [',
        f'+    "{MIRROR}"',
        "+  ]",
        " }",
    ]
    assert [each["text"] for each in result["actions"]] == ["reload docker.service"]
    assert (result["changed"], result["mirrors"]) == (True, [MIRROR])
    assert host.read(DAEMON_JSON) == '{\n  "debug": true\n}\n'
    assert active(host) == []
    host.path(DAEMON_JSON).chmod(0o600)
    hidden = api.wait(set_mirror(api, MIRROR, dry_run=("b", True)))
    assert hidden["diff"] == "", "results are for everybody to read"
    assert "not readable for everybody" in hidden["notes"][0]["text"]


def test_an_engine_that_does_not_run_gets_it_at_its_start(engine_host: Host) -> None:
    host, api = engine_host, Api(engine_host)
    host.run("systemctl", "stop", "docker.service", "docker.socket")
    result = api.wait(set_mirror(api, MIRROR))
    assert (result["changed"], result["active"]) == (True, False)
    assert "take effect when it starts" in result["notes"][0]["text"]
    assert host.run("systemctl", "is-active", "docker", check=False).stdout == "inactive\n"
    host.run("systemctl", "start", "docker.service")
    assert active(host) == [MIRROR]


@EVERYWHERE
def test_a_host_without_an_engine(host: Host) -> None:
    api = Api(host)
    result = api.wait(set_mirror(api, "https://mirror.bed.test/prefix"))
    assert (result["changed"], result["active"]) == (True, False)
    assert "24.0.7 and older do not start" in result["notes"][0]["text"]
    assert json.loads(host.read(DAEMON_JSON)) == {
        "registry-mirrors": ["https://mirror.bed.test/prefix/"]
    }
    assert stat.S_IMODE(host.path(DAEMON_JSON).stat().st_mode) == 0o644


@pytest.mark.suites("bookworm")
def test_an_old_engine_takes_no_path(engine_host: Host) -> None:
    api = Api(engine_host)
    with pytest.raises(ApiError) as caught:
        api.wait(set_mirror(api, "https://mirror.bed.test/prefix"))
    assert caught.value.name == "org.freedesktop.DBus.Error.InvalidArgs"
    assert "has a path, and Docker 20.10" in caught.value.text
    assert engine_host.read(DAEMON_JSON) == ""


@pytest.mark.suites("trixie", "forky")
def test_a_new_engine_takes_a_path(engine_host: Host) -> None:
    api = Api(engine_host)
    api.wait(set_mirror(api, "https://mirror.bed.test/prefix"))
    assert active(engine_host) == ["https://mirror.bed.test/prefix/"]


@pytest.mark.suites("trixie", "forky")
def test_settings_that_prevent_the_start_of_dockerd_are_refused(engine_host: Host) -> None:
    host, api = engine_host, Api(engine_host)
    host.write(DAEMON_JSON, '{"no-such-key": 1}')
    with pytest.raises(ApiError) as caught:
        api.wait(set_mirror(api, MIRROR))
    assert caught.value.name == OURS + "ConfigInvalid"
    assert "no-such-key" in caught.value.text
    assert host.read(DAEMON_JSON) == '{"no-such-key": 1}'


def test_mirrors_in_an_environment_file_are_found(engine_host: Host) -> None:
    host, api = engine_host, Api(engine_host)
    host.write(
        "/etc/systemd/system/docker.service.d/options.conf",
        "[Service]\nEnvironmentFile=-/etc/sysconfig/docker\nExecStart=\n"
        "ExecStart=/usr/bin/dockerd -H fd:// $OPTIONS\n",
    )
    host.write("/etc/sysconfig/docker", "# --registry-mirror=no\nOPTIONS='--debug'\n")
    host.run("systemctl", "daemon-reload")
    host.run("systemctl", "restart", "docker")
    api.wait(set_mirror(api, MIRROR))
    host.write(
        "/etc/sysconfig/docker",
        "# --registry-mirror=no\nOPTIONS='--debug --registry-mirror=https://old.example'\n",
    )
    before = host.read(DAEMON_JSON)
    with pytest.raises(ApiError) as caught:
        api.wait(set_mirror(api, MIRROR2))
    assert caught.value.name == OURS + "ConfigConflict"
    assert "/etc/sysconfig/docker, line 2" in caught.value.text
    assert host.read(DAEMON_JSON) == before


def test_a_read_only_file_system_is_reported(engine_host: Host) -> None:
    host, api = engine_host, Api(engine_host)
    host.write(DAEMON_JSON, "{}\n")
    host.run("mount", "--bind", "-o", "ro", "/etc/docker", "/etc/docker")
    with pytest.raises(ApiError) as caught:
        api.wait(set_mirror(api, MIRROR))
    assert caught.value.name == OURS + "WriteFailed"
    assert "is mounted read-only" in caught.value.text
    assert host.read(DAEMON_JSON) == "{}\n"
    assert active(host) == []


def test_an_unreadable_file_is_reported(engine_host: Host) -> None:
    api = Api(engine_host)
    engine_host.path(DAEMON_JSON).mkdir(parents=True)
    with pytest.raises(ApiError) as caught:
        api.wait(set_mirror(api, MIRROR))
    assert caught.value.name == OURS + "ConfigInvalid"
    assert "is not a regular file but a directory" in caught.value.text


@EVERYWHERE
def test_insecure_registries_outlive_the_reload(engine_host: Host) -> None:
    host, api = engine_host, Api(engine_host)
    host.write(DAEMON_JSON, '{"insecure-registries": ["own.example:5000", "10.1.0.0/16"]}')
    host.run("systemctl", "restart", "docker")
    before = info(host)
    for mirrors in ([MIRROR], [MIRROR2], []):
        assert api.wait(set_mirror(api, *mirrors))["notes"] == []
        after = info(host)
        assert sorted(after["InsecureRegistryCIDRs"]) == sorted(before["InsecureRegistryCIDRs"])
        assert after["IndexConfigs"]["own.example:5000"]["Secure"] is False


@pytest.mark.suites("trixie", "forky")
def test_hosts_of_the_containerd_store_are_reported(engine_host: Host) -> None:
    host, api = engine_host, Api(engine_host)
    host.write(DAEMON_JSON, '{"features": {"containerd-snapshotter": true}}')
    host.run("systemctl", "restart", "docker")
    assert api.wait(set_mirror(api, MIRROR))["notes"] == []
    path = "/etc/docker/certs.d/docker.io/hosts.toml"
    host.write(path, 'server = "https://registry-1.docker.io"\n[host."https://x.example"]\n')
    [note] = api.wait(set_mirror(api, MIRROR2))["notes"]
    assert path in note["text"]
    assert "instead of registry-mirrors" in note["text"]


def test_drift_from_any_cause_is_reported(engine_host: Host) -> None:
    host, api = engine_host, Api(engine_host)
    api.wait(set_mirror(api, MIRROR))
    assert api.status()["mirrors-drift"] is False
    host.write(DAEMON_JSON, json.dumps({"registry-mirrors": [MIRROR2.rstrip("/")]}))
    status = api.status()
    assert (status["mirrors-configured"], status["mirrors-active"]) == ([MIRROR2], [MIRROR])
    assert status["mirrors-drift"] is True
    assert [each["remedy"]["command"] for each in status["problems"]] == ["systemctl reload docker"]
    with api.watch() as changes:
        host.run("systemctl", "reload", "docker")
        while api.status()["mirrors-drift"]:
            pass
    assert [each["Mirrors"] for _, each in changes if "Mirrors" in each] == [[MIRROR2]]
    host.write(DAEMON_JSON, json.dumps({"registry-mirrors": []}))
    with api.watch() as changes:
        host.run("systemctl", "restart", "docker")
        while api.status()["mirrors-drift"]:
            pass
    assert [each["Mirrors"] for _, each in changes if "Mirrors" in each][-1] == []
    properties = api.properties(names.MANAGER_PATH, names.MANAGER_INTERFACE)
    assert properties["Mirrors"] == []


@NEEDS_JAVASCRIPT_RULES
def test_a_rule_for_one_mirror_does_not_let_others_be_taken_away(engine_host: Host) -> None:
    host, root, alice = engine_host, Api(engine_host), Api(engine_host, "alice")
    host.write(
        "/etc/polkit-1/rules.d/49-test.rules",
        """polkit.addRule(function (action, subject) {
            if (action.id == "org.dockmgr1.set-mirror" && subject.user == "alice" &&
                action.lookup("mirrors") == "https://mirror.bed.test/") {
                return polkit.Result.YES;
            }
        });""",
    )
    alice.wait(set_mirror(alice, MIRROR, mode=("s", "append")))
    for mode in ("remove", "append"):
        with pytest.raises(ApiError):
            set_mirror(alice, MIRROR if mode == "remove" else MIRROR2, mode=("s", mode))
    root.wait(set_mirror(root, "http://own.example", mode=("s", "append")))
    with pytest.raises(ApiError):
        set_mirror(alice, MIRROR, mode=("s", "append"))
    assert active(host) == [MIRROR, "http://own.example/"]


def test_verifying_refuses_a_mirror_that_does_not_work(engine_host: Host) -> None:
    api = Api(engine_host)
    with pytest.raises(ApiError) as caught:
        api.wait(set_mirror(api, MIRROR, UNTRUSTED, verify=("b", True)))
    assert caught.value.name == OURS + "MirrorUnreachable"
    assert f"{UNTRUSTED} (the certificate of " in caught.value.text
    assert engine_host.read(DAEMON_JSON) == ""
    assert api.wait(set_mirror(api, MIRROR, verify=("b", True)))["changed"] is True
    assert api.wait(set_mirror(api, UNTRUSTED))["changed"] is True, "nobody asked to verify"
