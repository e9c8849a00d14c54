# SPDX-License-Identifier: LGPL-2.1-or-later
"""The pager is used only on a terminal, and cannot start a shell."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from unit.cli.test_terminal import Terminal, terminal
from unit.cli_service import Host, cli, serving

__all__ = ["terminal"]


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Host:
    """A host with more jobs than a terminal has lines, and a pager that tells of itself."""
    for name in ("less", "other"):
        program = tmp_path / name
        program.write_text(
            f'#!/bin/bash\necho "{name} $* LESS=$LESS LESSSECURE=$LESSSECURE" lines=$(wc -l)\n'
        )
        program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    for name in ("PAGER", "SYSTEMD_PAGER", "SYSTEMD_LESS", "SUDO_UID", "PKEXEC_UID"):
        monkeypatch.delenv(name, raising=False)
    host = Host()
    for _ in range(30):
        host.add_job(State="done", Stage="finished", CreatedAt=1)
    return host


async def shown(address: str, host: Host, terminal: Terminal, *arguments: str) -> str:
    async with serving(host, address):
        process = await terminal.run(address, *arguments)
        await terminal.read_until("\n")
        assert await process.wait() == 0
    return terminal.written.decode()


_LESS = "LESS=FRSXMK LESSSECURE=1 lines=31"


@pytest.mark.parametrize(
    ("environment", "text"),
    [
        ({}, f"less {_LESS}"),
        ({"PAGER": "other -x"}, f"other -x {_LESS}"),
        ({"PAGER": "no", "SYSTEMD_PAGER": "other"}, f"other {_LESS}"),
        ({"SYSTEMD_LESS": "FR"}, "less  LESS=FR LESSSECURE=1"),
        ({"PAGER": "other", "SUDO_UID": "1000"}, f"less  {_LESS}"),
        ({"PAGER": "other", "PKEXEC_UID": "1000"}, f"less  {_LESS}"),
        ({"PAGER": "/nonexistent"}, "ID   "),
        ({"PAGER": ""}, "ID   "),
        ({"SYSTEMD_PAGER": "cat", "PAGER": "other"}, "ID   "),
        ({"TERM": "dumb"}, "ID   "),
    ],
)
async def test_which_pager(
    bus_address: str,
    host: Host,
    terminal: Terminal,
    monkeypatch: pytest.MonkeyPatch,
    environment: dict[str, str],
    text: str,
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    written = await shown(bus_address, host, terminal, "jobs")
    assert " ".join(text.split()) in " ".join(written.split())


async def test_no_pager_where_none_is_wanted(
    bus_address: str, host: Host, terminal: Terminal
) -> None:
    assert (await shown(bus_address, host, terminal, "jobs", "--no-pager")).startswith("ID ")


async def test_no_pager_for_what_fits(bus_address: str, host: Host, terminal: Terminal) -> None:
    assert (await shown(bus_address, host, terminal, "sources")).startswith("NAME ")


async def test_no_pager_in_a_pipe(bus_address: str, host: Host) -> None:
    async with serving(host, bus_address):
        _, out, _ = await cli(bus_address, "jobs")
    assert out.startswith("ID ")
