# SPDX-License-Identifier: LGPL-2.1-or-later
"""The commands for mirrors: their calls and their output."""

from __future__ import annotations

import asyncio
import fcntl
import io
import json
import os
import pty
import struct
import termios
from collections.abc import Iterator
from typing import Any

import pytest

from dockmgrd.cli.commands.arguments import parse
from dockmgrd.cli.service.jobs import JobRecord
from dockmgrd.cli.view import probe as findings
from dockmgrd.cli.view import render, tables
from dockmgrd.errors import InvalidArgs, MirrorUnreachable
from unit.cli_service import STATUS, Host, cli, run_job, serving

A, B = "https://a.example/", "https://b.example/"
GOOD = {
    "mirror": A,
    "verdict": "ok",
    "latency": 0.0423,
    "seconds": 0.3,
    "throughput": 20480.0,
    "text": "",
}
BAD = {"mirror": B, "verdict": "untrusted", "step": "v2", "text": "its certificate is bad"}
ODD = {**GOOD, "mirror": B, "differs": True}


@pytest.mark.parametrize(
    ("line", "options", "mirrors"),
    [
        ("set-mirror --append https://a", {"mode": "append"}, ("https://a",)),
        ("set-mirror --remove https://a", {"mode": "remove"}, ("https://a",)),
        ("set-mirror --clear --dry-run", {"dry-run": True}, ()),
        ("set-mirror --verify https://a", {"verify": True}, ("https://a",)),
        ("set-mirror --fastest", {}, ()),
        ("set-mirror --fastest --append https://a", {"mode": "append"}, ("https://a",)),
        ("probe", {}, ()),
        ("probe --timeout 5 https://a https://b", {"timeout": 5}, ("https://a", "https://b")),
    ],
)
def test_options_that_can_be_combined(
    line: str, options: dict[str, Any], mirrors: tuple[str, ...]
) -> None:
    invocation = parse(line.split())
    assert (invocation.options, invocation.mirrors) == (options, mirrors)
    assert invocation.fastest is ("--fastest" in line)


@pytest.mark.parametrize(
    "line",
    [
        "set-mirror --append",
        "set-mirror --append --remove https://a",
        "set-mirror --clear --append",
        "set-mirror --clear --fastest",
        "set-mirror --fastest --remove",
        "set-mirror --fastest --verify",
        "probe --timeout x",
        "probe --timeout -1",
        "probe --timeout 99999999999",
    ],
)
def test_options_that_exclude_each_other(line: str) -> None:
    with pytest.raises(InvalidArgs):
        parse(line.split())


async def test_a_probe_is_a_table(bus_address: str) -> None:
    host = Host()
    ends = {"Result": {"probed": [GOOD, BAD], "notes": ["Mind."]}}
    code, out, _ = await run_job(bus_address, "probe", "--timeout", "3", A, ends=ends, host=host)
    assert host.calls == [("probe", ([A], {"timeout": 3}), False)]
    assert code == 0
    assert [line.split() for line in out.splitlines()] == [
        ["MIRROR", "RESULT", "LATENCY", "PULL", "SPEED", "DETAILS"],
        [A, "ok", "42", "ms", "300", "ms", "20.5", "kB/s"],
        [B, "untrusted", "its", "certificate", "is", "bad"],
        ["Note:", "Mind."],
    ]


@pytest.mark.parametrize(
    ("probed", "chosen", "expected"),
    [([GOOD, BAD], [A], 0), ([BAD], None, 20), ([], None, 20), ([ODD], None, 20)],
)
@pytest.mark.parametrize("registry", [[], ["--registry", "ghcr.io"]])
async def test_the_fastest_is_set_if_there_is_one(
    bus_address: str,
    probed: list[dict[str, Any]],
    chosen: list[str] | None,
    expected: int,
    registry: list[str],
) -> None:
    host = Host()
    named = {"registry": "ghcr.io"} if registry else {}
    async with serving(host, bus_address):
        words = ("set-mirror", "--fastest", "--append", *registry)
        running = asyncio.ensure_future(cli(bus_address, *words))
        host.finish(await host.until_waited(), Result={"probed": probed})
        if chosen:
            while len(host.jobs) < 2:
                host.called.clear()
                await host.until_called()
            host.finish(list(host.jobs)[-1], Result={"changed": True, "mirrors": chosen})
        code, _, err = await running
    assert code == expected
    assert host.calls[0] == ("probe", ([], named), False)
    if chosen:
        assert host.calls[1] == ("set-mirror", (chosen, {**named, "mode": "append"}), False)
    else:
        assert "None of the mirrors works" in err
        assert len(host.calls) == 1


@pytest.mark.parametrize("probed", [[BAD], []])
async def test_a_probe_that_finds_nothing_fails(
    bus_address: str, probed: list[dict[str, Any]]
) -> None:
    ends = {"Result": {"probed": probed}}
    code, out, err = await run_job(bus_address, "probe", ends=ends)
    assert code == MirrorUnreachable.exit_code
    assert out.count("\n") == 1 + len(probed)
    assert "None of the mirrors works" in err
    code, out, err = await run_job(bus_address, "probe", "--json", ends=ends)
    assert code == MirrorUnreachable.exit_code
    assert json.loads(out) == {"job": "20260131T120001_abc001", "probed": probed}
    assert "None of the mirrors works" in err


