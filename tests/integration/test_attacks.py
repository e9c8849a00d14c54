# SPDX-License-Identifier: LGPL-2.1-or-later
"""Attempts of a delegated user to become root; docs/security.md describes them.

The user is in group dockmgr and has the rights of our rules package. Jobs hang when they start, so
that an attempt that got through would be seen as one that is not refused.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from bed.fixtures import NEEDS_JAVASCRIPT_RULES
from bed.limits import HANG_TIMEOUT
from integration.callers import Answer, Call, add_people, answers, call_all, hold_jobs, start_all
from integration.test_bad_input import nothing_changes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bed.host import Host

pytestmark = NEEDS_JAVASCRIPT_RULES

RULES = Path(__file__).parents[2] / "polkit" / "50-dockmgrd.rules"
PROPERTIES = "org.freedesktop.DBus.Properties"
YES = ("b", True)
DENIED, INVALID, LIMIT, UNKNOWN = "denied", "InvalidArgs", "LimitsExceeded", "UnknownObject"


def install(**given: Any) -> Call:
    """Install with these options; texts are of type s."""
    pairs = {key.replace("_", "-"): each for key, each in given.items()}
    return Call("Install", {k: ("s", v) if isinstance(v, str) else v for k, v in pairs.items()})


def mirror(url: str, mode: str = "replace") -> Call:
    return Call("SetMirror", {"mode": ("s", mode)}, (url,))


def registry(name: str, url: str = "https://m.example") -> Call:
    return Call("SetMirror", {"registry": ("s", name)}, (url,))


# What is tried, and how it ends.
ATTEMPTS: Sequence[tuple[str, Call, str]] = [
    ("an own repository", install(repo_url="https://evil.example/"), DENIED),
    (
        "an own repository, only planned",
        install(repo_url="https://e.example/", dry_run=YES),
        DENIED,
    ),
    ("a package by address", install(containerd_rpm="https://evil.example/x.rpm"), DENIED),
    ("a package file of this host", install(containerd_rpm="file:///home/member/x.rpm"), INVALID),
    ("a package by path", install(containerd_rpm="/home/member/x.rpm"), INVALID),
    ("a repository without TLS", install(repo_url="http://evil.example/"), INVALID),
    (
        "a line more in the repository file",
        install(repo_url="https://e.example/\ngpgcheck=0"),
        INVALID,
    ),
    ("a user name in an address", install(repo_url="https://a:b@evil.example/"), INVALID),
    ("another key", install(key="https://evil.example/key"), INVALID),
    ("no check of signatures", install(gpgcheck=("b", False)), INVALID),
    ("dnf's configuration", install(config=("a{ss}", {"pluginpath": "/tmp"})), INVALID),
    ("a folder of repositories", install(reposdir="/home/member"), INVALID),
    ("further packages", install(packages=("as", ["sudo-evil"])), INVALID),
    ("a source that is a path", install(source="../../home/member/evil"), INVALID),
    ("a source that is an address", install(source="https://evil.example"), INVALID),
    ("a source behind a good one", install(source="official,evil"), INVALID),
    ("another folder by the channel", install(channel="stable/../../evil"), INVALID),
    ("another folder by the platform", install(platform="rhel/9/../../evil"), INVALID),
    ("an option of dnf as version", install(version="--setopt=gpgcheck=0"), INVALID),
    ("a command as version", install(version="28.5.1;id"), INVALID),
    ("a pattern as version", install(version="*"), INVALID),
    ("the locale", install(locale="../../tmp/evil"), INVALID),
    ("the environment", install(env=("as", ["LD_PRELOAD=/tmp/evil.so"])), INVALID),
    ("a key of daemon.json", Call("SetMirror", {"data-root": ("s", "/etc")}, ()), INVALID),
    ("a key of daemon.json in a URL", mirror('https://m.example/", "data-root": "/etc'), INVALID),
    ("a mirror without TLS", mirror("http://evil.example"), DENIED),
    ("a mirror without TLS, appended", mirror("http://evil.example", "append"), DENIED),
    (
        "a mirror without TLS, by Install",
        install(mirrors=("as", ["http://evil.example"])),
        DENIED,
    ),
    ("a mirror with a password", mirror("https://a:b@evil.example"), INVALID),
    ("a mirror that is a file", mirror("file:///etc/shadow"), INVALID),
    ("a mirror with a control character", mirror("https://m.example/\x1b[2J"), INVALID),
    ("a registry that is a path", registry("../../cron.d/evil"), INVALID),
    ("a registry that is a folder above", registry(".."), INVALID),
    ("a registry with a path", registry("ghcr.io/../../x"), INVALID),
    ("the folder of all registries", registry("_default"), INVALID),
    ("a registry in another spelling", registry("ghcr.io_443_"), INVALID),
    ("a registry with a line more", registry("ghcr.io\n"), INVALID),
    ("a registry with a dot at the end", registry("ghcr.io."), INVALID),
    ("a registry in capital letters", registry("GHCR.io"), INVALID),
    ("a registry with a path as port", registry("ghcr.io:../../x"), INVALID),
    ("a registry with port 0", registry("ghcr.io:0"), INVALID),
    ("an address with a path", registry("[::1]/../x"), INVALID),
    ("an address of an interface", registry("[fe80::1%eth0]"), INVALID),
    ("an address without brackets", registry("::1"), INVALID),
    ("dots in another script", registry("\u2025"), INVALID),
    ("a slash in another script", registry("ghcr\uff0fio.example"), INVALID),
    ("all registries", registry("*"), INVALID),
    ("a registry that is a URL", registry("https://ghcr.io"), INVALID),
    ("a registry without TLS", registry("ghcr.io", "http://evil.example"), DENIED),
    ("TOML in a URL", registry("ghcr.io", 'https://m.example/"]\nskip_verify = true'), INVALID),
    ("a table of TOML in a URL", registry("ghcr.io", 'https://m.example/"]'), INVALID),
    ("an escape of TOML in a URL", registry("ghcr.io", "https://m.example/\\u0022"), INVALID),
    ("a comment of TOML in a URL", registry("ghcr.io", "https://m.example/#"), INVALID),
    ("a password of a registry's mirror", registry("ghcr.io", "https://a:b@m.example"), INVALID),
    (
        "other mirrors of TOML as expected",
        Call("SetMirror", {"registry": ("s", "ghcr.io"), "expected": ("s", '"]')}, ()),
        INVALID,
    ),
    ("a key of TOML", Call("SetMirror", {"skip_verify": YES}, ()), INVALID),
    ("deleting all data", Call("Uninstall", {"purge-data": YES, "force": YES}), DENIED),
    ("deleting another folder", Call("Uninstall", {"data-root": ("s", "/")}), INVALID),
    ("consent in another type", Call("Uninstall", {"purge-data": ("s", "yes")}), INVALID),
    ("too much of everything", mirror("https://" + "m" * 5000), LIMIT),
    ("too many mirrors", Call("SetMirror", mirrors=("https://m.example",) * 400), LIMIT),
    (
        "a job that is none",
        Call("Cancel", path="/org/dockmgr1/job/__", interface="org.dockmgr1.Job", plain=("", [])),
        UNKNOWN,
    ),
    (
        "a property",
        Call(
            "Set",
            interface=PROPERTIES,
            path="/org/freedesktop/LogControl1",
            plain=("ssv", ["org.freedesktop.LogControl1", "LogLevel", ["variant", "s", "debug"]]),
        ),
        DENIED,
    ),
]

# Commands that the user runs; each must fail.
COMMANDS: Sequence[tuple[str, list[str]]] = [
    ("starting a job's unit", ["systemctl", "start", "dockmgrd-job@evil.service"]),
    ("a unit with a path in its name", ["systemctl", "start", "dockmgrd-job@..-..-evil.service"]),
    ("a job by hand", ["python3", "-IB", "-m", "dockmgrd.job", "20260101T000000_abcdef"]),
    ("reading requests", ["ls", "/var/lib/dockmgrd/jobs"]),
    ("writing a request", ["mkdir", "/var/lib/dockmgrd/jobs/20260101T000000_abcdef"]),
    ("the catalogue", ["touch", "/etc/dockmgrd/sources.d/evil.yaml"]),
    ("the limits", ["touch", "/etc/dockmgrd/dockmgrd.yaml"]),
    ("the key", ["touch", "/usr/share/dockmgrd/keys/docker-ce-rpm.asc"]),
    ("the copy of the limits", ["touch", "/var/lib/dockmgrd/dockmgrd.yaml"]),
    (
        "the daemon's log level",
        ["systemctl", "service-log-level", "dockmgrd.service", "debug"],
    ),
    ("stopping the daemon", ["systemctl", "stop", "dockmgrd.service"]),
    ("another environment", ["systemctl", "set-environment", "DOCKMGRD_IDLE_SECONDS=1"]),
    (
        "our name on the bus",
        [
            *("busctl", "call", "org.freedesktop.DBus", "/org/freedesktop/DBus"),
            *("org.freedesktop.DBus", "RequestName", "su", "org.dockmgr1", "4"),
        ],
    ),
    (
        "the question to polkit about someone else",
        [
            *("busctl", "call", "org.freedesktop.PolicyKit1"),
            *("/org/freedesktop/PolicyKit1/Authority", "org.freedesktop.PolicyKit1.Authority"),
            *("CheckAuthorization", "(sa{sv})sa{ss}us", "system-bus-name", "1", "name", "s"),
            *("org.dockmgr1", "org.dockmgr1.install-custom", "1", "url", "x", "0", ""),
        ],
    ),
]

# Sends the daemon, as if it were systemd, that the job's unit has ended.
_FORGE = """
import asyncio, sys
from dockmgrd.bus.client import Bus
from dockmgrd.bus.dbusnext import Message, Variant

