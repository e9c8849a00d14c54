# SPDX-License-Identifier: LGPL-2.1-or-later
"""The folder of a job: request.json goes in, result.json comes out, both whole or not there."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dockmgrd.host import atomicfile
from dockmgrd.model import JobRequest, JobResult
from dockmgrd.paths import JOBS

_ID = re.compile(r"[0-9]{8}T[0-9]{6}_[0-9a-f]{6}")


def new_id() -> str:
    """An id that sorts by time, fit for unit names and object paths alike."""
    return f"{time.strftime('%Y%m%dT%H%M%S', time.gmtime())}_{os.urandom(3).hex()}"


class JobStore:
    """The jobs on disk. The daemon writes requests, a job writes its own result."""

    def __init__(self, folder: Path = JOBS) -> None:
        self._folder = folder

    def ids(self) -> list[str]:
        """Ids of all jobs, oldest first."""
        if not self._folder.is_dir():
            return []
        return sorted(each.name for each in self._folder.iterdir() if _ID.fullmatch(each.name))

    def write_request(self, request: JobRequest) -> None:
        """:raises InsufficientSpace, WriteFailed: when it cannot be kept."""
        self._write(request.job_id, "request.json", request.to_json())

    def write_result(self, job_id: str, result: JobResult) -> None:
        """:raises InsufficientSpace, WriteFailed: when it cannot be kept."""
        self._write(job_id, "result.json", result.to_json())

    def read_request(self, job_id: str) -> JobRequest | None:
        """The request; None where there is none, or none that can be read."""
        try:
            return JobRequest.from_json(self._read(job_id, "request.json"))
        except (OSError, KeyError, TypeError, ValueError):
            return None

    def read_result(self, job_id: str) -> JobResult | None:
        """The result; None while there is none."""
        try:
            return JobResult.from_json(self._read(job_id, "result.json"))
        except (OSError, KeyError, TypeError, ValueError):
            return None

    def write_findings(self, job_id: str, findings: Mapping[str, Any]) -> None:
        """Keep what the job has found so far, to be read while it runs; no power loss counts."""
        self._write(job_id, "findings.json", findings, durable=False)

    def read_findings(self, job_id: str) -> dict[str, Any]:
        """What the job has found so far."""
        try:
            return self._read(job_id, "findings.json")
        except (OSError, ValueError):
            return {}

    def delete(self, job_id: str) -> None:
        """Forget the job."""
        import shutil  # slow to load, and a job forgets none

        shutil.rmtree(self._path(job_id))

    def _write(
        self, job_id: str, name: str, data: Mapping[str, Any], *, durable: bool = True
    ) -> None:
        folder = self._path(job_id)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        text = json.dumps(data, indent=1, ensure_ascii=False) + "\n"
        atomicfile.replace(folder / name, text.encode("utf-8"), mode=0o600, durable=durable)

    def _read(self, job_id: str, name: str) -> dict[str, Any]:
        data: dict[str, Any] = json.loads((self._path(job_id) / name).read_bytes())
        return data

    def _path(self, job_id: str) -> Path:
        if not _ID.fullmatch(job_id):
            raise ValueError(f"no job id: {job_id!r}")
        return self._folder / job_id
