# SPDX-License-Identifier: LGPL-2.1-or-later
"""Who may do what: every verb and option with its own action, every kind of caller, and polkit in
every state, against the table of docs/delegation.md; and the shipped examples of rules.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bed import layers
from bed.fixtures import EVERYWHERE, NEEDS_JAVASCRIPT_RULES
from bed.limits import HANG_TIMEOUT
from integration.callers import Answer, Call, add_people, call_all, hold_jobs, start_all
from integration.sessions import Login, Party, allow_logins, answers, ask, command
from integration.waiting import until_logged, watching_for_call

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bed.host import Host

pytestmark = NEEDS_JAVASCRIPT_RULES

RULES = Path(__file__).parents[2] / "polkit"
EXAMPLES = "/usr/share/doc/dockmgrd-polkit-rules/examples"
LIMITS = "allowed-mirrors: [mirror.example]\n"
OURS, OTHER, PLAIN = ("https://mirror.example",), ("https://other.example",), ("http://m.example",)
YES = ("b", True)
GHCR = ("s", "ghcr.io")
AUTHORITY = "org.freedesktop.PolicyKit1.Authority"

# The unit that dbus.service is.
BUS = {"bookworm": "dbus.service", "trixie": "dbus-broker.service", "forky": "dbus.service"}

# What is asked for, and the actions that it needs.
VERBS: Sequence[tuple[str, Call, set[str]]] = [
    ("install", Call("Install"), {"install"}),
    ("install, mirrors", Call("Install", {"mirrors": ("as", OURS)}), {"install", "set-mirror"}),
    (
        "install, http mirrors",
        Call("Install", {"mirrors": ("as", PLAIN)}),
        {"install", "set-mirror-insecure"},
    ),
    ("install, clear", Call("Install", {"mirrors": ("as", ())}), {"install", "set-mirror"}),
    (
        "install, dry, mirrors",
        Call("Install", {"mirrors": ("as", PLAIN), "dry-run": YES}),
        {"install"},
    ),
    (
        "install, repo",
        Call("Install", {"repo-url": ("s", "https://r.example/")}),
        {"install-custom"},
    ),
    (
        "install, rpm",
        Call("Install", {"containerd-rpm": ("s", "https://r.example/containerd.io.rpm")}),
        {"install-custom"},
    ),
    ("set", Call("SetMirror", mirrors=OURS), {"set-mirror"}),
    ("clear", Call("SetMirror", mirrors=()), {"set-mirror"}),
    ("append", Call("SetMirror", {"mode": ("s", "append")}, OURS), {"set-mirror"}),
    ("remove", Call("SetMirror", {"mode": ("s", "remove")}, OURS), {"set-mirror"}),
    ("set, dry", Call("SetMirror", {"dry-run": YES}, OURS), set()),
    ("set http, dry", Call("SetMirror", {"dry-run": YES}, PLAIN), set()),
    (
        "set, dry, verify",
        Call("SetMirror", {"dry-run": YES, "verify": YES}, OTHER),
        {"probe"},
    ),
    ("set http", Call("SetMirror", mirrors=PLAIN), {"set-mirror-insecure"}),
    ("set not listed", Call("SetMirror", mirrors=OTHER), {"set-mirror-insecure"}),
    ("set one of each", Call("SetMirror", mirrors=(*OURS, *OTHER)), {"set-mirror-insecure"}),
    ("set registry", Call("SetMirror", {"registry": GHCR}, OURS), {"set-mirror"}),
    ("clear registry", Call("SetMirror", {"registry": GHCR}, ()), {"set-mirror"}),
    ("set registry, dry", Call("SetMirror", {"registry": GHCR, "dry-run": YES}, OURS), set()),
    (
        "set registry, unused",
        Call("SetMirror", {"registry": GHCR, "allow-unused": YES}, OURS),
        {"set-mirror"},
    ),
    (
        "set registry, http",
        Call("SetMirror", {"registry": GHCR}, PLAIN),
        {"set-mirror-insecure"},
    ),
    (
        "set registry, not listed",
        Call("SetMirror", {"registry": GHCR}, OTHER),
        {"set-mirror-insecure"},
    ),
    ("append http", Call("SetMirror", {"mode": ("s", "append")}, PLAIN), {"set-mirror-insecure"}),
    ("probe", Call("ProbeMirrors", mirrors=OTHER), {"probe"}),
    ("probe long", Call("ProbeMirrors", {"timeout": ("u", 60)}, ()), {"probe"}),
    ("probe registry", Call("ProbeMirrors", {"registry": GHCR}, OTHER), {"probe"}),
    ("probe candidates of a registry", Call("ProbeMirrors", {"registry": GHCR}, ()), set()),
    ("probe candidates", Call("ProbeMirrors", mirrors=()), set()),
    ("versions", Call("ListVersions"), set()),
    ("probe sources", Call("ProbeSources"), set()),
    ("uninstall", Call("Uninstall", {"force": YES}), {"uninstall"}),
    ("uninstall, dry", Call("Uninstall", {"purge-data": YES, "dry-run": YES}), {"uninstall"}),
    ("purge", Call("Uninstall", {"purge-data": YES}), {"uninstall", "purge-data"}),
    ("status", Call("Status", plain=("", [])), set()),
]
CALLS = [call for _, call, _ in VERBS]
PERMISSIONS = Call("GetPermissions", plain=("", []))

EVERYDAY = {"install", "set-mirror", "probe", "uninstall", "manage"}
MAY: dict[str, set[str]] = {
    "member": EVERYDAY,
    "mirrors": {"set-mirror"},
    "admin": set(),
    "bob": set(),
}
ACTIONS = EVERYDAY | {"install-custom", "set-mirror-insecure", "purge-data", "cancel"}


QUESTIONS_OF_A_USER = 4


def check(user: str, login: Login, got: Sequence[Answer]) -> None:
    """The user may do what the table says, and GetPermissions reports the same."""
    may = MAY[user] | ({"probe"} if login is Login.SCREEN else set())
    for (label, _, needed), answer in zip(VERBS, got):
        assert answer.allowed is (needed <= may), (user, login, label, answer)
        assert answer.allowed is not answer.refused, (user, login, label, answer)
    [permissions] = got[-1].values or [{}]
    assert permissions == {each: "yes" if each in may else "auth" for each in ACTIONS}


def parties(login: Login) -> Iterable[list[Party]]:
    """All users, in such groups that each session is active."""
    everybody = [Party(user, [*CALLS, PERMISSIONS], login) for user in MAY]
    return [[each] for each in everybody] if login is Login.SCREEN else [everybody]


@EVERYWHERE
def test_everyone_may_do_what_the_table_says(host: Host) -> None:
    prepare(host)
    assert (
        host.run("systemctl", "show", "-P", "Id", "dbus.service").stdout.strip()
        == BUS[host.suite.name]
    )
    [held] = call_all(host, None, [Call("SetMirror", mirrors=("https://held.example",))])
    assert held.values
    for login in Login:
        for group in parties(login):
            for party, got in zip(group, ask(host, group)):
                check(str(party.user), login, got)
    roots = call_all(host, None, [*CALLS, PERMISSIONS])
    assert all(answer.allowed for answer in roots), roots
    assert roots[-1].values == [dict.fromkeys(ACTIONS, "yes")]

    cancel = Call("Cancel", path=held.values[0], interface="org.dockmgr1.Job", plain=("", []))
    for user, [answer] in zip(MAY, ask(host, [Party(user, [cancel]) for user in MAY])):
        assert answer.refused, (user, answer)

    refuse_in_time_while_polkit_hangs(host)
    host.run("systemctl", "mask", "--now", "polkit.service")
    for user, got in zip(MAY, ask(host, [Party(user, CALLS) for user in MAY])):
        for (label, _, needed), answer in zip(VERBS, got):
            assert answer.allowed is (not needed), (user, label, answer)
            assert not needed or "polkit cannot be asked" in answer.text, (user, label, answer)
    assert all(answer.allowed for answer in call_all(host, None, [*CALLS, cancel]))


def refuse_in_time_while_polkit_hangs(host: Host) -> None:
    """Everything is asked for at once: each party is a user of its own, as one may have so many
    questions open and no more.
    """
    pid = host.run("systemctl", "show", "-P", "MainPID", "polkit.service").stdout.strip()
    host.run("kill", "-STOP", pid)
    asking = [row for row in VERBS if row[2]]
    rows = {
        f"{user}{start}": asking[start : start + QUESTIONS_OF_A_USER]
        for user in MAY
        for start in range(0, len(asking), QUESTIONS_OF_A_USER)
    }
    for user in rows:
        groups = host.run("id", "--groups", "--name", user.rstrip("0123456789")).stdout.split()[1:]
        host.run("useradd", "--groups", ",".join(groups), user)
    waiting = [
        Party(user, [call for _, call, _ in mine], at_once=True) for user, mine in rows.items()
    ]
    process = host.popen(*command(waiting))
    assert all(answer.allowed for answer in call_all(host, None, CALLS))
    [status] = call_all(host, "bob", [Call("Status", plain=("", []))])
    assert status.allowed
    output, _ = process.communicate(timeout=HANG_TIMEOUT)
    for (user, mine), got in zip(rows.items(), answers(output, waiting)):
        for (label, _, _), answer in zip(mine, got):
            assert answer.refused, (user, label, answer)
            assert "polkit did not answer in time" in answer.text, (user, label, answer)
    host.run("kill", "-CONT", pid)


def test_limits_of_the_administrator(host: Host) -> None:
    prepare(host)
    limits = "/etc/dockmgrd/dockmgrd.yaml"
    host.write(limits, "allowed-sources: [aliyun, tuna]\nallowed-mirrors: [mirror.example]\n")
    status, listed = Call("Status", plain=("", [])), Call("ListSources", plain=("", []))
    refused, sources = call_all(host, None, [Call("Install", {"source": ("s", "ustc")}), listed])
    assert "allows aliyun, tuna" in refused.text
    assert [each["name"] for each in (sources.values or [[]])[0]] == ["aliyun", "tuna"]
    [started] = call_all(host, None, [Call("Install", {"dry-run": YES})])
    [path] = started.values or [""]
    request = host.read(f"/var/lib/dockmgrd/jobs/{path.rpartition('/')[2]}/request.json")
    assert '"source": "aliyun,tuna"' in request, "the first that are allowed, where none is named"

    host.write(limits, "allowed-sources: [aliyun]\nidle-second: 3\n")
    [answer] = call_all(host, None, [status])
    [problem] = (answer.values or [{}])[0]["problems"]
    assert f"{limits}, line 2: 'idle-second' is not one of" in problem["text"]
    host.run("systemctl", "restart", "dockmgrd.service")
    assert call_all(host, "member", [Call("SetMirror", mirrors=OTHER)])[0].refused
    assert call_all(host, None, [Call("Install", {"source": ("s", "ustc")})])[0].refused


def test_limits_by_registry(host: Host) -> None:
    prepare(host)
    limits = "allowed-mirrors: {docker.io: [mirror.example], ghcr.io: [other.example]}\n"
    host.write("/etc/dockmgrd/dockmgrd.yaml", limits)
    quay = {"registry": ("s", "quay.io")}
    tries = [
        (Call("SetMirror", mirrors=OURS), True),
        (Call("SetMirror", mirrors=OTHER), False),
        (Call("SetMirror", {"registry": GHCR}, OTHER), True),
        (Call("SetMirror", {"registry": GHCR}, OURS), False),
        (Call("SetMirror", {"registry": GHCR}, (*OTHER, *OURS)), False),
        (Call("SetMirror", {"registry": ("s", "ghcr.io:443")}, OTHER), False),
        (Call("SetMirror", {"registry": ("s", "index.docker.io")}, OURS), True),
        (Call("SetMirror", {"registry": ("s", "index.docker.io")}, OTHER), False),
        (Call("SetMirror", quay, OURS), False),
        (Call("SetMirror", quay, OTHER), False),
        (Call("SetMirror", quay, ()), True),
    ]
    got = call_all(host, "member", [call for call, _ in tries])
    assert [answer.allowed for answer in got] == [allowed for _, allowed in tries], got
    assert [answer.refused for answer in got] == [not allowed for _, allowed in tries], got


@pytest.mark.suites("bookworm", "trixie")
def test_a_caller_that_leaves_before_polkit_replies_starts_nothing(host: Host) -> None:
    prepare(host)
    host.write("/etc/dockmgrd/dockmgrd.yaml", "")
    call_all(host, "member", [Call("Status", plain=("", []))])
    pid = host.run("systemctl", "show", "-P", "MainPID", "polkit.service").stdout.strip()
    host.run("kill", "-STOP", pid)
    with watching_for_call(host, AUTHORITY, "CheckAuthorization") as asked:
        caller = start_all(host, "member", [Call("SetMirror", mirrors=OURS)])
        asked()
    caller.kill()
    caller.communicate()
    until_logged(host, "has left the bus", "-t", "dockmgrd")
    host.run("kill", "-CONT", pid)
    assert call_all(host, "member", [Call("SetMirror", mirrors=OURS)])[0].allowed
    assert len(list(host.path("/var/lib/dockmgrd").glob("jobs/*"))) == 1


def prepare(host: Host) -> None:
    add_people(host)
    allow_logins(host)
    hold_jobs(host)
    host.write("/etc/dockmgrd/dockmgrd.yaml", LIMITS)
    [rpm] = layers.DIST.glob("dockmgrd-polkit-rules-*.noarch.rpm")
    host.install_rpms([rpm])
    use_example(host, "40-mirrors-only.rules")


def use_example(host: Host, name: str) -> None:
    """What docs/delegation.md says: copy it. polkit reads it when it starts."""
    host.run("cp", f"{EXAMPLES}/{name}", "/etc/polkit-1/rules.d/")
    host.run("systemctl", "restart", "polkit.service")


def test_the_other_examples_do_what_they_say(host: Host) -> None:
    prepare(host)
    host.run("rm", "/etc/dockmgrd/dockmgrd.yaml")
    host.run("sh", "-c", "groupadd developers; usermod -aG developers bob")
    host.run("cp", f"{EXAMPLES}/42-pinned-versions.rules", "/etc/polkit-1/rules.d/")
    use_example(host, "41-one-mirror.rules")
    host.write("/etc/docker/daemon.json", '{"registry-mirrors": ["https://present.example"]}')
    tries = [
        (Call("SetMirror", mirrors=OURS), True),
        (Call("SetMirror", mirrors=("https://Mirror.Example/",)), True),
        (Call("SetMirror", mirrors=()), False),
        (Call("SetMirror", mirrors=OTHER), False),
        (Call("SetMirror", mirrors=(*OURS, *OTHER)), False),
        (Call("SetMirror", {"registry": GHCR}, OURS), False),
        (Call("SetMirror", {"mode": ("s", "append")}, OURS), False),
        (Call("SetMirror", {"mode": ("s", "remove")}, ("https://present.example",)), False),
        (Call("Install"), False),
    ]
    got = call_all(host, "bob", [call for call, _ in tries])
    assert [answer.allowed for answer in got] == [wanted for _, wanted in tries], got

    def pinned(**options: str) -> Call:
        return Call(
            "Install", {key.replace("_", "-"): ("s", each) for key, each in options.items()}
        )

    tries = [
        (pinned(version="28.5.1"), True),
        (pinned(version="28.5.2", source="aliyun"), True),
        (pinned(), False),
        (pinned(version="28.5.0"), False),
        (pinned(version="28.5.1", source="tuna"), False),
        (pinned(version="28.5.1", source="aliyun,tuna"), False),
        (pinned(version="28.5.1", repo_url="https://r.example/"), False),
        (pinned(version="28.5.1", channel="test"), False),
        (pinned(version="28.5.1", platform="fedora/43"), False),
        (Call("Install", {"version": ("s", "28.5.1"), "mirrors": ("as", ())}), False),
        (Call("Install", {"version": ("s", "28.5.1"), "mirrors": ("as", OTHER)}), False),
        (Call("SetMirror", mirrors=OURS), False),
    ]
    got = call_all(host, "alice", [call for call, _ in tries])
    assert [answer.allowed for answer in got] == [wanted for _, wanted in tries], got
    shown = host.run("dockmgrctl", "can", user="member").stdout
    assert [line.split()[:2] for line in shown.splitlines()[1:3]] == [
        ["install", "yes"],
        ["install-custom", "after"],
    ]
