# SPDX-License-Identifier: LGPL-2.1-or-later
"""Installed packages are read by a process of their own, once for all callers."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from dockmgrd.errors import TransactionFailed
from dockmgrd.host import installed_packages, rpmdb
from dockmgrd.host.installed_packages import InstalledPackages, query_versions


def _use_program(monkeypatch: pytest.MonkeyPatch, source: str) -> None:
    monkeypatch.setattr(installed_packages, "_COMMAND", (sys.executable, "-c", source))


async def test_a_machine_without_docker_has_none_of_its_packages() -> None:
    pytest.importorskip("rpm")
    assert await query_versions() == rpmdb.installed_versions() == {}


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("raise SystemExit('could not open the database')", "could not open the database"),
        ("raise SystemExit(3)", "exit status 3"),
        ("import os; os.kill(os.getpid(), 9)", "exit status -9"),
    ],
)
async def test_a_program_that_fails_is_an_error(
    monkeypatch: pytest.MonkeyPatch, source: str, reason: str
) -> None:
    _use_program(monkeypatch, source)
    with pytest.raises(TransactionFailed) as caught:
        await query_versions()
    assert caught.value.text.args["reason"] == reason


async def test_a_damaged_database_is_a_problem_until_it_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(installed_packages, "_DATABASE", (tmp_path / "rpmdb.sqlite",))
    database = tmp_path / "rpmdb.sqlite"
    database.touch()
    packages = InstalledPackages()
    _use_program(monkeypatch, """print('{"docker-ce": "28.0.0-1"}')""")
    assert await packages.versions() == {"docker-ce": "28.0.0-1"}
    assert not packages.problem
    database.write_text("damaged")
    _use_program(monkeypatch, "raise SystemExit('damaged')")
    assert await packages.versions() == {"docker-ce": "28.0.0-1"}, "what was read last"
    assert "cannot be read: damaged." in str(packages.problem)
    _use_program(monkeypatch, "print('{}')")
    assert await packages.versions() == {"docker-ce": "28.0.0-1"}, "it is not read again and again"
    database.write_text("repaired again")
    assert await packages.versions() == {}
    assert not packages.problem


async def test_the_database_is_read_once_until_it_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads = 0

    async def query() -> Mapping[str, str]:
        nonlocal reads
        reads += 1
        await asyncio.sleep(0)
        return {"docker-ce": str(reads)}

    monkeypatch.setattr(installed_packages, "_DATABASE", (tmp_path / "rpmdb.sqlite",))
    monkeypatch.setattr(installed_packages, "query_versions", query)
    (tmp_path / "rpmdb.sqlite").touch()
    packages = InstalledPackages()
    answers = await asyncio.gather(*(packages.versions() for _ in range(5)))
    assert answers == [{"docker-ce": "1"}] * 5
    assert await packages.versions() == {"docker-ce": "1"}
    (tmp_path / "rpmdb.sqlite").write_text("changed")
    assert await packages.versions() == {"docker-ce": "2"}


async def test_a_change_while_the_database_is_read_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = tmp_path / "rpmdb.sqlite"
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def query() -> Mapping[str, str]:
        version = database.read_text()
        begun.set()
        await go_on.wait()
        return {"docker-ce": version}

    monkeypatch.setattr(installed_packages, "_DATABASE", (database,))
    monkeypatch.setattr(installed_packages, "query_versions", query)
    database.write_text("1")
    packages = InstalledPackages()
    earlier = asyncio.ensure_future(packages.versions())
    await begun.wait()
    database.write_text("10")
    later = asyncio.ensure_future(packages.versions())
    await asyncio.sleep(0)
    go_on.set()
    assert await later == {"docker-ce": "10"}
    await earlier


async def test_a_database_in_another_place_is_read_each_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(installed_packages, "_DATABASE", (tmp_path / "none",))
    packages = InstalledPackages()
    for version in ("1", "2"):
        _use_program(monkeypatch, f"""print('{{"docker-ce": "{version}"}}')""")
        assert await packages.versions() == {"docker-ce": version}
