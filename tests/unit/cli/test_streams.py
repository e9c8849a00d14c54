# SPDX-License-Identifier: LGPL-2.1-or-later
"""Hostile text in the output, and streams that cannot be written."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys

import pytest

from dockmgrd import errors
from unit.cli_service import (
    CHECKOUT,
    STATUS,
    Host,
    cli,
    run_job,
    serving,
    start_cli,
)


async def test_argument_that_is_no_text(bus_address: str) -> None:
    process = await start_cli(bus_address, "install", "--source", "\udcff")
    _, err = await process.communicate()
    assert process.returncode == errors.InvalidArgs.exit_code
    assert b"UTF-8" in err


async def test_hostile_text_is_made_harmless(bus_address: str) -> None:
    hostile = "a\x1b]0;owned\x07\x1b[2Jb\ndockmgrctl: lie\r\u202ed\x9b31m"
    ends = {"state": "failed", "ErrorName": errors.Busy.dbus_name, "ErrorMessage": hostile}
    host = Host()
    code, out, err = await run_job(bus_address, "install", ends=ends, host=host)
    assert (code, out) == (10, "")
    *lines, end = err.split("\n")
    assert (len(lines), end) == (2, "")
    assert all(line.isprintable() for line in lines)
    async with serving(host, bus_address):
        _, out, _ = await cli(bus_address, "follow", "001", "--json")
        assert json.loads(out)["error"]["message"] == hostile
        assert out.isascii()
        assert out.rstrip("\n").isprintable()
        _, out, _ = await cli(bus_address, "jobs")
        assert all(line.isprintable() for line in out.splitlines())


async def test_hostile_argument_is_made_harmless(bus_address: str) -> None:
    async with serving(Host(), bus_address):
        for arguments in (["follow", "\x1b[2J"], ["\x1b[2J"], ["status", "--\x1b[2J"]):
            _, _, err = await cli(bus_address, *arguments)
            assert all(line.isprintable() for line in err.splitlines())


@pytest.mark.parametrize(
    ("shell", "code", "err"),
    [
        ("jobs | true", 128 + signal.SIGPIPE, ""),
        ("status >&-", 0, ""),
        ("status <&- >/dev/null", 0, ""),
        ("-q uninstall --dry-run --json=off --nonsense <&- 2>/dev/null", 2, ""),
        ("nonsense 2>&-", 2, ""),
        ("--json nonsense 2>&- >&-", 2, ""),
        (
            "status > /dev/full",
            1,
            (
                "dockmgrctl: The answer cannot be written: No space left on device. "
                "The request itself is done.\n"
            ),
        ),
    ],
)
async def test_streams_that_take_nothing(bus_address: str, shell: str, code: int, err: str) -> None:
    host = Host()
    host.jobs["1"] = {**host.jobs[host.add_job()], "Message": "x" * 100_000}
    async with serving(host, bus_address):
        process = await asyncio.create_subprocess_exec(
            *("bash", "-c", f"set -o pipefail; {sys.executable} -m dockmgrd.cli {shell}"),
            cwd=CHECKOUT,
            env={**os.environ, "DBUS_SYSTEM_BUS_ADDRESS": bus_address},
            stderr=asyncio.subprocess.PIPE,
        )
        _, complaint = await process.communicate()
    assert (process.returncode, complaint.decode()) == (code, err)


async def test_locale_that_knows_few_characters(bus_address: str) -> None:
    host = Host(status={**STATUS, "platform": "引擎"})
    async with serving(host, bus_address):
        process = await start_cli(
            bus_address, "status", env_more={"PYTHONIOENCODING": "ascii:strict"}
        )
        out, err = await process.communicate()
    assert (process.returncode, err) == (0, b"")
    assert b"Platform: ??" in out


@pytest.mark.skipif("coverage" in sys.modules, reason="coverage itself loads such libraries")
async def test_help_needs_no_bus_library() -> None:
    process = await start_cli("", "--help", env_more={"PYTHONPROFILEIMPORTTIME": "1"})
    _, err = await process.communicate()
    assert process.returncode == 0
    modules = {line.split("|")[-1].strip() for line in err.decode().splitlines()}
    assert "argparse" in modules
    assert not modules & {"asyncio", "dbus_next", "json", "logging"}
    assert not [name for name in modules if name.startswith(("dockmgrd.bus", "dockmgrd.options"))]
