# SPDX-License-Identifier: LGPL-2.1-or-later
"""The display of results and progress, on terminals of several widths and in a pipe."""

from __future__ import annotations

import re
import time
from ast import literal_eval
from pathlib import Path
from typing import Any

import pytest

from dockmgrd.cli.i18n import translation
from dockmgrd.cli.service.jobs import JobRecord
from dockmgrd.cli.view import render, tables
from dockmgrd.cli.view import status as glance
from dockmgrd.cli.view.plan import format_plan
from dockmgrd.cli.view.text import cells, format_size, format_table, harmless, shorten, wrap
from unit.catalogues import compile_into


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
                "ID          KIND     STATE   WHEN              USER",
                "20260131T1  install  failed  1970-01-01 00:00  root",
                "            There is no space left on /var; free some.",
            ],
        ),
        (
            40,
            [
                "ID          KIND     STATE   WHEN      …",
                "20260131T1  install  failed  1970-01-01…",
                "            There is no space left on",
                "            /var; free some.",
            ],
        ),
        (
            80,
            [
                "ID          KIND     STATE   WHEN              USER",
                "20260131T1  install  failed  1970-01-01 00:00  root",
                "            There is no space left on /var; free some.",
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
    assert render.format_jobs([record], width) == lines


def test_no_jobs() -> None:
    assert render.format_jobs([], None) == ["No jobs yet."]


@pytest.mark.parametrize(
    ("kind", "result", "lines"),
    [
        ("install", {"changed": False}, ["Nothing to do."]),
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
                "Docker Engine is installed.",
                " Installed: a-1",
                "            b-2",
                "   Removed: podman-docker-5",
                "Downloaded: 105 MB",
                "      Note: epel could not be reached.",
            ],
        ),
        (
            "set-mirror",
            {"changed": True, "mirrors": ["https://a/", "https://b/"]},
            [
                "The registry mirrors are set.",
                "   Mirrors: https://a/",
                "            https://b/",
            ],
        ),
        ("set-mirror", {"mirrors": []}, ["All mirrors are removed."]),
        (
            "uninstall",
            {"freed-bytes": 1234},
            ["Docker Engine is removed.", "     Freed: 1.2 kB"],
        ),
        ("of-the-future", {}, ["Job 1 is done."]),
    ],
)
def test_summary(kind: str, result: dict[str, Any], lines: list[str]) -> None:
    assert render.format_result(job(Id="1", Kind=kind, Result=result), None) == lines


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
    assert render.format_result(job(Result=PLAN), None) == [
        "Plan:",
        "ACTION   PACKAGE              SIZE     REPOSITORY / REASON",
        "install  containerd.io-2.1.5  34.0 MB  docker-ce-stable",
        "upgrade  tar-2                         base, in place of tar-1",
        "remove   runc-4:1.2.4                  containerd.io replaces it",
        "Download: 34.0 MB",
        "Disk space: 5.0 MB freed",
        "--- /dev/null",
        "+++ /etc/x",
        "@@ -0,0 +1 @@",
        "+\N{REPLACEMENT CHARACTER}[2J",
        "Then:",
        "  start docker.service",
        "Stops the containers:",
        "  web",
        "Deletes:",
        "  /var/lib/docker",
        "Deletes the volumes:",
        "  data",
        "Notes:",
        "  Docker is restarted; no container runs.",
        "Digest: 1a2b",
        "    Source: ustc",
        "  Not used: tuna: It is down.",
    ]


def test_plan_on_a_narrow_terminal_is_not_cut() -> None:
    lines = render.format_result(job(Result=PLAN), 40)
    assert lines[1:8] == [
        "ACTION   PACKAGE",
        "         SIZE  REPOSITORY / REASON",
        "install  containerd.io-2.1.5",
        "         34.0 MB  docker-ce-stable",
        "upgrade  tar-2",
        "         base, in place of tar-1",
        "remove   runc-4:1.2.4",
    ]
    assert lines[8] == "         containerd.io replaces it"
    assert max(map(cells, lines)) <= 40


