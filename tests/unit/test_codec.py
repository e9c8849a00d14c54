# SPDX-License-Identifier: LGPL-2.1-or-later
"""Records are the same after JSON, and data of another form is refused."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockmgrd import model
from dockmgrd.codec import decode_record, encode_record
from dockmgrd.enums import JobState, Kind, Stage
from dockmgrd.messages.text import foreign_text
from dockmgrd.model import Authorization, JobRequest, JobResult, Numbers, Progress
from dockmgrd.worker import protocol
from dockmgrd.worker.protocol import Change, ListPackages, Outcome, ProgressEvent, ResolvedEvent

WHY = foreign_text("Why {not}.")
REQUEST = JobRequest("20260101T000000_abcdef", Kind.INSTALL, {"source": ["aliyun"]}, 1000, 5)
PROGRESS = Progress(Stage.DOWNLOADING, 0.25, WHY, False, Numbers(bytes_done=5, item=1, items=2))
RECORDS = (
    REQUEST,
    dataclasses.replace(REQUEST, granted=(Authorization("org.x", {"source": "aliyun"}),)),
    JobResult(JobState.FAILED, 7, {"changed": False}, "org.x.Error", WHY),
    PROGRESS,
)
LINES = (
    ListPackages(("docker-ce",), "docker-ce", "/key", "ABC", "https://a.example/"),
    ProgressEvent(Stage.METADATA, 0.5, WHY, Numbers(rate=3)),
    ResolvedEvent((Change("remove", "podman", reason=WHY, growth=-5),), (WHY, WHY)),
    Outcome(offered=({"name": "docker-ce", "built": 1},), error=WHY, missing=("a", "b")),
)


@pytest.mark.parametrize("record", RECORDS)
def test_records_are_the_same_after_json(record: Any) -> None:
    assert decode_record(type(record), json.loads(json.dumps(encode_record(record)))) == record


@pytest.mark.parametrize("record", LINES)
def test_lines_of_the_worker_are_the_same_after_json(record: Any) -> None:
    decode = protocol.decode_request if hasattr(record, "op") else protocol.decode_event
    assert decode(protocol.encode(record)) == record


@pytest.mark.parametrize(
    ("record", "field", "value"),
    [
        (REQUEST, "kind", "dance"),
        (REQUEST, "kind", ["install"]),
        (REQUEST, "caller_uid", -1),
        (REQUEST, "caller_uid", 2**32),
        (REQUEST, "caller_uid", True),
        (REQUEST, "created_at", 2**63),
        (REQUEST, "created_at", 1.5),
        (REQUEST, "options", ["source"]),
        (REQUEST, "granted", {"action": "x"}),
        (REQUEST, "granted", [{"details": {}}]),
        (REQUEST, "job_id", None),
        (PROGRESS, "fraction", "0.5"),
        (PROGRESS, "message", "Why."),
        (PROGRESS, "message", {"id": "x"}),
        (PROGRESS, "cancellable", 1),
        (PROGRESS, "numbers", {"item": 2**32}),
    ],
)
def test_the_error_names_the_field_of_another_type(record: Any, field: str, value: Any) -> None:
    with pytest.raises(ValueError, match=field):
        decode_record(type(record), {**encode_record(record), field: value})


def test_a_field_without_a_default_must_be_there() -> None:
    data = encode_record(REQUEST)
    del data["caller_uid"]
    with pytest.raises(ValueError, match="caller_uid is missing"):
        decode_record(JobRequest, data)


def test_what_another_version_adds_or_lacks_does_no_harm() -> None:
    data = encode_record(PROGRESS)
    del data["numbers"]
    without_numbers = dataclasses.replace(PROGRESS, numbers=model.NO_NUMBERS)
    assert decode_record(Progress, {**data, "mood": "good"}) == without_numbers


@given(fraction=st.floats())
def test_a_fraction_is_from_0_to_1(fraction: float) -> None:
    progress = decode_record(Progress, {**encode_record(PROGRESS), "fraction": fraction})
    assert 0 <= progress.fraction <= 1


@pytest.mark.parametrize("line", [b"", b"1", b"[]", b"{}", b'{"op": ["install"]}', b'{"op": "x"}'])
def test_a_line_of_another_form_is_refused(line: bytes) -> None:
    for decode in (protocol.decode_request, protocol.decode_event):
        with pytest.raises(ValueError):  # noqa: PT011  # json's own errors are among them
            decode(line)
