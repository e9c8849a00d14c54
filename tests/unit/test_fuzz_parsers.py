# SPDX-License-Identifier: LGPL-2.1-or-later
"""Parsers of files with random content return a value or raise their error.

FUZZ_EXAMPLES says how many of each; `make fuzz` tries 5,000.
"""

from __future__ import annotations

import functools
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dockmgrd import errors
from dockmgrd import mirror_urls as mirrors
from dockmgrd.bus import frames
from dockmgrd.catalog import mirrors as candidates
from dockmgrd.catalog import sources as catalog
from dockmgrd.catalog.platforms import Platform
from dockmgrd.enums import Kind
from dockmgrd.host import adminconfig, daemonjson, engine_answers
from dockmgrd.host.jobstore import JobStore
from dockmgrd.host.yamltree import Malformed
from dockmgrd.options.parsing import parse_options
from dockmgrd.verbs import SIGNATURES
from dockmgrd.worker import protocol

JOB = "20260101T000000_abcdef"
fuzz = settings(
    max_examples=int(os.environ.get("FUZZ_EXAMPLES", "100")),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
WORDS = (
    *("sources:", "mirrors:", "key:", "prefix:", "allowed-mirrors:", "idle-seconds:", "{}", "[]"),
    *("default-source:", "-", "&", "*", "!", "|", "'x'", '"x"', "true", "10", "https://m.example/"),
    *("ID=centos", "VERSION_ID=9", "registry-mirrors"),
)
jsons = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner, max_size=4)
    ),
    max_leaves=12,
)
documents = (
    st.binary(max_size=200)
    | st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass"))
    | st.lists(st.sampled_from([*WORDS, "\n", "\n", "\t", " ", " "]), max_size=30).map(
        lambda words: "".join(words).encode()
    )
    | jsons.map(lambda data: json.dumps(data).encode())
)


def complaint(work: Callable[[], object], *expected: type[Exception]) -> str:
    """What the work is refused with; "" when it is not. Any other error fails the test."""
    try:
        work()
    except expected as error:
        return str(error)
    return ""


@fuzz
@given(content=documents)
@pytest.mark.parametrize(
    "read",
    [
        adminconfig.read,
        lambda path: catalog.Catalog.load(admin=path.parent),
        lambda path: candidates.load(admin=path.parent),
    ],
    ids=["limits", "sources", "mirrors"],
)
def test_yaml(tmp_path: Path, content: bytes, read: Callable[[Path], Any]) -> None:
    path = tmp_path / "any.yaml"
    path.write_bytes(content)
    said = complaint(lambda: read(path), Malformed)
    assert not said or f"{path}, line " in said


@fuzz
@given(content=documents | jsons.map(lambda data: json.dumps({"registry-mirrors": data}).encode()))
def test_daemon_json(content: bytes) -> None:
    said = complaint(lambda: daemonjson.parse(content, "daemon.json"), errors.ConfigInvalid)
    assert not said or "daemon.json" in said
    if not said:
        mirrors_of = daemonjson.parse(content, "daemon.json").mirrors
        assert all(isinstance(each, str) for each in mirrors_of)


@fuzz
@given(content=documents)
def test_files_of_a_job(tmp_path: Path, content: bytes) -> None:
    folder = tmp_path / JOB
    folder.mkdir(exist_ok=True)
    for name in ("request.json", "result.json", "findings.json"):
        (folder / name).write_bytes(content)
    store = JobStore(tmp_path)
    store.read_request(JOB)
    store.read_result(JOB)
    store.read_findings(JOB)


ANSWERS = (
    engine_answers.parse_version,
    engine_answers.parse_info,
    engine_answers.parse_containers,
    engine_answers.parse_volumes,
)
KEYS = st.sampled_from(
    (
        *("Id", "Names", "Name", "Volumes", "Version", "RegistryConfig", "IndexConfigs"),
        *("Mirrors", "InsecureRegistryCIDRs", "Secure", "DriverStatus", "Containers"),
    )
)
answers = st.recursive(
    jsons,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)


@fuzz
@given(answer=answers)
@pytest.mark.parametrize("parse", ANSWERS)
def test_answers_of_the_engine(answer: Any, parse: Callable[[Any], object]) -> None:
    complaint(lambda: parse(answer), engine_answers.UnknownForm)


EVENTS = ("progress", "resolved", "writing", "outcome")
FIELDS = st.sampled_from(
    (
        *("stage", "fraction", "message", "numbers", "changes", "notes", "writing", "offered"),
        *("error", "action", "package", "reason", "download", "id", "text", "args", "remedy"),
    )
)
events = st.recursive(
    jsons | st.sampled_from(("downloading", 0.5, [], {})),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(FIELDS, inner, max_size=6),
    max_leaves=15,
)


@fuzz
@given(event=st.sampled_from(EVENTS), values=st.dictionaries(FIELDS, events, max_size=8))
def test_lines_of_the_package_worker(event: str, values: dict[str, Any]) -> None:
    line = json.dumps({**values, "event": event}).encode()
    complaint(lambda: protocol.decode_event(line), ValueError)


@fuzz
@given(content=documents)
def test_any_line_to_the_job_or_the_worker(content: bytes) -> None:
    complaint(lambda: protocol.decode_event(content), ValueError, RecursionError)
    complaint(lambda: protocol.decode_request(content), ValueError, RecursionError)


@fuzz
@given(content=documents)
def test_os_release(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "os-release"
    path.write_bytes(content)
    Platform.read(path)


@fuzz
@given(
    kind=st.sampled_from(Kind),
    given_options=st.dictionaries(st.text(max_size=9), jsons, max_size=5),
)
def test_options(kind: Kind, given_options: dict[str, Any]) -> None:
    known = dict(zip(SIGNATURES[kind], given_options.values()))
    for each in (given_options, known):
        refusals = (errors.InvalidArgs, errors.LimitsExceeded)
        assert complaint(functools.partial(parse_options, kind, each), *refusals).isprintable()


@fuzz
@given(url=st.text(max_size=60) | st.text(max_size=30).map(lambda text: f"https://{text}"))
def test_mirrors(url: str) -> None:
    said = complaint(lambda: mirrors.normalize_mirror(url), errors.InvalidArgs)
    assert said.isprintable()
    if not said:
        normal = mirrors.normalize_mirror(url)
        assert mirrors.normalize_mirror(normal) == normal
        assert normal.isprintable()


@fuzz
@given(
    content=st.binary(max_size=400),
    start=st.sampled_from([b"", b"l\x01\x00\x01", b"B\x04\x00\x01"]),
)
def test_messages(content: bytes, start: bytes) -> None:
    try:
        for frame in frames.FrameSplitter(300).split(start + content):
            if not frame.too_long:
                frame.parse()
    except frames.Malformed:
        pass