def test_a_column_of_nothing_gives_its_room_away() -> None:
    row = {"package": "docker-ce-3:28.5.1-1.el9.x86_64", "reason": "requested"}
    plan = {"dry-run": True, "changed": True, "remove": [row], "digest": "1"}
    at_80, at_60, at_59 = (
        render.format_result(job(Result=plan), width)[1:] for width in (80, 60, 59)
    )
    assert at_80[0] == "ACTION  PACKAGE                          SIZE  REPOSITORY / REASON"
    assert at_60[0] == "ACTION  PACKAGE                          REPOSITORY / REASON"
    assert at_59[:4] == [
        "ACTION  PACKAGE",
        "        REPOSITORY / REASON",
        "remove  docker-ce-3:28.5.1-1.el9.x86_64",
        "        requested",
    ]


def test_versions() -> None:
    rows = [
        {"version": "28.5.1", "built": "2025-10-08", "size": 41_000_000, "installed": False},
        {"version": "27.0.1", "built": "", "size": 0, "installed": True},
    ]
    assert render.format_result(job(Kind="versions", Result={"versions": rows}), None) == [
        "VERSION  BUILT       SIZE",
        "28.5.1   2025-10-08  41.0 MB",
        "27.0.1                        installed",
    ]
    nothing = render.format_result(job(Kind="versions", Result={"versions": []}), None)
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
        lines = glance.format_status(status, width) + render.format_jobs([record], width)
        lines += render.format_result(record, width) + tables.format_sources([source], width)
        assert all(line.isprintable() for line in lines)


def test_harmless_keeps_what_people_write() -> None:
    assert harmless("é 安装 Docker「引擎」\u3000…") == "é 安装 Docker「引擎」 …"
    assert harmless("two\nlines\tand") == "two lines and"


def test_text_is_measured_in_columns() -> None:
    assert cells("安装e\u0301") == 5
    assert shorten("安装 Docker", 5) == "安装…"
    assert shorten("安装 Docker", 4) == "安…"
    assert shorten("abc", 3) == "abc"
    assert shorten("abc", 0) == ""
    assert wrap("安装 Docker 引擎", 11) == ["安装 Docker", "引擎"]
    assert format_table(["A", "B"], [["安装", "x"], ["é", "y"]], None) == [
        "A     B",
        "安装  x",
        "é     y",
    ]


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
    assert format_size(count) == text


def list_msgids() -> list[str]:
    text = (Path(__file__).parents[3] / "po" / "dockmgrd.pot").read_text(encoding="utf-8")
    entries = re.findall(r'^msgid ((?:".*"\n)+)', text, re.M)
    return ["".join(map(literal_eval, entry.splitlines())) for entry in entries]


def test_names_that_are_msgids_are_not_translated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A container, a volume or a package may have any name, such as proxy."""
    monkeypatch.setenv("TEXTDOMAINDIR", str(compile_into(tmp_path)))
    monkeypatch.setenv("LC_ALL", "zh_CN.UTF-8")
    translation._load_catalog.cache_clear()
    names = [name for name in list_msgids() if name]
    assert "proxy" in names
    for name in names:
        change = {"package": name, "repository": name}
        plan = {**PLAN, "install": [change], "stops": [name], "volumes": [name], "diff": name}
        lines = render.format_result(job(Result=plan), None)
        count = sum(line.strip() == harmless(name).strip() for line in lines)
        assert count >= 3, name
        assert any(line.count(harmless(name).strip()) >= 2 for line in lines), name
        status = {"installed": True, "packages": {name: name}, "mirrors-active": [name]}
        shown = "\n".join(glance.format_status(status, None))
        assert shown.count(harmless(name).strip()) >= 3, name
    translation._load_catalog.cache_clear()


@pytest.mark.parametrize(
    ("packages", "shown"),
    [
        (["docker-ce-3:28.5.1-1.el9.aarch64", "docker-model-1-1.noarch"], "/aarch64/"),
        (["docker-model-1-1.noarch"], "/$basearch/"),
        (["a-1-1.x86_64", "b-1-1.i686"], "/$basearch/"),
    ],
)
def test_plan_of_another_host_has_its_architecture(packages: list[str], shown: str) -> None:
    plan = {
        "changed": True,
        "base-url": "https://download.example/9/$basearch/stable",
        "install": [{"package": package} for package in packages],
    }
    assert any(shown in line for line in format_plan(plan, None))
