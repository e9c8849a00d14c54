# SPDX-License-Identifier: LGPL-2.1-or-later
"""Answers and progress as they look, on terminals of several widths and in a pipe."""

from __future__ import annotations

import time
from typing import Any

import pytest

from dockmgrd.cli.service.jobs import JobRecord
from dockmgrd.cli.view import render
from dockmgrd.cli.view import status as glance
from dockmgrd.cli.view.text import cells, harmless, shortened, size, table, wrapped


@pytest.fixture(autouse=True)
def _utc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "localtime", time.gmtime)


def job(**properties: Any) -> JobRecord:
    return JobRecord.from_properties({"Kind": "install", "State": "done", **properties})


@pytest.mark.parametrize(
    ("width", "lines"),
    [
        (
            None,
            [
                "ID          KIND     STATE   WHEN                 WHO   MESSAGE",
                (
                    "20260131T1  install  failed  1970-01-01 00:00:01  root  "
                    "There is no space left on /var; free some."
                ),
            ],
        ),
        (
            40,
            [
                "ID          KIND     STATE   WHEN      …",
                "20260131T1  install  failed  1970-01-01…",
            ],
        ),
        (
            80,
            [
                "ID          KIND     STATE   WHEN                 WHO   MESSAGE",
                "20260131T1  install  failed  1970-01-01 00:00:01  root  There is no space left …",
            ],
        ),
    ],
)
def test_jobs(width: int | None, lines: list[str]) -> None:
    record = job(
        Id="20260131T1",
        State="failed",
        CreatedAt=1_000_000,
        ErrorMessage="There is no space left on /var; free some.",
    )
    assert render.jobs([record], width) == lines


def test_no_jobs() -> None:
    assert render.jobs([], None) == ["No jobs yet."]


@pytest.mark.parametrize(
    ("kind", "result", "lines"),
    [
        ("install", {"changed": False}, ["Nothing to do: all was so already."]),
        (
            "install",
            {
                "changed": True,
                "installed": ["a-1", "b-2"],
                "upgraded": [],
                "removed": ["podman-docker-5"],
                "download-bytes": 104_857_600,
                "notes": ["epel could not be reached."],
            },
            [
                "The Docker Engine is installed.",
                " installed: a-1",
                "            b-2",
                "   removed: podman-docker-5",
                "downloaded: 105 MB",
                "      note: epel could not be reached.",
            ],
        ),
        (
            "set-mirror",
            {"changed": True, "mirrors": ["https://a/", "https://b/"]},
            [
                "The registry mirrors are set.",
                "   mirrors: https://a/",
                "            https://b/",
            ],
        ),
        ("set-mirror", {"mirrors": []}, ["No registry mirrors are set any more."]),
        (
            "uninstall",
            {"freed-bytes": 1234},
            ["The Docker Engine is removed.", "     freed: 1.2 kB"],
        ),
        ("of-the-future", {}, ["Job 1 is done."]),
    ],
)
def test_summary(kind: str, result: dict[str, Any], lines: list[str]) -> None:
    assert render.summary(job(Id="1", Kind=kind, Result=result), None) == lines


_HOSTILE = "a\x1b]0;owned\x07\x1b[2Jb\nc\r\u202ed\x9b31m\x00\u2028\x7f"


PLAN: dict[str, Any] = {
    "dry-run": True,
    "changed": True,
    "install": [
        {"package": "containerd.io-2.1.5", "repository": "docker-ce-stable", "download-bytes": 34e6}
    ],
    "upgrade": [{"package": "tar-2", "replaces": "tar-1", "repository": "base"}],
    "remove": [{"package": "runc-4:1.2.4", "reason": "containerd.io replaces it"}],
    "download-bytes": 34_000_000,
    "disk-bytes": -5_000_000,
    "diff": "--- /dev/null\n+++ /etc/x\n@@ -0,0 +1 @@\n+\x1b[2J\n",
    "actions": ["start docker.service"],
    "stops": ["web"],
    "deletes": ["/var/lib/docker"],
    "volumes": ["data"],
    "notes": ["Docker is restarted; no container runs."],
    "digest": "1a2b",
    "source": "ustc",
    "tried": [{"source": "tuna", "message": "It is down."}],
}