async def test_mirrors_are_shown_with_their_drift(bus_address: str) -> None:
    host = Host(status={**STATUS, "mirrors-drift": True})
    async with serving(host, bus_address):
        code, out, _ = await cli(bus_address, "mirrors")
        as_json = json.loads((await cli(bus_address, "--json", "mirrors"))[1])
    assert code == 0
    assert [line.split() for line in out.splitlines()[:3]] == [
        ["MIRROR", "CONFIGURED", "IN", "USE"],
        ["https://one.example/", "yes", "yes"],
        ["https://two.example/", "yes", "no"],
    ]
    assert "systemctl reload docker" in out
    assert as_json == {
        "configured": ["https://one.example/", "https://two.example/"],
        "active": ["https://one.example/"],
        "drift": True,
        "registries": STATUS["registries"],
        "checks": [],
        "running": True,
        "installed": True,
    }
    assert [line.split() for line in out.splitlines()[-3:]] == [
        ["REGISTRY", "MIRROR"],
        ["ghcr.io", "https://one.example/"],
        ["quay.io", "as", "/etc/docker/certs.d/quay.io/hosts.toml", "says"],
    ]


def test_mirrors_of_an_engine_that_does_not_run() -> None:
    status = {"mirrors-configured": [A], "mirrors-active": [], "service-state": "inactive"}
    answer = tables.select_mirrors(status)
    assert [line.split() for line in tables.format_mirrors(answer, None)[1:]] == [
        [A, "yes", "-"],
        [
            "Docker",
            "Engine",
            "is",
            "not",
            "running.",
            "It",
            "uses",
            "the",
            "mirrors",
            "when",
            "it",
            "starts.",
        ],
    ]
    assert tables.format_mirrors({"running": True}, None) == ["No registry mirrors are set."]


def test_a_dry_run_shows_the_change() -> None:
    job = record("set-mirror", {"dry-run": True, "diff": "-a\n+b\x1b[2J\n", "actions": ["reload"]})
    assert render.format_result(job, None) == [
        "Plan:",
        "-a",
        "+b�[2J",
        "      Then: reload",
    ]


def record(kind: str, result: dict[str, Any], state: str = "done") -> JobRecord:
    return JobRecord.from_properties({"Kind": kind, "Result": result, "State": state})


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[io.TextIOWrapper, int]]:
    """A terminal of 5 lines and 40 columns, and our end of it."""
    monkeypatch.setenv("TERM", "xterm")
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 5, 40, 0, 0))
    with io.TextIOWrapper(os.fdopen(theirs, "wb", buffering=0), write_through=True) as stream:
        yield stream, ours
    os.close(ours)


def test_the_table_fills_in_on_a_terminal(terminal: tuple[io.TextIOWrapper, int]) -> None:
    stream, ours = terminal
    table = findings.LiveTable(stream, quiet=False)
    assert not table.show(record("install", {}, "running"))
    assert table.show(record("probe", {"probed": [GOOD]}, "running"))
    assert table.show(record("probe", {"probed": [GOOD] * 9}, "running"))
    table.clear()
    table.clear()
    written = ""
    while written.count("\x1b[J") < 3:
        written += os.read(ours, 65536).decode()
    first, second, end = written.split("\x1b[J")[:3]
    assert first.count("\n") == 3, "header, row, and how far it is"
    assert second.startswith("\x1b[3A\r")
    assert second.count("\n") == 4, "no more than fits"
    assert all(len(line.strip("\r").replace("\x1b[K", "")) < 45 for line in first.split("\n"))
    assert end.startswith("\x1b[4A\r")


def test_no_table_where_nobody_sees_it(terminal: tuple[io.TextIOWrapper, int]) -> None:
    running = record("probe", {"probed": [GOOD]}, "running")
    assert not findings.LiveTable(terminal[0], quiet=True).show(running)
    assert not findings.LiveTable(io.StringIO(), quiet=False).show(running)


def test_results_of_the_mirror_watch_have_their_age() -> None:
    checks = [
        {"registry": "docker.io", "mirror": A, "verdict": "ok", "checked-at": 1_000_000},
        {"registry": "ghcr.io", "mirror": B, "verdict": "timeout", "checked-at": 1_000_000},
    ]
    answer = tables.select_mirrors({"mirror-checks": checks, "mirrors-configured": [A]})
    ages = {61: "1 min ago", 3 * 3600: "3 h ago", 3 * 86400: "3 days ago", 0: "0 min ago"}
    for seconds, age in ages.items():
        lines = tables.format_mirrors(answer, None, now=seconds + 1.5)
        assert [line.split() for line in lines[-2:]] == [
            ["docker.io", A, "ok", *age.split()],
            ["ghcr.io", B, "timeout", *age.split()],
        ]
    assert tables.format_mirrors({**answer, "checks": []}, None)[-1] != lines[-1]
