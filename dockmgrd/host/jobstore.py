# SPDX-License-Identifier: LGPL-2.1-or-later
"""The folder of a job: request.json goes in, result.json comes out, both whole or not there."""

from __future__ import annotations

import json
import logging
import os
import re
import stat
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from dockmgrd import paths
from dockmgrd.codec import decode_record, encode_record
from dockmgrd.errors import DockmgrError
from dockmgrd.host import atomicfile
from dockmgrd.host.folders import delete_folder, make_folder
from dockmgrd.messages.text import foreign_text
from dockmgrd.model import JobRequest, JobResult

logger = logging.getLogger(__name__)

MAX_FILE_BYTES = 16 << 20
_VERSION = 1  # of the files' form
_MAX_DEPTH = 16
"""Levels of lists and mappings in a file: D-Bus carries 64 containers within each other."""
_MAX_INTEGER = 2**63
_ID = re.compile(r"[0-9]{8}T[0-9]{6}_[0-9a-f]{6}")
_UNREADABLE = (OSError, KeyError, TypeError, ValueError, AttributeError, RecursionError)


def new_id() -> str:
    """An id that sorts by time, fit for unit names and object paths alike."""
    return f"{time.strftime('%Y%m%dT%H%M%S', time.gmtime())}_{os.urandom(3).hex()}"


class JobStore:
    """The jobs on disk. The daemon writes requests, a job writes its own result.

    Whatever is in the folder, reading it raises nothing: what is not a file of ours, or does not
    hold what we write, is not there.
    """

    def __init__(self, folder: Path = paths.JOBS, spare: Path = paths.SPARE_RESULTS) -> None:
        """:param spare: where a result goes when the folder cannot hold it."""
        self._folder = folder
        self._spare = spare

    def ids(self) -> list[str]:
        """Ids of all jobs, oldest first."""
        try:
            return sorted(name for name in os.listdir(self._folder) if _ID.fullmatch(name))
        except FileNotFoundError:
            return []
        except OSError as error:
            logger.warning("%s cannot be read: %s", self._folder, error.strerror)
            return []

    def write_request(self, request: JobRequest) -> None:
        """:raises InsufficientSpace, WriteFailed: when it cannot be kept."""
        self._write(request.job_id, "request.json", _encode_request(request))

    def write_result(self, job_id: str, result: JobResult) -> None:
        """:raises InsufficientSpace, WriteFailed: when it cannot be kept."""
        self._write(job_id, "result.json", _encode_result(result))

    def keep_result(self, job_id: str, result: JobResult) -> None:
        """Write the result, and where the folder cannot hold it, to the spare folder.

        The log says so when neither can.
        """
        try:
            self.write_result(job_id, result)
        except DockmgrError as error:
            logger.warning("%s", error)
            self._write_spare_result(job_id, result)

    def read_request(self, job_id: str) -> JobRequest | None:
        """The request; None where there is none, or none that can be read."""
        try:
            values = _read(self._path(job_id) / "request.json")
            _check_version(values)
            return decode_record(JobRequest, {**values, "job_id": job_id})
        except _UNREADABLE:
            return None

    def read_result(self, job_id: str) -> JobResult | None:
        """The result; None while there is none, or none that can be read."""
        for path in (self._path(job_id) / "result.json", self._spare_path(job_id)):
            try:
                return _decode_result(_read(path))
            except _UNREADABLE:
                continue
        return None

    def has_result(self, job_id: str) -> bool:
        """Whether the job has left a result, readable or not."""
        return os.path.lexists(self._path(job_id) / "result.json")

    def write_findings(self, job_id: str, findings: Mapping[str, Any]) -> None:
        """Keep what the job has found so far, to be read while it runs; no power loss counts.

        The result has all of it in the end, so that it cannot be kept is for the log alone.
        """
        try:
            self._write(job_id, "findings.json", findings, durable=False)
        except DockmgrError as error:
            logger.warning("%s", error)

    def read_findings(self, job_id: str) -> dict[str, Any]:
        """What the job has found so far."""
        try:
            return _read(self._path(job_id) / "findings.json")
        except _UNREADABLE:
            return {}

    def write_users(self, job_id: str, users: Iterable[int]) -> None:
        """Keep who else waits for the job, for the next daemon; no power loss counts."""
        try:
            self._write(job_id, "users.json", {"users": list(map(str, users))}, durable=False)
        except DockmgrError as error:
            logger.warning("%s", error)

    def read_users(self, job_id: str) -> set[int]:
        """What `write_users` has kept."""
        try:
            users = map(int, _read(self._path(job_id) / "users.json")["users"])
            return {uid for uid in users if 0 <= uid < 2**32}
        except _UNREADABLE:
            return set()

    def mark_waiting(self, job_id: str) -> None:
        """Keep for the next daemon that the job has not been started. Raises as `write_request`."""
        self._write(job_id, "waiting.json", {}, durable=False)

    def unmark_waiting(self, job_id: str) -> None:
        """The job is about to start. Raises WriteFailed."""
        atomicfile.remove(self._path(job_id) / "waiting.json")

    def is_waiting(self, job_id: str) -> bool:
        """Whether the job waits to be started."""
        return os.path.isfile(self._path(job_id) / "waiting.json")

    def delete(self, job_id: str) -> None:
        """Forget the job. What cannot be deleted stays, and the log says so."""
        self._delete(self._path(job_id))

    def _delete(self, path: Path) -> None:
        try:
            if os.path.isdir(path) and not os.path.islink(path):
                delete_folder(path)
            else:
                path.unlink()
        except FileNotFoundError:
            return
        except OSError as error:
            logger.warning("%s cannot be deleted: %s", path, error.strerror)

    def make_temporary_folder(self, job_id: str) -> Path:
        """A folder for temporary files of the job. Raises as `write_request`."""
        folder = self._path(job_id) / "tmp"
        make_folder(folder)
        return folder

    def delete_temporary_folder(self, job_id: str) -> None:
        """Delete the temporary files of the job, which may have been killed."""
        self._delete(self._path(job_id) / "tmp")

    def is_empty(self, job_id: str) -> bool:
        """Whether the job has a folder with nothing in it, as a request that failed may leave."""
        try:
            return not os.listdir(self._path(job_id))
        except OSError:
            return False

    def _write(
        self, job_id: str, name: str, data: Mapping[str, Any], *, durable: bool = True
    ) -> None:
        folder = self._path(job_id)
        make_folder(folder)
        atomicfile.replace(folder / name, _encode(data), mode=0o600, durable=durable)

    def _write_spare_result(self, job_id: str, result: JobResult) -> None:
        """Remove spare results that nobody needs any more, and write this one."""
        try:
            make_folder(self._spare)
            known = set(self.ids())
            for name in os.listdir(self._spare):
                owner = name.partition(".")[0]
                if owner not in known or os.path.exists(self._folder / owner / "result.json"):
                    (self._spare / name).unlink()
            data = _encode(_encode_result(result))
            atomicfile.replace(self._spare_path(job_id), data, mode=0o600, durable=False)
        except (DockmgrError, OSError) as error:
            logger.error("the result of job %s cannot be kept: %s", job_id, error)

    def _path(self, job_id: str) -> Path:
        if not _ID.fullmatch(job_id):
            raise ValueError(f"not a valid job id: {job_id!r}")
        return self._folder / job_id

    def _spare_path(self, job_id: str) -> Path:
        return self._spare / f"{job_id}.json"


