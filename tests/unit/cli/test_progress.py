# SPDX-License-Identifier: LGPL-2.1-or-later
"""The display of progress, on terminals of several widths and in a pipe."""

from __future__ import annotations

import io
import json
import re
from typing import Any

import pytest

from dockmgrd.cli.service.jobs import JobRecord
from dockmgrd.cli.view import progress
from dockmgrd.cli.view.progress import BarProgress, PlainProgress, Progress, choose_progress
from dockmgrd.cli.view.text import cells
from unit.cli_service import untimed


class Terminal(io.StringIO):
    """A terminal that knows its width, and what is to be seen on it."""

    def __init__(self, width: int, encoding: str = "utf-8") -> None:
        super().__init__()
        self.width = width
        self._encoding = encoding

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self._encoding

    def isatty(self) -> bool:
        return True

    def screen(self) -> list[str]:
        lines = []
        for line in self.getvalue().split("\n"):
            *_, last = line.split("\r")
            assert last.endswith("\x1b[K") or not last
            lines.append(last[:-3])
        assert all(cells(line) < self.width for line in lines)
        return lines


@pytest.fixture
def show(monkeypatch: pytest.MonkeyPatch) -> Any:
    def run(progress_of: type[Progress], width: int, encoding: str = "utf-8") -> Terminal:
        terminal = Terminal(width, encoding)
        monkeypatch.setattr(progress, "get_columns", lambda stream: stream.width)
        shown = progress_of(terminal)  # type: ignore[call-arg]
        shown.show("preparing", 0.0, "")
        shown.show("downloading", 0.25, "docker-ce-3:28.5.1-1.el9.x86_64")
        shown.show("preparing", 0.1, "old news")
        shown.show(
            "downloading", 0.5, "containerd.io-1.7.28-1.el9.x86_64 下载 of Docker's repository"
        )
        return terminal

    return run


@pytest.mark.parametrize(
    ("width", "line"),
    [
        (40, "downloading  ███░░░  50%  containerd.i…"),
        (
            80,
            ("downloading  ███████████░░░░░░░░░░░  50%  containerd.io-1.7.28-1.el9.x86_64 下…"),
        ),
        (
            200,
            (
                "downloading  ████████████████████░░░░░░░░░░░░░░░░░░░░  50%  "
                "containerd.io-1.7.28-1.el9.x86_64 下载 of Docker's repository"
            ),
        ),
    ],
)
def test_bar(show: Any, width: int, line: str) -> None:
    assert show(BarProgress, width).screen() == ["preparing    done", line]


def test_bar_where_no_blocks_can_be_written(show: Any) -> None:
    assert "###---  50%" in show(BarProgress, 40, "ascii").screen()[1]


@pytest.mark.parametrize("width", [1, 2, 5, 13, 20])
def test_bar_on_a_narrow_terminal(show: Any, width: int) -> None:
    assert len(show(BarProgress, width).screen()) == 2


@pytest.mark.parametrize("outcome", ["done", "failed", "cancelled", "interrupted"])
def test_end_of_the_last_stage(outcome: str) -> None:
    terminal = Terminal(80)
    shown = BarProgress(terminal)
    shown.show("installing", 0.5, "")
    shown.show("finished", 0.5, "")
    shown.end(outcome)
    assert terminal.screen() == [f"installing   {outcome}", ""]


def test_progress_in_a_pipe_is_a_line_per_stage() -> None:
    stream = io.StringIO()
    shown = PlainProgress(stream)
    shown.show("downloading", 0.1, "first\x1b[31m")
    shown.show("downloading", 0.2, "second")
    shown.show("checking", 0.2, "")
    shown.show("downloading", 0.2, "again")
    shown.show("checking", float("nan"), "")
    shown.end("failed")
    assert (
        untimed(stream.getvalue()) == "downloading: first\N{REPLACEMENT CHARACTER}[31m\nchecking\n"
    )


def test_choice_of_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    assert type(choose_progress(Terminal(80), quiet=False)) is BarProgress
    assert type(choose_progress(io.StringIO(), quiet=False)) is PlainProgress
    assert type(choose_progress(Terminal(80), quiet=True)) is Progress
    monkeypatch.setenv("TERM", "dumb")
    assert type(choose_progress(Terminal(80), quiet=False)) is PlainProgress


def test_progress_whose_reader_has_gone() -> None:
    class Broken(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    shown = PlainProgress(Broken())
    shown.show("downloading", 0.1, "")
    shown.end("done")


def test_progress_as_json_is_a_line_whenever_the_job_has_moved() -> None:
    stream = io.StringIO()
    shown = choose_progress(stream, quiet=False, as_json=True)
    for state, stage in (("running", "a"), ("running", "a"), ("done", "finished")):
        properties = {"Id": "1", "Kind": "install", "State": state, "Stage": stage}
        shown.update(JobRecord.from_properties({**properties, "Progress": 0.5}))
    shown.end("done")
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [(each["stage"], each["state"]) for each in lines] == [
        ("a", "running"),
        ("finished", "done"),
    ]
    assert lines[0] == {
        "job": "1",
        "kind": "install",
        "state": "running",
        "stage": "a",
        "progress": 0.5,
        "message": "",
    }


def test_plain_progress_has_its_time_and_its_host() -> None:
    stream = io.StringIO()
    shown = PlainProgress(stream, "web1")
    shown.show("downloading", 0.1, "1 of 6")
    assert re.fullmatch(
        r"web1: \d{4}-\d\d-\d\d \d\d:\d\d:\d\d downloading: 1 of 6\n", stream.getvalue()
    )


def test_a_line_that_has_become_too_long_is_drawn_again(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal(80)
    monkeypatch.setattr(progress, "get_columns", lambda stream: stream.width)
    shown = BarProgress(terminal)
    shown.redraw()
    assert not terminal.getvalue(), "there is nothing yet"
    shown.show("downloading", 0.5, "containerd.io-1.7.28-1.el9.x86_64 of a repository")
    terminal.width = 30
    shown.redraw()
    *_, drawn = terminal.getvalue().split("\x1b[2A\r\x1b[J\r")
    assert drawn.startswith("downloading  ███░░░  50%")
    assert cells(drawn) < 30 + len("\x1b[K")