async def main():
    async with Bus() as bus:
        [owner] = await bus.call_bus("GetNameOwner", "s", "org.dockmgr1")
        message = Message.new_signal(sys.argv[1], "org.freedesktop.DBus.Properties",
            "PropertiesChanged", "sa{sv}as",
            ["org.freedesktop.systemd1.Unit", {"ActiveState": Variant("s", "inactive")}, []])
        message.destination = owner
        bus.send(message)
        await bus.flush()

asyncio.run(main())
"""


@pytest.fixture
def target(host: Host) -> Host:
    """A host on which everybody has their rights and every job hangs."""
    add_people(host)
    hold_jobs(host)
    host.write("/usr/share/polkit-1/rules.d/50-dockmgrd.rules", RULES.read_text())
    host.run("systemctl", "restart", "polkit.service")
    return host


def ending(answer: Answer) -> str:
    return DENIED if answer.refused else answer.error.rpartition(".")[2] or "it got through"


@pytest.mark.suites("bookworm", "trixie")
def test_no_request_leads_to_root(target: Host) -> None:
    with nothing_changes(target):
        got = call_all(target, "member", [call for _, call, _ in ATTEMPTS])
        ended = {label: ending(answer) for (label, _, _), answer in zip(ATTEMPTS, got)}
        assert ended == {label: wanted for label, _, wanted in ATTEMPTS}
        for (label, _, _), answer in zip(ATTEMPTS, got):
            assert "a:b@" not in answer.text, label
            assert answer.text.isprintable(), label
    assert list(target.path("/var/lib/dockmgrd").glob("jobs/*")) == []
    for entry in target.journal(SYSLOG_IDENTIFIER="dockmgrd"):
        assert "a:b@" not in json.dumps(entry)
        assert entry["MESSAGE"].isprintable()
        assert entry["DOCKMGR_CALLER_SENDER"] in entry["MESSAGE"]
    # The refusal of the property is no verb's.
    assert len(target.journal(DOCKMGR_RESULT="denied")) == list(ended.values()).count(DENIED) - 1
    invalid = target.journal(DOCKMGR_RESULT="invalid")
    assert len(invalid) >= 20, "the first ones of a minute are recorded"
    assert "'key'" in "".join(entry["MESSAGE"] for entry in invalid)


@pytest.mark.suites("bookworm", "trixie")
def test_no_way_around_the_bus_leads_to_root(target: Host) -> None:
    [held] = call_all(target, None, [Call("SetMirror", mirrors=())])
    assert held.values
    job = held.values[0]
    unit = f"dockmgrd-job@{job.rpartition('/')[2]}.service"
    pid = target.run("systemctl", "show", "-P", "MainPID", unit).stdout.strip()
    path = target.run(
        "busctl",
        "call",
        "org.freedesktop.systemd1",
        "/org/freedesktop/systemd1",
        "org.freedesktop.systemd1.Manager",
        "GetUnit",
        "s",
        unit,
    ).stdout.split('"')[1]
    with nothing_changes(target):
        for label, command in [*COMMANDS, ("ending another's job", ["kill", pid])]:
            assert target.run(*command, user="member", check=False).returncode != 0, label
        target.run("/usr/bin/python3", "-IBc", _FORGE, path, user="member")
        [state] = call_all(
            target,
            "member",
            [
                Call(
                    "Get",
                    path=job,
                    interface=PROPERTIES,
                    plain=("ss", ["org.dockmgr1.Job", "State"]),
                )
            ],
        )
        assert state.values == ["running"], "a forged signal was believed"
    ours = target.run("rpm", "-qal", "dockmgr*").stdout.split()
    assert ours
    links = target.run("find", *ours, "-maxdepth", "0", "-perm", "/6000").stdout
    assert links == "", "nothing of ours has the rights of its owner"
    writable = target.run("find", *ours, "-maxdepth", "0", "-not", "-type", "l", "-perm", "/022")
    assert writable.stdout == "", "nothing of ours can be written by others"


@pytest.mark.suites("bookworm", "trixie")
def test_each_of_many_requests_at_once_is_judged_by_its_own(target: Host) -> None:
    """What is asked beside an allowed request borrows nothing from it."""
    fine, evil = mirror("https://mirror.example"), mirror("http://evil.example")
    got = answers(
        start_all(target, "member", [fine, evil, fine, evil]).communicate(timeout=HANG_TIMEOUT)[0]
    )
    assert [answer.refused for answer in got] == [False, True, False, True]
    [job] = {answer.values[0] for answer in got if answer.values}
    request = json.loads(
        target.read(f"/var/lib/dockmgrd/jobs/{job.rpartition('/')[2]}/request.json")
    )
    assert request["options"]["mirrors"] == ["https://mirror.example"]
    assert [each["action"] for each in request["granted"]] == ["org.dockmgr1.set-mirror"]
