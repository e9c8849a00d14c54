# SPDX-License-Identifier: LGPL-2.1-or-later
"""What was measured is remembered for a day, whatever becomes of the file."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dockmgrd.job.packages.measured_sources import MAX_AGE, read_memory, write_memory
from dockmgrd.job.probe.packages import Measurement
from dockmgrd.job.probe.verdicts import Verdict

URLS = {"a": "https://a.example/x", "b": "https://b.example/x", "c": "https://c.example/x"}
FOUND = (
    Measurement("b", latency=0.1, throughput=5e6, time=1_790_000_000),
    Measurement("a", Verdict.TIMEOUT, latency=0.2, time=1_790_000_000, stale=True),
    Measurement("c", Verdict.REFUSED),
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "measured.json"
    write_memory(URLS, FOUND, path)
    return path


def test_the_usable_ones_are_remembered(path: Path) -> None:
    memory = read_memory(URLS, time.time(), path)
    assert memory is not None
    assert memory.measurements == FOUND[:2]


def test_it_is_good_for_a_day_and_for_the_same_repositories(path: Path) -> None:
    now = time.time()
    assert read_memory(URLS, now + MAX_AGE - 60, path) is not None
    assert read_memory(URLS, now + MAX_AGE + 60, path) is None
    assert read_memory(URLS, now - 3600, path) is None, "it is from the future"
    assert read_memory({**URLS, "d": "https://d.example"}, now, path) is None
    assert read_memory({**URLS, "a": "https://other.example"}, now, path) is None


def change(change: Callable[[dict[str, Any]], object]) -> Callable[[bytes], bytes]:
    def apply(content: bytes) -> bytes:
        values = json.loads(content)
        change(values)
        return json.dumps(values).encode()

    return apply


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content[:-9],
        lambda _: b"",
        lambda _: b"\xff\xfe",
        lambda _: b"[" * 60_000,
        lambda _: b"[]",
        lambda _: b"null",
        lambda content: content + b" " * (1 << 20),
        change(lambda values: values.update(version=2)),
        change(lambda values: values.update(measured=True)),
        change(lambda values: values.update(measured="1790000000")),
        change(lambda values: values.update(sources={"a": 1})),
        change(lambda values: values.update(sources=[])),
        change(lambda values: values["sources"].append(values["sources"][0])),
        change(lambda values: values["sources"][0].update(source="../elsewhere")),
        change(lambda values: values["sources"][0].update(source=["a"])),
        change(lambda values: values["sources"][0].update(verdict="refused")),
        change(lambda values: values["sources"][0].update(latency=float("nan"))),
        change(lambda values: values["sources"][0].update(throughput=-1)),
        change(lambda values: values["sources"][0].update(time=0)),
        change(lambda values: values["sources"][0].update(stale=0)),
        change(lambda values: values["sources"][0].pop("time")),
    ],
)
def test_a_damaged_file_is_not_there(path: Path, damage: Callable[[bytes], bytes]) -> None:
    path.write_bytes(damage(path.read_bytes()))
    assert read_memory(URLS, time.time(), path) is None


def test_no_file_and_no_folder(tmp_path: Path) -> None:
    assert read_memory(URLS, time.time(), tmp_path / "none") is None
    assert read_memory(URLS, time.time(), tmp_path) is None
    assert write_memory(URLS, FOUND, tmp_path / "no" / "folder").measurements == FOUND[:2]
