# SPDX-License-Identifier: LGPL-2.1-or-later
"""The interfaces of the daemon: what each method does; other modules do the work."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from dockmgrd import actions, errors, names
from dockmgrd.bus import introspection as interfaces
from dockmgrd.bus.dbusnext import Variant
from dockmgrd.bus.exports import Exports
from dockmgrd.bus.interface import ObjectInterface, get_caller
from dockmgrd.bus.quota import Quota
from dockmgrd.bus.variants import to_variants, unpack_options
from dockmgrd.catalog import mirrors as candidates
from dockmgrd.catalog.sources import Sources
from dockmgrd.daemon.callers import find_origin
from dockmgrd.daemon.gate import Gate
from dockmgrd.daemon.job_state import Job
from dockmgrd.daemon.jobs import Jobs
from dockmgrd.daemon.polkit import YES
from dockmgrd.daemon.properties import (
    describe_job,
    describe_manager,
    describe_request,
    encode_result,
    path_of,
)
from dockmgrd.daemon.status import Status
from dockmgrd.enums import JobState, Kind
from dockmgrd.host.adminconfig import Limits, LimitsFile
from dockmgrd.messages.bus import TOO_MANY_WAITS
from dockmgrd.model import Authorization
from dockmgrd.names import DOCKER_HUB
from dockmgrd.options.packages import FASTEST, InstallOptions, ListVersionsOptions
from dockmgrd.options.parsing import parse_options
from dockmgrd.options.validation import Options
from dockmgrd.verbs import METHODS, SIGNATURES

_STATUS_SIGNATURES = {
    "packages": "a{ss}",
    "problems": "aa{sv}",
    "registries": "aa{sv}",
    "mirror-checks": "aa{sv}",
}
_WAITS = Quota(64, TOO_MANY_WAITS)
_EVERYDAY_ACTIONS = (names.ACTION_INSTALL, names.ACTION_SET_MIRROR)
_FROM_SOURCES = (Kind.INSTALL, Kind.LIST_VERSIONS)


class ManagerInterface(ObjectInterface):
    """org.dockmgr1.Manager."""

    interface = interfaces.load(names.MANAGER_INTERFACE)

    def __init__(
        self,
        jobs: Jobs,
        status: Status,
        gate: Gate,
        sources: Sources,
        limits: LimitsFile,
        last_error: Callable[[str], errors.DockmgrError | None],
    ) -> None:
        super().__init__()
        self._last_error = last_error
        self._jobs = jobs
        self._status = status
        self._gate = gate
        self._sources = sources
        self._limits = limits
        self.update()

    def update(self) -> None:
        """Take over into the properties what has changed."""
        self.set_properties(**describe_manager(self._status, self._jobs.active))

    def announce(self) -> None:
        """Announce all properties: clients of an earlier daemon may know others."""
        values, self.properties = self.properties, {}
        self.set_properties(**values)

    async def refresh(self) -> None:
        await self._status.refresh()

    async def install(self, options: dict[str, Variant]) -> str:
        return await self._submit(Kind.INSTALL, options)

    async def set_mirror(self, mirrors: list[str], options: dict[str, Variant]) -> str:
        return await self._submit(Kind.SET_MIRROR, options, mirrors=mirrors)

    async def probe_mirrors(self, mirrors: list[str], options: dict[str, Variant]) -> str:
        return await self._submit(Kind.PROBE, options, mirrors=mirrors)

    async def uninstall(self, options: dict[str, Variant]) -> str:
        return await self._submit(Kind.UNINSTALL, options)

    async def list_versions(self, options: dict[str, Variant]) -> str:
        return await self._submit(Kind.LIST_VERSIONS, options)

    async def probe_sources(self, options: dict[str, Variant]) -> str:
        return await self._submit(Kind.PROBE_SOURCES, options)

    async def status(self) -> dict[str, Variant]:
        snapshot = to_variants(await self._status.snapshot(), _STATUS_SIGNATURES)
        return {**snapshot, "active-job": Variant("o", path_of(self._jobs.active))}

    async def last_error(self) -> dict[str, Variant]:
        error = self._last_error(get_caller().sender)
        return to_variants(error.to_plain()) if error else {}

    async def get_permissions(self) -> dict[str, str]:
        uid = await self._gate.callers.find_uid(get_caller())
        answers = await self._gate.polkit.permissions(get_caller(), uid, names.ACTIONS)
        return {action.rpartition(".")[2]: answer for action, answer in answers.items()}

    async def list_sources(self) -> list[dict[str, Variant]]:
        return [
            to_variants(
                {
                    "name": source.name,
                    "title": source.title,
                    "prefix": errors.redact(source.prefix),
                    "region": source.region,
                    "notes": source.notes,
                    "intranet": source.intranet,
                }
            )
            for source in self._sources.current().sources.values()
            if self._limits.current().allows(source.name)
        ]

    async def _submit(
        self, kind: Kind, raw_options: Mapping[str, Variant], **arguments: Any
    ) -> str:
        """Validate, ask polkit, look at the state again, start: in this order."""
        limits = self._limits.current()
        try:
            interactive, plain, parsed = self._parse(kind, raw_options, arguments, limits)
        except errors.DockmgrError as error:
            await self._gate.record_invalid(kind, get_caller(), error)
            raise
        needed = actions.find_authorizations(parsed, self._find_known_mirrors(parsed, limits))
        identity = await self._gate.enter(
            kind,
            get_caller().with_interaction(allowed=interactive),
            needed,
            check_limits=lambda: limits.check(parsed),
        )
        uid = identity.uid
        authorized = uid == 0 or bool(needed) or await self._is_authorized(uid)
        origin = await find_origin(identity)
        job = await self._jobs.submit(
            kind, plain, uid, needed, authorized=authorized, origin=origin
        )
        return names.job_path(job.job_id)

    async def _is_authorized(self, uid: int) -> bool:
        """Whether polkit authorizes the caller for everyday work; looked at where it matters."""
        if not self._jobs.strangers_wait:
            return False
        answers = await self._gate.polkit.permissions(get_caller(), uid, _EVERYDAY_ACTIONS)
        return YES in answers.values()

    def _parse(
        self,
        kind: Kind,
        raw_options: Mapping[str, Variant],
        arguments: Mapping[str, Any],
        limits: Limits,
    ) -> tuple[bool, dict[str, Any], Options]:
        """Whether polkit may ask the user, and the request as plain values and as parsed.

        :raises InvalidArgs, LimitsExceeded: when the request is not valid.
        """
        interactive, plain = _unpack(kind, raw_options)
        plain.update(arguments)
        if kind in _FROM_SOURCES and not plain.keys() & {"source", "repo-url"}:
            plain["source"] = limits.default_source
        parsed = parse_options(kind, plain)
        if isinstance(parsed, (InstallOptions, ListVersionsOptions)):
            for name in set(parsed.sources) - {FASTEST}:
                self._sources.current().get_source(name)
        return interactive, plain, parsed

    async def on_invalid_call(self, member: str, error: errors.DockmgrError) -> None:
        if member in METHODS:
            await self._gate.record_invalid(METHODS[member], get_caller(), error)

    def _find_known_mirrors(self, parsed: Options, limits: Limits) -> actions.KnownMirrors:
        """The mirrors on which it depends what must be authorized."""
        registry = getattr(parsed, "registry", DOCKER_HUB)
        return actions.KnownMirrors(
            self._status.configured_mirrors(registry),
            candidates.load().list_mirrors(registry) if actions.needs_candidates(parsed) else (),
            partial(limits.admits, registry=registry),
        )


class JobInterface(ObjectInterface):
    """org.dockmgr1.Job."""

    interface = interfaces.load(names.JOB_INTERFACE)

    def __init__(self, job: Job, jobs: Jobs, gate: Gate) -> None:
        super().__init__(**describe_request(job.request), **describe_job(job))
        self._job = job
        self._jobs = jobs
        self._gate = gate

    def update(self) -> None:
        """Take over into the properties where the job is, and announce its end."""
        finished = self.properties["State"] == JobState.RUNNING.value and self._job.result
        self.set_properties(**describe_job(self._job))
        if finished:
            values = self.properties
            self.emit(
                "Finished",
                values["State"],
                values["ErrorName"],
                values["ErrorMessage"],
                values["Result"],
            )

    async def cancel(self) -> None:
        caller, request = get_caller(), self._job.request
        needed: tuple[Authorization, ...] = ()
        if await self._gate.callers.find_uid(caller) not in self._job.users:
            details = {"job": request.job_id, "kind": request.kind.value}
            needed = (Authorization(names.ACTION_CANCEL, details),)
        uid = (await self._gate.enter("cancel", caller, needed)).uid
        await self._jobs.cancel(self._job, withdrawing=None if needed or uid == 0 else uid)

    async def wait(self) -> dict[str, Variant]:
        uid = await self._gate.callers.find_uid(get_caller())
        with _WAITS.share(uid):
            return encode_result(await self._job.wait())


class Service:
    """The objects of the daemon on the bus, one for the manager and one for each job."""

    def __init__(self, exports: Exports, gate: Gate) -> None:
        self._exports = exports
        self._gate = gate
        self._interfaces: dict[str, JobInterface] = {}
        self.manager: ManagerInterface | None = None

    def export_manager(self, manager: ManagerInterface) -> None:
        self.manager = manager
        self._exports.add(names.MANAGER_PATH, manager)

    def update_manager(self) -> None:
        """Show the state of the host as it is now."""
        if self.manager is not None:
            self.manager.update()

    def announce_manager(self) -> None:
        """Announce all properties of the manager."""
        if self.manager is not None:
            self.manager.announce()

    def show_job(self, job: Job, jobs: Jobs) -> None:
        """Show a new job, or where a known one is now."""
        is_new = job.job_id not in self._interfaces
        if is_new:
            self._interfaces[job.job_id] = JobInterface(job, jobs, self._gate)
            self._exports.add(names.job_path(job.job_id), self._interfaces[job.job_id])
        else:
            self._interfaces[job.job_id].update()
        if is_new or job.result is not None:  # What is between changes no property of the manager.
            self.update_manager()

    def remove_job(self, job: Job) -> None:
        del self._interfaces[job.job_id]
        self._exports.remove(names.job_path(job.job_id))


def _unpack(kind: Kind, raw_options: Mapping[str, Variant]) -> tuple[bool, dict[str, Any]]:
    """Whether polkit may ask the user, and the options as plain values.

    Numbers may have any integer type of D-Bus; `options` checks their range.

    :raises InvalidArgs: for an option of the wrong type.
    """
    plain = unpack_options(raw_options, {**SIGNATURES[kind], "interactive": "b"})
    return plain.pop("interactive", False), plain
