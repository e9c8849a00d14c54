# SPDX-License-Identifier: LGPL-2.1-or-later
"""A child that is thrown away: its answer comes back, and nothing else of it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from dockmgrd.catalog.sources import Sources
from dockmgrd.errors import Internal
from dockmgrd.host.forked import in_child


async def test_the_answer_is_the_childs() -> None:
    answer = await in_child(lambda: {"pid": os.getpid(), "text": "ä" * 100_000})
    assert answer["pid"] != os.getpid()
    assert answer["text"] == "ä" * 100_000
    with pytest.raises(ProcessLookupError):
        os.kill(answer["pid"], 0)


async def test_what_the_child_loads_stays_there() -> None:
    assert await in_child(lambda: __import__("this", fromlist=["s"]).__name__) == "this"
    assert "this" not in sys.modules


async def test_a_child_that_fails_is_an_error(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(Internal, match="without an answer"):
        await in_child(lambda: 1 / 0)
    assert "ZeroDivisionError" in capfd.readouterr().err


def test_sources_follow_the_admins_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dockmgrd.paths.ADMIN_SOURCES", tmp_path)
    sources = Sources()
    first = sources.current()
    assert "official" in first.sources
    assert sources.current() is first
    (tmp_path / "own.yaml").write_text("sources: {own: {prefix: https://own.example/docker-ce}}\n")
    changed = sources.current()
    assert changed is not first
    (tmp_path / "own.yaml").unlink()
    assert sources.current() is not changed
