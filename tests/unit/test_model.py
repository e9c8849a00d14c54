# SPDX-License-Identifier: LGPL-2.1-or-later
"""Data classes are preserved through JSON and D-Bus, and errors by their names."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from dockmgrd import errors, names
from dockmgrd.bus import introspection as interfaces
from dockmgrd.bus.variants import to_plain, to_variants
from dockmgrd.daemon import service
from dockmgrd.enums import JobState, Kind
from dockmgrd.host.jobstore import JobStore, new_id
from dockmgrd.model import JobRequest, JobResult


def test_plain_values_come_back_from_variants_as_they_were() -> None:
    values = {
        "s": "x",
        "b": True,
        "x": 2**40,
        "d": 0.5,
        "as": ["a"],
        "none": [],
        "map": {"a": "b"},
        "list": [{"text": "t", "n": 1}],
    }
    assert {key: variant.signature for key, variant in to_variants(values).items()} == {
        "s": "s",
        "b": "b",
        "x": "x",
        "d": "d",
        "as": "as",
        "none": "as",
        "map": "a{sv}",
        "list": "aa{sv}",
    }
    assert to_plain(to_variants(values)) == values


def test_an_error_is_known_again_by_its_name() -> None:
    error = errors.from_name("org.dockmgr1.Error.Busy", "Wait.")
    assert isinstance(error, errors.Busy)
    assert error.message == "Wait."
    assert type(errors.from_name("org.other.Error", "?")) is errors.DockmgrError


def test_every_error_of_ours_has_an_exit_code_of_its_own() -> None:
    leaves = [
        leaf
        for leaf in errors.DockmgrError.__subclasses__()
        if leaf.dbus_name.startswith(names.ERROR_PREFIX)
        and leaf not in (errors.Internal, errors.RemoteError)
    ]
    codes = Counter(leaf.exit_code for leaf in leaves)
    assert [code for code, count in codes.items() if count > 1] == []
    assert min(codes) > 2


def test_faces_have_what_their_interface_files_declare() -> None:
    for interface in (service.ManagerInterface, service.JobInterface):
        for member in interface.interface.methods:
            handler = re.sub(r"(?<!^)(?=[A-Z])", "_", member).lower()
            assert callable(getattr(interface, handler)), f"{interface.__name__} lacks {handler}"


def test_interface_files_name_every_argument() -> None:
    for name in (names.MANAGER_INTERFACE, names.JOB_INTERFACE):
        xml = interfaces.load(name).xml
        assert xml.count("<arg ") == len(re.findall(r'<arg name="[a-z_]+"', xml))


def test_a_job_folder_holds_request_and_result(tmp_path: Path) -> None:
    store = JobStore(tmp_path / "jobs")
    request = JobRequest(new_id(), Kind.UNINSTALL, {}, 0, 1)
    store.write_request(request)
    assert store.ids() == [request.job_id]
    assert store.read_request(request.job_id) == request
    assert store.read_result(request.job_id) is None
    store.write_result(request.job_id, JobResult(JobState.DONE, 2))
    assert store.read_result(request.job_id) == JobResult(JobState.DONE, 2)
    folder = tmp_path / "jobs" / request.job_id
    assert {each.stat().st_mode & 0o777 for each in folder.iterdir()} == {0o600}
    store.delete(request.job_id)
    assert store.ids() == []


@pytest.mark.parametrize("text", ["", "{", "[]", '{"version": 2}', '{"version": 1, "id": "x"}'])
def test_a_request_that_cannot_be_read_is_none(tmp_path: Path, text: str) -> None:
    job_id = new_id()
    (tmp_path / job_id).mkdir()
    (tmp_path / job_id / "request.json").write_text(text)
    assert JobStore(tmp_path).read_request(job_id) is None


def test_a_folder_is_only_ever_that_of_an_id(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not a valid job id"):
        JobStore(tmp_path).delete("../../etc")
