# SPDX-License-Identifier: LGPL-2.1-or-later
"""Installed packages are read by a process of their own, once for all callers."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from dockmgrd.errors import Internal
from dockmgrd.host import installed_packages, rpmdb
from dockmgrd.host.installed_packages import InstalledPackages, query_versions


def _use_program(monkeypatch: pytest.MonkeyPatch, source: str) -> None:
    monkeypatch.setattr(installed_packages, "_COMMAND", (sys.executable, "-c", source))


async def test_a_machine_without_docker_has_none_of_its_packages() -> None:
    pytest.importorskip("rpm")
    assert await query_versions() == rpmdb.installed_versions() == {}


@pytest.mark.parametrize(
    "source", ["1 / 0", "raise SystemExit(3)", "import os; os.kill(os.getpid(), 9)"]
)
async def test_a_program_that_fails_is_an_error(
    monkeypatch: pytest.MonkeyPatch, source: str
) -> None:
    _use_program(monkeypatch, source)
    with pytest.raises(Internal, match="without an answer"):
        await query_versions()


async def test_after_a_failure_the_next_caller_tries_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    packages = InstalledPackages()
    _use_program(monkeypatch, "1 / 0")
    with pytest.raises(Internal):
        await packages.versions()
    _use_program(monkeypatch, """print('{"docker-ce": "28.0.0-1"}')""")
    assert await packages.versions() == {"docker-ce": "28.0.0-1"}


async def test_the_database_is_read_once_until_it_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads = 0

    async def query() -> Mapping[str, str]:
        nonlocal reads
        reads += 1
        await asyncio.sleep(0)
        return {"docker-ce": str(reads)}

    monkeypatch.setattr(installed_packages, "_FOLDERS", (tmp_path,))
    monkeypatch.setattr(installed_packages, "query_versions", query)
    (tmp_path / "rpmdb.sqlite").touch()
    packages = InstalledPackages()
    answers = await asyncio.gather(*(packages.versions() for _ in range(5)))
    assert answers == [{"docker-ce": "1"}] * 5
    assert await packages.versions() == {"docker-ce": "1"}
    (tmp_path / "rpmdb.sqlite").write_text("changed")
    assert await packages.versions() == {"docker-ce": "2"}


async def test_a_database_in_another_place_is_read_each_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(installed_packages, "_FOLDERS", (tmp_path / "none",))
    packages = InstalledPackages()
    for version in ("1", "2"):
        _use_program(monkeypatch, f"""print('{{"docker-ce": "{version}"}}')""")
        assert await packages.versions() == {"docker-ce": version}
