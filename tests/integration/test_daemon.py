# SPDX-License-Identifier: LGPL-2.1-or-later
"""The daemon as a service: permissions, sandbox and exit."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from bed.api import Api, ApiError
from bed.crowd import FLOOD, SLOWEST
from bed.fixtures import EVERYWHERE, NEEDS_JAVASCRIPT_RULES
from dockmgrd import names
from integration.waiting import until_logged

if TYPE_CHECKING:
    from collections.abc import Callable

    from bed.host import Host

REFUSED = (
    "org.freedesktop.DBus.Error.InteractiveAuthorizationRequired",
    "org.freedesktop.DBus.Error.AccessDenied",
)

# 20,000 calls are before those of others where callers do not take turns: that takes seconds.
MAX_SLOWDOWN_BESIDE_A_FLOOD = 25


@EVERYWHERE
def test_everybody_may_ask_and_nobody_may_change_anything(host: Host) -> None:
    api = Api(host, "alice")
    assert api.status()["installed"] is False
    assert "official" in [source["name"] for source in api.call("ListSources")]
    verbs: list[Callable[[], str]] = [
        api.install,
        lambda: api.install(source=("s", "aliyun"), mirrors=("as", ["https://m.example"])),
        lambda: api.set_mirror("https://mirror.example"),
        lambda: api.set_mirror("http://mirror.example"),
        api.set_mirror,
        api.uninstall,
        lambda: api.uninstall(purge_data=("b", True)),
    ]
    for verb in verbs:
        with pytest.raises(ApiError) as caught:
            verb()
        assert caught.value.name in REFUSED
        assert caught.value.text.endswith(".")
    assert api.properties(names.MANAGER_PATH, names.MANAGER_INTERFACE)["State"] == "idle"
    assert not host.path("/etc/docker").exists()
    assert list(host.path("/var/lib/dockmgrd").glob("jobs/*")) == []


@pytest.mark.suites("bookworm", "trixie")
def test_without_polkit_root_alone_may(host: Host) -> None:
    host.run("systemctl", "mask", "--now", "polkit.service")
    with pytest.raises(ApiError) as caught:
        Api(host, "alice").set_mirror("https://mirror.example")
    assert caught.value.name == "org.freedesktop.DBus.Error.AccessDenied"
    assert "only root may" in caught.value.text
    api = Api(host)
    assert api.wait(api.set_mirror("https://mirror.example"))["changed"] is True


@NEEDS_JAVASCRIPT_RULES
def test_an_admin_can_delegate_by_a_rule(host: Host) -> None:
    host.write(
        "/etc/polkit-1/rules.d/49-test.rules",
        """polkit.addRule(function (action, subject) {
            if (action.id == "org.dockmgr1.set-mirror" && subject.user == "alice" &&
                action.lookup("mirrors") == "https://ours.example/") {
                return polkit.Result.YES;
            }
        });""",
    )
    api = Api(host, "alice")
    job = api.set_mirror("https://ours.example")
    assert api.wait(job)["mirrors"] == ["https://ours.example/"]
    uid = int(host.run("id", "-u", "alice").stdout)
    assert api.properties(job)["InitiatorUid"] == uid
    for mirrors in (["https://other.example"], ["http://ours.example"], []):
        with pytest.raises(ApiError):
            api.set_mirror(*mirrors)
    with pytest.raises(ApiError):
        Api(host, "bob").set_mirror("https://ours.example")


@EVERYWHERE
def test_the_sandbox_is_as_tight_as_promised(host: Host) -> None:
    command = ["systemd-analyze", "security", "--json=short", "dockmgrd.service"]
    rows = json.loads(host.run(*command, check=False).stdout)
    assert rows
    threshold = host.run("systemd-analyze", "security", "--threshold=10", "dockmgrd.service")
    assert "Overall exposure level" in threshold.stdout


@pytest.mark.suites("bookworm", "trixie")
def test_a_flood_of_unread_calls_harms_nobody(host: Host) -> None:
    api = Api(host)
    api.status()
    before = host.run("systemctl", "show", "dockmgrd", "-P", "MainPID").stdout
    measure = ("/usr/bin/python3", "-IBc", SLOWEST, "3")
    undisturbed = float(host.run(*measure, user="alice").stdout)
    flooder = host.popen("/usr/bin/python3", "-IBc", FLOOD, user="bob")
    slowest = float(host.run(*measure, user="alice").stdout)
    assert slowest < MAX_SLOWDOWN_BESIDE_A_FLOOD * max(undisturbed, 0.01)
    assert flooder.stdout is not None
    assert flooder.stdout.readline() == "sent\n"
    for _ in range(3):
        assert Api(host, "alice").status()["installed"] is False
    flooder.terminate()
    flooder.communicate()
    assert host.run("systemctl", "show", "dockmgrd", "-P", "MainPID").stdout == before
    assert api.status()["installed"] is False


def test_the_daemon_leaves_when_it_is_not_needed_and_comes_back(host: Host) -> None:
    drop_in = "/run/systemd/system/dockmgrd.service.d/short.conf"
    host.write(drop_in, "[Service]\nEnvironment=DOCKMGRD_IDLE_SECONDS=1\n")
    host.run("systemctl", "daemon-reload")
    Api(host).status()
    stopped = "MESSAGE_ID=7ad2d189f7e94e70a38c781354912448"  # the text is another in each version
    until_logged(host, "dockmgrd.service", stopped, "UNIT=dockmgrd.service")
    assert host.run("systemctl", "is-active", "dockmgrd", check=False).stdout == "inactive\n"
    assert Api(host).status()["installed"] is False


@pytest.mark.suites("bookworm", "trixie")
def test_the_log_level_is_roots_to_change(host: Host) -> None:
    Api(host).status()
    level = ("systemctl", "service-log-level", "dockmgrd.service")
    assert host.run(*level).stdout == "info\n"
    host.run(*level, "debug")
    assert host.run(*level).stdout == "debug\n"
    assert host.run(*level, "info", user="alice", check=False).returncode != 0
    assert host.run(*level, "loud", check=False).returncode != 0
    assert host.run(*level).stdout == "debug\n"


def test_a_daemon_that_hangs_is_restarted(host: Host) -> None:
    drop_in = "/run/systemd/system/dockmgrd.service.d/watchdog.conf"
    host.write(drop_in, "[Service]\nWatchdogSec=5\n")
    host.run("systemctl", "daemon-reload")
    Api(host).status()
    show = ("systemctl", "show", "dockmgrd", "-P", "MainPID")
    before = host.run(*show).stdout.strip()
    host.run("kill", "-STOP", before)
    with pytest.raises(ApiError, match="NoReply"):
        Api(host).status()
    assert Api(host).status()["installed"] is False
    assert host.run(*show).stdout.strip() != before


def test_introspection_on_the_bus_is_the_installed_file(host: Host) -> None:
    text = Api(host).call("Introspect", interface="org.freedesktop.DBus.Introspectable")
    installed = host.read(f"/usr/share/dbus-1/interfaces/{names.MANAGER_INTERFACE}.xml")
    for member in ("Install", "SetMirror", "Uninstall", "Status", "ListSources"):
        assert f'<method name="{member}">' in text
        assert f'<method name="{member}">' in installed
