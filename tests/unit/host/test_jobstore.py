# SPDX-License-Identifier: LGPL-2.1-or-later
"""The folder of jobs, with any contents and with any write error."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dockmgrd.codec import encode_record
from dockmgrd.enums import JobState, Kind
from dockmgrd.errors import InsufficientSpace, WriteFailed
from dockmgrd.host import atomicfile
from dockmgrd.host.jobstore import MAX_FILE_BYTES, JobStore, new_id
from dockmgrd.model import JobRequest, JobResult

ID = "20260101T000000_abcdef"
REQUEST = JobRequest(ID, Kind.UNINSTALL, {}, 1000, 1)
RESULT = JobResult(JobState.DONE, 2, {"changed": True})


@pytest.fixture
def store(tmp_path: Path) -> JobStore:
    return JobStore(tmp_path / "jobs", tmp_path / "spare")


def nested(levels: int) -> Any:
    return {"a": nested(levels - 1)} if levels else "end"


def write_result(folder: Path, **changes: Any) -> None:
    (folder / "result.json").write_text(json.dumps({**encode_record(RESULT), **changes}))


def write_bytes(folder: Path, content: bytes) -> None:
    (folder / "result.json").write_bytes(content)


def write_deep_result(folder: Path) -> None:
    (folder / "result.json").write_text("[" * 100_000)


ODD_RESULTS: dict[str, Callable[[Path], None]] = {
    "a file that is nested too deeply to parse": write_deep_result,
    "a result that is nested too deeply for D-Bus": lambda at: write_result(at, result=nested(30)),
    "null": lambda at: write_result(at, result={"version": None}),
    "null in a list": lambda at: write_result(at, result={"versions": [None]}),
    "numbers in a list": lambda at: write_result(at, result={"sizes": [1, 2]}),
    "a list of lists": lambda at: write_result(at, result={"x": [["a"], ["b"]]}),
    "a list of both": lambda at: write_result(at, result={"x": [{"a": 1}, "b"]}),
    "a number that is too large": lambda at: write_result(at, result={"x": 2**63}),
    "half of a surrogate pair": lambda at: write_result(at, result={"x": "\ud800"}),
    "a NUL character": lambda at: write_result(at, result={"x": "a\0b"}),
    "a NUL character in a key": lambda at: write_result(at, result={"a\0b": 1}),
    "a time before 1970": lambda at: write_result(at, finished_at=-1),
    "a time that is not a number": lambda at: write_result(at, finished_at="now"),
    "infinity as a time": lambda at: write_result(at, finished_at=float("inf")),
    "an unknown state": lambda at: write_result(at, state="resting"),
    "an error without arguments": lambda at: write_result(at, error={"id": "x", "text": "y"}),
    "an error that is a text": lambda at: write_result(at, error="broken"),
    "arguments that are a list": lambda at: write_result(
        at, error={"id": "x", "text": "y", "args": ["z"]}
    ),
    "a folder": lambda at: (at / "result.json").mkdir(),
    "a FIFO": lambda at: os.mkfifo(at / "result.json"),
    "a link to a device": lambda at: (at / "result.json").symlink_to("/dev/zero"),
    "a link to itself": lambda at: (at / "result.json").symlink_to("result.json"),
    "a list": lambda at: write_bytes(at, b"[]"),
    "an empty file": lambda at: (at / "result.json").touch(),
    "bytes that are not UTF-8": lambda at: write_bytes(at, b"\xff{}"),
}


@pytest.mark.parametrize("odd", ODD_RESULTS)
def test_a_result_that_is_not_one_of_ours(store: JobStore, tmp_path: Path, odd: str) -> None:
    store.write_request(REQUEST)
    ODD_RESULTS[odd](tmp_path / "jobs" / ID)
    assert store.read_result(ID) is None
    assert store.has_result(ID)
    assert store.read_request(ID) == REQUEST


def test_a_result_that_is_too_large(store: JobStore, tmp_path: Path) -> None:
    store.write_request(REQUEST)
    write_result(tmp_path / "jobs" / ID, result={"x": "y" * MAX_FILE_BYTES})
    assert store.read_result(ID) is None


@pytest.mark.parametrize(
    "changes",
    [
        {"caller_uid": -1},
        {"caller_uid": 2**32},
        {"caller_uid": "root"},
        {"created_at": -1},
        {"created_at": 2**64},
        {"options": ["a"]},
        {"options": {"source": None}},
        {"options": nested(40)},
        {"kind": "dance"},
        {"granted": [None]},
        {"granted": 5},
    ],
)
def test_a_request_that_is_not_one_of_ours(
    store: JobStore, tmp_path: Path, changes: dict[str, Any]
) -> None:
    store.write_request(REQUEST)
    path = tmp_path / "jobs" / ID / "request.json"
    path.write_text(json.dumps({**encode_record(REQUEST), **changes}))
    assert store.read_request(ID) is None


def test_a_folder_that_was_copied_is_the_job_of_its_own_name(
    store: JobStore, tmp_path: Path
) -> None:
    store.write_request(REQUEST)
    other = new_id()
    (tmp_path / "jobs" / ID).rename(tmp_path / "jobs" / other)
    request = store.read_request(other)
    assert request is not None
    assert request.job_id == other


@pytest.mark.parametrize("kind", ["a file", "a link to a folder", "a link to nothing", "a FIFO"])
def test_an_entry_that_is_not_a_folder(store: JobStore, tmp_path: Path, kind: str) -> None:
    entry = tmp_path / "jobs" / ID
    entry.parent.mkdir()
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "data").touch()
    if kind == "a file":
        entry.touch()
    elif kind == "a FIFO":
        os.mkfifo(entry)
    else:
        entry.symlink_to(precious if kind == "a link to a folder" else tmp_path / "nothing")
    assert store.ids() == [ID]
    assert store.read_request(ID) is None
    assert store.read_result(ID) is None
    assert store.read_findings(ID) == {}
    store.delete(ID)
    assert store.ids() == []
    assert (precious / "data").exists()


@pytest.mark.parametrize("kind", ["a file", "a link to itself"])
def test_a_state_folder_that_is_not_a_folder(tmp_path: Path, kind: str) -> None:
    jobs = tmp_path / "jobs"
    if kind == "a file":
        jobs.touch()
    else:
        jobs.symlink_to(jobs)
    store = JobStore(jobs, tmp_path / "spare")
    assert store.ids() == []
    with pytest.raises(WriteFailed, match=r"cannot make a folder in .*: .+\. Make sure"):
        store.write_request(REQUEST)
    store.keep_result(ID, RESULT)
    assert store.read_result(ID) == RESULT
    store.write_findings(ID, {"probed": []})
    store.delete(ID)


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (errno.ENOSPC, InsufficientSpace),
        (errno.EDQUOT, InsufficientSpace),
        (errno.EROFS, WriteFailed),
        (errno.EIO, WriteFailed),
    ],
)
def test_a_folder_that_cannot_be_made_is_a_sentence(
    store: JobStore, monkeypatch: pytest.MonkeyPatch, number: int, expected: type[Exception]
) -> None:
    def fail(self: Path, mode: int = 0, **_: bool) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(Path, "mkdir", fail)
    with pytest.raises(expected, match=os.strerror(number)):
        store.write_request(REQUEST)


def test_a_result_that_has_no_room_is_kept_elsewhere_for_as_long_as_it_is_needed(
    store: JobStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = atomicfile.replace

    def fail(path: Path, data: bytes, **more: Any) -> None:
        if path.is_relative_to(tmp_path / "jobs"):
            raise InsufficientSpace("It is full.")
        real(path, data, **more)

    for job_id in (ID, "20260101T000001_abcdef"):
        store.write_request(JobRequest(job_id, Kind.UNINSTALL, {}, 0, 1))
    with monkeypatch.context() as full:
        full.setattr(atomicfile, "replace", fail)
        store.keep_result(ID, RESULT)
    assert store.read_result(ID) == RESULT
    assert (tmp_path / "spare").stat().st_mode & 0o777 == 0o700
    store.write_result(ID, RESULT)
    with monkeypatch.context() as full:
        full.setattr(atomicfile, "replace", fail)
        store.keep_result("20260101T000001_abcdef", RESULT)
    assert [each.name for each in (tmp_path / "spare").iterdir()] == ["20260101T000001_abcdef.json"]


def test_names_of_files_that_are_not_utf8_cost_no_result(store: JobStore) -> None:
    store.write_result(ID, JobResult(JobState.DONE, 2, {"deleted": ["/srv/\udcff"]}))
    result = store.read_result(ID)
    assert result is not None
    assert result.result == {"deleted": ["/srv/?"]}


def test_temporary_files_go_with_the_job(store: JobStore, tmp_path: Path) -> None:
    store.write_request(REQUEST)
    store.delete_temporary_folder(ID)
    folder = store.make_temporary_folder(ID)
    assert folder.stat().st_mode & 0o777 == 0o700
    (folder / "keys").mkdir()
    (folder / "keys" / "Packages").touch()
    assert store.make_temporary_folder(ID) == folder
    store.delete_temporary_folder(ID)
    assert sorted(each.name for each in (tmp_path / "jobs" / ID).iterdir()) == ["request.json"]
