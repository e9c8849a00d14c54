# SPDX-License-Identifier: LGPL-2.1-or-later
"""What each command shows, on a terminal and in a pipe, held in files below `snapshots`.

UPDATE_SNAPSHOTS=1 writes them again. In those of a terminal, ␛ begins a control sequence and ␍ goes
back to the start of the line.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import pty
import struct
import sys
import termios
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from dockmgrd import __version__, errors
from dockmgrd.bus.variants import to_variants
from dockmgrd.cli.commands.all import LISTED_COMMANDS
from dockmgrd.messages import dnf, files, jobs, packages, registries, steps
from dockmgrd.messages.text import Text, foreign_text
from unit.catalogues import compile_into
from unit.cli_service import CHECKOUT, STATUS, Host, message_properties, serving, start_cli, untimed

SNAPSHOTS = Path(__file__).parent / "snapshots"
LOCALES: Mapping[str, Mapping[str, str]] = {
    "en": {"LC_ALL": "C.UTF-8", "LANGUAGE": "en"},
    "zh_CN": {"LC_ALL": "C.UTF-8", "LANGUAGE": "zh_CN"},
}
ROWS, COLUMNS = 24, 80

Drive = Callable[[Host], Awaitable[None]]


@dataclass(frozen=True)
class Case:
    """A command line, what the host is like, and what it does meanwhile."""

    line: str
    drive: Drive | None = None
    jobs: Sequence[Mapping[str, Any]] = ()
    host: Mapping[str, Any] = field(default_factory=dict)


def ends(moves: Sequence[tuple[str, float, Text]] = (), **how: Any) -> Drive:
    """The job goes through these stages and ends so."""

    async def drive(host: Host) -> None:
        job_id = await host.until_waited()
        for stage, fraction, message in moves:
            host.move(job_id, Stage=stage, Progress=fraction, **message_properties(message))
        host.finish(job_id, **how)

    return drive


MIRRORS = ["https://mirror.example/", "https://second.example/"]
PLAN = {
    "dry-run": True,
    "changed": True,
    "install": [
        {"package": "docker-ce-3:28.5.1-1.el9", "repository": "docker-ce", "download-bytes": 25e6}
    ],
    "remove": [
        {
            "package": "runc-4:1.2.4-1.el9",
            "reason": dnf.OBSOLETED_BY(package="containerd.io").to_plain(),
        }
    ],
    "download-bytes": 25_000_000,
    "disk-bytes": 98_000_000,
    "actions": [steps.START_UNIT(unit="docker.service").to_plain()],
    "notes": [packages.RESTART_NO_CONTAINERS().to_plain()],
    "digest": "1a2b3c",
}
PROBED = [
    {
        "mirror": MIRRORS[0],
        "verdict": "ok",
        "latency": 0.042,
        "seconds": 0.3,
        "throughput": 20480.0,
        "text": "",
    },
    {"mirror": MIRRORS[1], "verdict": "untrusted", "text": "its certificate has expired"},
]
VERSIONS = [
    {"version": "28.5.1", "built": "2025-10-08", "size": 41_000_000, "installed": True},
    {"version": "28.4.0", "built": "2025-09-03", "size": 40_000_000, "installed": False},
]
DOWNLOADED = dnf.DOWNLOADED(done="18.2", total="105", rate="9.1", item=1, items=6)
INSTALLING = (
    ("downloading", 0.3, DOWNLOADED),
    ("installing", 0.8, dnf.PACKAGE_OF_ALL(package="docker-ce", item=4, items=6)),
)
OLD = {"CreatedAt": 1_769_860_800_000_000, "InitiatorUid": 0, "Stage": "finished"}
DONE_JOB = {**OLD, "kind": "uninstall", "State": "done"}
FULL = files.FILE_SYSTEM_FULL(file="/etc/x").with_remedy(files.FREE_SPACE_THERE())
FAILED_JOB = {
    **OLD,
    "State": "failed",
    "ErrorName": errors.InsufficientSpace.dbus_name,
    "ErrorMessage": str(FULL),
    "ErrorDetails": to_variants(errors.InsufficientSpace(FULL).to_plain()),
}

PLAN_JOB = {**DONE_JOB, "Result": to_variants({"dry-run": True})}
BUSY = jobs.JOB_IS_RUNNING(job="1", kind="install", since="12:00").with_remedy(
    jobs.WAIT_OR_CANCEL(), "dockmgrctl follow 1"
)
UNUSED = {
    "registry": "ghcr.io",
    "mirrors": MIRRORS[:1],
    "notes": [registries.CLASSIC_STORE(registry="ghcr.io").to_plain()],
}
CASES: Mapping[str, Case] = {
    "status": Case("status"),
    "status-bare": Case("status", host={"status": {"active-job": "/", "platform": "CentOS 9"}}),
    "status-failed": Case("status", host={"status": {**STATUS, "service-state": "failed"}}),
    "install": Case(
        "install -y",
        ends(
            INSTALLING,
            Result={"installed": ["docker-ce-3:28.5.1-1.el9"], "engine-version": "28.5.1"},
        ),
    ),
    "install-plan": Case("install --dry-run", ends(Result=PLAN)),
    "install-refused": Case("install -y", host={"refusal": errors.Busy(BUSY)}),
    "uninstall": Case("uninstall -y", ends(Result={"freed-bytes": 98_000_000})),
    "versions": Case("versions", ends(Result={"versions": VERSIONS})),
    "sources": Case("sources"),
    "mirrors": Case("mirrors"),
    "set-mirror": Case(
        f"set-mirror {' '.join(MIRRORS)}",
        ends([("configuring", 0.5, foreign_text("daemon.json"))], Result={"mirrors": MIRRORS}),
    ),
    "set-mirror-registry": Case(
        "set-mirror --registry ghcr.io --allow-unused https://mirror.example",
        ends(Result=UNUSED),
    ),
    "probe": Case("probe", ends(Result={"probed": PROBED})),
    "probe-none": Case("probe", ends(Result={"probed": PROBED[1:]})),
    "jobs": Case("jobs", jobs=[DONE_JOB, FAILED_JOB, PLAN_JOB]),
    "follow": Case("follow 001", jobs=[DONE_JOB]),
    "log": Case("log -f", jobs=[DONE_JOB]),
    "cancel": Case("cancel 001", jobs=[{}]),
    "permissions": Case("permissions"),
    "usage": Case(""),
    "upgrade": Case("upgrade -y", ends(Result={"engine-version": "28.5.2", "upgraded": ["a-2"]})),
    "synonym": Case("remove"),
    "host-for-url": Case("set-mirror mirror.example"),
    "no-jobs": Case("follow"),
    "version": Case("version", host={"version": __version__}),
    "help": Case("help"),
    **{f"help-{each.name}": Case(f"help {each.name}") for each in LISTED_COMMANDS},
    "host-down": Case("-q --host down status"),
    "unknown": Case("stauts"),
}

PROGRAMS = {
    "journalctl": 'echo "journalctl $*"',
    "pkttyagent": "exit 1",
    "dockmgrctl": f'exec {sys.executable} -m dockmgrd.cli "$@"',
    "ssh": 'echo "No route" >&2; exit 255',
}


@pytest.fixture(scope="session")
def catalogues(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compile_into(tmp_path_factory.mktemp("locale"))


@pytest.fixture
def environment(tmp_path: Path, catalogues: Path) -> dict[str, str]:
    for name, script in PROGRAMS.items():
        (tmp_path / name).write_text(f"#!/bin/bash\n{script}\n")
        (tmp_path / name).chmod(0o755)
    path = f"{tmp_path}:{os.environ['PATH']}"
    more = {"PATH": path, "PYTHONPATH": str(CHECKOUT), "PAGER": "cat", "TERM": "xterm"}
    more["TEXTDOMAINDIR"] = str(catalogues)
    return {**os.environ, **more, "NO_COLOR": "", "SYSTEMD_PAGER": "cat"}


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("where", ["pipe", "terminal"])
@pytest.mark.parametrize("name", CASES)
async def test_output(
    bus_address: str, environment: dict[str, str], name: str, where: str, locale: str
) -> None:
    case = CASES[name]
    host = Host(**case.host)
    for properties in case.jobs:
        host.add_job(**properties)
    show = {"pipe": in_a_pipe, "terminal": on_a_terminal}[where]
    async with serving(host, bus_address):
        driving = asyncio.ensure_future(case.drive(host)) if case.drive else None
        shown = await show(bus_address, case.line.split(), {**environment, **LOCALES[locale]})
        if driving is not None:
            await driving
    text = f"$ dockmgrctl {case.line}\n{shown}".replace(__version__, "VERSION")
    file = SNAPSHOTS / locale / f"{name}.{where}.txt"
    if os.environ.get("UPDATE_SNAPSHOTS"):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    assert text == (file.read_text() if file.exists() else ""), "UPDATE_SNAPSHOTS=1 accepts it"


async def in_a_pipe(address: str, arguments: Sequence[str], environment: dict[str, str]) -> str:
    process = await start_cli(address, *arguments, env_more=environment)
    out, err = await process.communicate()
    texts = {"stdout": out.decode(), "stderr": untimed(err.decode())}
    shown = "".join(f"[{name}]\n{text}" for name, text in texts.items() if text)
    return f"{shown}[exit code {process.returncode}]\n"


async def on_a_terminal(address: str, arguments: Sequence[str], environment: dict[str, str]) -> str:
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    written = bytearray()
    loop = asyncio.get_running_loop()
    loop.add_reader(ours, lambda: written.extend(os.read(ours, 65536)))
    try:
        streams = dict.fromkeys(("stdin", "stdout", "stderr"), theirs)
        process = await start_cli(address, *arguments, env_more=environment, **streams)
        code = await process.wait()
    finally:
        loop.remove_reader(ours)
        os.close(theirs)
    with suppress(OSError):  # No more comes from a terminal that nobody has open.
        while more := os.read(ours, 65536):
            written.extend(more)
    os.close(ours)
    text = written.decode().replace("\r\n", "\n").replace("\r", "␍").replace("\x1b", "␛")
    return f"{text}[exit code {code}]\n"


def test_every_command_has_its_snapshots() -> None:
    assert {each.name for each in LISTED_COMMANDS} <= CASES.keys()
    for locale in LOCALES:
        held = {file.name for file in (SNAPSHOTS / locale).iterdir()}
        assert held == {f"{name}.{where}.txt" for name in CASES for where in ("pipe", "terminal")}
