# SPDX-License-Identifier: LGPL-2.1-or-later
"""The help that was written when the package was built: what dockmgrctl says, and quicker."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from dockmgrd.cli import prepared
from man import help as pages

CHECKOUT = Path(__file__).resolve().parents[3]
HEAVY = {"argparse", "typing", "re", "enum", "collections", "dataclasses", "json", "signal"}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, text in pages.texts().items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    monkeypatch.setattr(prepared, "FOLDER", str(tmp_path))
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def proper(*arguments: str) -> str:
    """What dockmgrctl proper prints."""
    command = [sys.executable, "-m", "dockmgrd.cli", *arguments]
    environment = {**os.environ, "LC_ALL": "C.UTF-8"}
    done = subprocess.run(
        command, cwd=CHECKOUT, env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["-h"], ["help"], ["install", "--help"], ["-h", "jobs"], ["help", "set-mirror"]],
)
def test_it_is_what_dockmgrctl_says(
    arguments: Sequence[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert prepared.answer(arguments)
    assert capsys.readouterr().out == proper(*arguments)


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["status"],
        ["--help", "--help"],
        ["help", "help", "help"],
        ["nonsense", "--help"],
        ["../help/overview", "--help"],
        ["--json", "--help"],
        ["help", ""],
    ],
)
def test_anything_else_is_for_dockmgrctl_proper(
    arguments: Sequence[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert not prepared.answer(arguments)
    assert not capsys.readouterr().out


@pytest.mark.usefixtures("folder")
def test_other_languages_are_for_dockmgrctl_proper(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANG", "zh_CN.UTF-8")
    assert not prepared.answer(["--help"])


def test_where_nothing_was_prepared(folder: Path) -> None:
    (folder / "jobs").unlink()
    assert not prepared.answer(["jobs", "--help"])


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("columns", "lines", "fits"), [(80, 100, True), (79, 100, False), (80, 9, False)]
)
def test_a_terminal_has_room_for_it(
    columns: int, lines: int, *, fits: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "isatty", lambda _: True)
    monkeypatch.setattr(os, "get_terminal_size", lambda _: os.terminal_size((columns, lines)))
    assert prepared.answer(["help"]) is fits


def test_hardly_anything_is_imported() -> None:
    script = (
        "import sys; before = set(sys.modules); from dockmgrd.cli import prepared; "
        "prepared.answer(['--help']); print(*sorted(set(sys.modules) - before))"
    )
    done = subprocess.run(
        [sys.executable, "-ISc", f"import sys; sys.path.insert(0, {str(CHECKOUT)!r}); {script}"],
        capture_output=True,
        text=True,
        check=True,
    )
    imported = set(done.stdout.split())
    assert {"dockmgrd.cli.prepared", "dockmgrd.cli.i18n.locales"} <= imported
    assert not imported & HEAVY