def _encode_request(request: JobRequest) -> dict[str, Any]:
    # `id` is for version 0.1.0, as after a downgrade.
    return {"version": _VERSION, "id": request.job_id, **encode_record(request)}


def _encode_result(result: JobResult) -> dict[str, Any]:
    # `error_message` is for version 0.1.0, too.
    message = {"error_message": result.error_message}
    return {"version": _VERSION, **message, **encode_record(result)}


def _check_version(values: Mapping[str, Any]) -> None:
    """:raises ValueError: when the file is of another version."""
    if values.get("version") != _VERSION:
        raise ValueError(f"a file of version {values.get('version')}")


def _decode_result(values: Mapping[str, Any]) -> JobResult:
    """:raises ValueError: when the values are not a result."""
    if "error" not in values:
        # Before messages had ids, a result held the English text alone.
        values = {**values, "error": foreign_text(str(values.get("error_message"))).to_plain()}
    return decode_record(JobResult, values)


def _encode(data: Mapping[str, Any]) -> bytes:
    """The data as JSON. Names of files that are not UTF-8 lose what is not."""
    text = json.dumps(data, indent=1, ensure_ascii=False) + "\n"
    return text.encode("utf-8", errors="replace")


def _read(path: Path) -> dict[str, Any]:
    """The mapping that the file holds.

    :raises OSError, ValueError, RecursionError: when it is not a file of ours.
    """
    flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
    with open(os.open(path, flags), "rb") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode) or status.st_size > MAX_FILE_BYTES:
            raise ValueError(f"{path} is not a file that dockmgrd wrote")
        data = json.loads(file.read(MAX_FILE_BYTES))
    if not isinstance(data, dict):
        raise ValueError(f"{path} does not hold a mapping")
    _check_value(data, 0)
    return data


def _check_value(value: object, depth: int) -> None:
    """:raises ValueError: for a value that D-Bus cannot carry as a result holds it."""
    if depth > _MAX_DEPTH:
        raise ValueError("the values are nested too deeply")
    if isinstance(value, Mapping):
        for key, each in value.items():
            _check_text(key)
            _check_value(each, depth + 1)
    elif isinstance(value, list):
        _check_list(value, depth)
    elif isinstance(value, str):
        _check_text(value)
    elif isinstance(value, int):
        if not -_MAX_INTEGER <= value < _MAX_INTEGER:
            raise ValueError(f"{value} does not fit into 64 bits")
    elif not isinstance(value, float):
        raise ValueError(f"a result holds no {type(value).__name__}")


def _check_list(values: Sequence[object], depth: int) -> None:
    kind = Mapping if values and isinstance(values[0], Mapping) else str
    for each in values:
        if not isinstance(each, kind):
            raise ValueError("a list holds either texts or mappings")
        _check_value(each, depth + 1)


def _check_text(text: str) -> None:
    if "\0" in text:
        raise ValueError("a text holds a NUL character")
    text.encode("utf-8")