def test_plan() -> None:
    assert render.summary(job(Result=PLAN), None) == [
        "This would be done:",
        "ACTION   PACKAGE              SIZE     FROM, OR WHY",
        "install  containerd.io-2.1.5  34.0 MB  docker-ce-stable",
        "upgrade  tar-2                         base, in place of tar-1",
        "remove   runc-4:1.2.4                  containerd.io replaces it",
        "To download: 34.0 MB.",
        "On the disk: 5.0 MB freed.",
        "--- /dev/null",
        "+++ /etc/x",
        "@@ -0,0 +1 @@",
        "+\N{REPLACEMENT CHARACTER}[2J",
        "then: start docker.service",
        "stops container: web",
        "deletes: /var/lib/docker",
        "deletes volume: data",
        "note: Docker is restarted; no container runs.",
        "digest: 1a2b",
        "    source: ustc",
        "passed over: tuna: It is down.",
    ]


def test_plan_on_a_narrow_terminal_is_not_cut() -> None:
    lines = render.summary(job(Result=PLAN), 40)
    assert lines[1:8] == [
        "ACTION   PACKAGE",
        "         SIZE  FROM, OR WHY",
        "install  containerd.io-2.1.5",
        "         34.0 MB  docker-ce-stable",
        "upgrade  tar-2",
        "         base, in place of tar-1",
        "remove   runc-4:1.2.4",
    ]
    assert lines[8] == "         containerd.io replaces it"
    assert max(map(cells, lines)) <= 40


def test_a_column_of_nothing_gives_its_room_away() -> None:
    row = {"package": "docker-ce-3:28.5.1-1.el9.x86_64", "reason": "it is to be removed"}
    plan = {"changed": True, "remove": [row], "digest": "1"}
    at_80, at_60, at_59 = (render.summary(job(Result=plan), width)[1:] for width in (80, 60, 59))
    assert at_80[0] == "ACTION  PACKAGE                          SIZE  FROM, OR WHY"
    assert at_60[0] == "ACTION  PACKAGE                          FROM, OR WHY"
    assert at_59[:4] == [
        "ACTION  PACKAGE",
        "        FROM, OR WHY",
        "remove  docker-ce-3:28.5.1-1.el9.x86_64",
        "        it is to be removed",
    ]


def test_versions() -> None:
    rows = [
        {"version": "28.5.1", "built": "2025-10-08", "size": 41_000_000, "installed": False},
        {"version": "27.0.1", "built": "", "size": 0, "installed": True},
    ]
    assert render.summary(job(Kind="versions", Result={"versions": rows}), None) == [
        "VERSION  BUILT       SIZE",
        "28.5.1   2025-10-08  41.0 MB",
        "27.0.1                        installed",
    ]
    nothing = render.summary(job(Kind="versions", Result={"versions": []}), None)
    assert nothing == ["The source has no version for this host."]


def test_nothing_received_can_steer_the_terminal() -> None:
    status = {
        "installed": True,
        "packages": {_HOSTILE: _HOSTILE},
        "mirrors-active": [_HOSTILE],
        "problems": [{"text": _HOSTILE, "remedy": _HOSTILE}],
        **dict.fromkeys(("source", "service-state", "engine-version", "platform"), _HOSTILE),
        **dict.fromkeys(("repository-file", "active-job"), _HOSTILE),
    }
    record = job(
        **dict.fromkeys(("Id", "Kind", "State", "Message", "ErrorMessage"), _HOSTILE),
        Result={
            **{key: [_HOSTILE] for key in ("installed", "removed", "mirrors", "notes")},
            "changed": True,
        },
    )
    source = dict.fromkeys(("name", "title", "region", "prefix"), _HOSTILE)
    for width in (None, 40):
        lines = glance.lines(status, width) + render.jobs([record], width)
        lines += render.summary(record, width) + render.sources([source], width)
        assert all(line.isprintable() for line in lines)


def test_harmless_keeps_what_people_write() -> None:
    assert harmless("é 安装 Docker「引擎」\u3000…") == "é 安装 Docker「引擎」 …"
    assert harmless("two\nlines\tand") == "two lines and"


def test_text_is_measured_in_columns() -> None:
    assert cells("安装e\u0301") == 5
    assert shortened("安装 Docker", 5) == "安装…"
    assert shortened("安装 Docker", 4) == "安…"
    assert shortened("abc", 3) == "abc"
    assert shortened("abc", 0) == ""
    assert wrapped("安装 Docker 引擎", 11) == ["安装 Docker", "引擎"]
    assert table(["A", "B"], [["安装", "x"], ["é", "y"]], None) == ["A     B", "安装  x", "é     y"]


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (99_400, "99.4 kB"),
        (99_960, "100 kB"),
        (999_600, "1.0 MB"),
        (10**16, "10000 TB"),
    ],
)
def test_size(count: int, text: str) -> None:
    assert size(count) == text
