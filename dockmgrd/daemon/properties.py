# SPDX-License-Identifier: LGPL-2.1-or-later
"""The values of the properties on the bus."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dockmgrd import __version__, names
from dockmgrd.bus.dbusnext import Variant
from dockmgrd.bus.variants import to_variants
from dockmgrd.daemon.job_state import Job
from dockmgrd.daemon.status import Status
from dockmgrd.enums import JobState
from dockmgrd.errors import redact
from dockmgrd.model import JobRequest, JobResult
from dockmgrd.verbs import SIGNATURES

_LISTS_OF_MAPPINGS = (
    *("notes", "actions", "steps", "install", "upgrade", "downgrade", "remove", "purge"),
    *("tried", "probed", "versions", "measured"),
)
"""Keys of results. An empty list has the type that the others have."""
_RESULT_SIGNATURES = dict.fromkeys(_LISTS_OF_MAPPINGS, "aa{sv}")
_RUNNING = JobResult(JobState.RUNNING, finished_at=0)


def describe_manager(status: Status, active: Job | None) -> dict[str, Any]:
    """All properties of the manager.

    :param active: the job that changes the host.
    """
    live, facts = status.live, status.facts
    return {
        "Version": __version__,
        "State": "busy" if active else "idle",
        "ActiveJob": path_of(active),
        "Installed": live.installed,
        "EngineVersion": live.engine_version,
        "ServiceState": live.service_state,
        "Mirrors": list(live.mirrors),
        "MirrorsConfigured": status.mirrors_configured,
        "MirrorsDrift": status.drift,
        "Registries": [to_variants(each) for each in status.registries],
        "MirrorChecks": [to_variants(each) for each in facts.checks],
        "Packages": dict(facts.packages),
        "Source": facts.source,
        "Platform": status.platform,
        "Problems": [to_variants(each.to_plain()) for each in status.problems],
    }


def path_of(job: Job | None) -> str:
    """Object path of the job, "/" for none."""
    return names.job_path(job.job_id) if job else "/"


def describe_request(request: JobRequest) -> dict[str, Any]:
    """The properties of a job that never change."""
    return {
        "Id": request.job_id,
        "Kind": request.kind.value,
        "InitiatorUid": request.caller_uid,
        "Origin": request.origin,
        "CreatedAt": request.created_at,
        "Unit": names.job_unit(request.job_id),
        "Options": _encode_options(request),
        "DryRun": bool(request.options.get("dry-run", False)),
    }


def describe_job(job: Job) -> dict[str, Any]:
    """The properties of a job that change. At its end all of them do so in one step."""
    result = job.result or _RUNNING
    values = job.result.result if job.result else job.findings
    progress = job.progress
    return {
        "Stage": progress.stage.value,
        "Progress": progress.fraction,
        "Message": str(progress.message),
        "MessageId": progress.message.id,
        "MessageArgs": to_variants(progress.message.to_plain()["args"]),
        "BytesDone": progress.numbers.bytes_done,
        "BytesTotal": progress.numbers.bytes_total,
        "Rate": progress.numbers.rate,
        "Item": progress.numbers.item,
        "Items": progress.numbers.items,
        "Cancellable": progress.cancellable,
        "State": job.state.value,
        "ErrorName": result.error_name,
        "ErrorMessage": result.error_message,
        "ErrorDetails": to_variants(result.error_details),
        "Result": encode_result(values),
        "FinishedAt": result.finished_at,
    }


def encode_result(values: Mapping[str, Any]) -> dict[str, Variant]:
    """A job's result as `a{sv}`."""
    return to_variants(values, _RESULT_SIGNATURES)


def _encode_options(request: JobRequest) -> dict[str, Variant]:
    """The options with the types of the verb, and without credentials."""
    declared: Mapping[str, str] = SIGNATURES[request.kind]
    plain = {key: _redact(value) for key, value in request.options.items()}
    known = {key: Variant(declared[key], each) for key, each in plain.items() if key in declared}
    unknown = {key: each for key, each in plain.items() if key not in declared}
    return {**known, **to_variants(unknown)}


def _redact(value: Any) -> Any:
    if isinstance(value, list):
        return [_redact(each) for each in value]
    return redact(value) if isinstance(value, str) else value
