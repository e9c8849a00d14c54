# SPDX-License-Identifier: LGPL-2.1-or-later
"""The summary of `dockmgrctl status`, with and without colors."""

from __future__ import annotations

import io

import pytest

from dockmgrd.cli.view import status as glance
from dockmgrd.cli.view.terminal import Mark, Paint, choose_paint
from dockmgrd.cli.view.text import cells
from unit.cli_service import STATUS

_STATUS_IN_A_PIPE = """\
● Docker Engine 28.5.1 is running.
   Service: active
   Mirrors: ● https://one.example/ (in use)
            × https://two.example/ (not in use)
Registries: ghcr.io: https://one.example/
            quay.io: as /etc/docker/certs.d/quay.io/hosts.toml says
    Source: aliyun (/etc/yum.repos.d/docker-ce.repo)
  Packages: containerd.io 1.7.28-1.el9
            docker-ce     3:28.5.1-1.el9
  Platform: AlmaLinux 9.6 (x86_64)
   Problem: × The running engine uses other registry mirrors than daemon.json names.
    Remedy: Reload the engine's configuration.
            systemctl reload docker"""

_STATUS_AT_40 = """\
● Docker Engine 28.5.1 is running.
   Service: active
   Mirrors: ● https://one.example/ (in
              use)
            × https://two.example/ (not
              in use)
Registries: ghcr.io:
            https://one.example/
            quay.io: as
            /etc/docker/certs.d/quay.io/hosts.toml
            says
    Source: aliyun
            (/etc/yum.repos.d/docker-ce.repo)
  Packages: containerd.io 1.7.28-1.el9
            docker-ce     3:28.5.1-1.el9
  Platform: AlmaLinux 9.6 (x86_64)
   Problem: × The running engine uses
              other registry mirrors
              than daemon.json names.
    Remedy: Reload the engine's
            configuration.
            systemctl reload docker"""


@pytest.mark.parametrize("width", [None, 200])
def test_status(width: int | None) -> None:
    assert "\n".join(glance.format_status(STATUS, width)) == _STATUS_IN_A_PIPE


def test_status_on_a_narrow_terminal() -> None:
    assert "\n".join(glance.format_status(STATUS, 40)) == _STATUS_AT_40


def test_status_of_an_engine_that_does_not_run() -> None:
    answer = {
        "installed": True,
        "service-state": "inactive",
        "mirrors-configured": ["https://a/"],
        "active-job": "/org/dockmgr1/job/20260131T120000_3fa2b1",
        "problems": [{"text": "No remedy is known.", "remedy": ""}],
    }
    assert glance.format_status(answer, None) == [
        "○ Docker Engine is installed, but not running (inactive).",
        "   Service: inactive",
        "   Mirrors: ○ https://a/ (in use after the next start)",
        "       Job: 20260131T120000_3fa2b1",
        "   Problem: × No remedy is known.",
    ]


@pytest.mark.parametrize(
    ("state", "mark"), [("active", "●"), ("inactive", "○"), ("failed", "×"), ("", "○")]
)
def test_state_is_a_symbol_and_a_word(state: str, mark: str) -> None:
    first, *_ = glance.format_status({"installed": True, "service-state": state}, None)
    assert first.startswith(f"{mark} ")
    assert (state in first) or state == "active"


def test_mirrors_that_nobody_configured() -> None:
    lines = glance.format_status(
        {"service-state": "active", "mirrors-active": ["https://a/"]}, None
    )
    assert "   Mirrors: × https://a/ (in use, but not configured)" in lines


def test_colours_change_nothing_but_the_colour() -> None:
    painted = glance.format_status(STATUS, 80, Paint(colored=True))
    assert painted[0] == "\x1b[1;34m●\x1b[0m \x1b[1mDocker Engine 28.5.1 is running.\x1b[0m"
    for code in ("\x1b[1;34m", "\x1b[1;33m", "\x1b[1m", "\x1b[0m"):
        painted = [line.replace(code, "") for line in painted]
    assert painted == glance.format_status(STATUS, 80)
    assert max(map(cells, painted)) <= 80


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


def test_colours_are_for_terminals_that_want_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    assert choose_paint(Terminal()).colored
    assert not choose_paint(io.StringIO()).colored
    monkeypatch.setenv("TERM", "dumb")
    assert not choose_paint(Terminal()).colored
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("NO_COLOR", "")
    assert choose_paint(Terminal()).colored
    monkeypatch.setenv("NO_COLOR", "1")
    assert not choose_paint(Terminal()).colored


def test_symbols_where_only_ascii_can_be_written() -> None:
    assert [Paint(symbols=False).format_mark(each) for each in Mark] == ["*", "o", "x"]
    assert not choose_paint(io.TextIOWrapper(io.BytesIO(), encoding="ascii")).symbols
