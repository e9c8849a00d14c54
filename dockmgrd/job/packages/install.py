# SPDX-License-Identifier: LGPL-2.1-or-later
"""Install: repository, packages, mirrors, service; in the end an engine that answers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from dockmgrd import names, paths
from dockmgrd.errors import ConflictingPackages, DockmgrError, ResolutionFailed, from_name
from dockmgrd.host import atomicfile, daemonjson
from dockmgrd.host.rpmdb import CONTAINERD, ENGINE, EXTRAS, OF_ENGINE_VERSION
from dockmgrd.job.context import JobContext
from dockmgrd.job.mirrors.set_mirror import apply_mirrors
from dockmgrd.job.packages import install_plan as installplan
from dockmgrd.job.packages import kernel
from dockmgrd.job.packages import sources as origin
from dockmgrd.job.packages import worker as packages
from dockmgrd.job.packages.bring_up import bring_up
from dockmgrd.job.packages.repofile import Repository, RepositoryFile
from dockmgrd.job.packages.worker import SourceFault, Span
from dockmgrd.job.plan import Plan
from dockmgrd.model import Stage
from dockmgrd.options import InstallOptions
from dockmgrd.worker.protocol import MISSING, Change, InstallPackages, Outcome

_COMPLETION = ("bash-completion",)  # docker-ce-cli brings what it completes
_PACKAGES = Span(0.03, 0.8)


async def install(context: JobContext, options: InstallOptions) -> dict[str, Any]:
    """Bring the host to what the options say; what is so already is not done again.

    Until rpm writes, the job can be cancelled, and a failure leaves the host as it was. When
    packages are there, the repository file stays whatever happens: it is where they get their
    updates from. Then a failure puts daemon.json back and says that the packages are installed.

    :returns: `changed`, `source`, `tried` (see `origin.serve`), `installed`, `upgraded`,
        `downgraded`, `removed` (NEVRAs), `download-bytes`, `mirrors` when they were asked for,
        `engine-version` of a running engine. A dry run: what `Plan.described` has.
    :raises InvalidArgs, UnsupportedPlatform: for an unknown source, or a system without packages.
    :raises ConfigInvalid: for a daemon.json into which the mirrors cannot go.
    :raises PlanChanged: when the caller has agreed to something else.
    :raises DockmgrError: what the package worker, `apply_mirrors` and the service raise.
    """
    context.report(Stage.PREPARING, 0.0)
    repositories = origin.repositories(context, options)
    if options.mirrors:
        daemonjson.parse(_daemon_json() or b"", str(paths.DAEMON_JSON))  # mended before, not after
    if options.start and not (await context.systemd.state(names.DOCKER_UNIT)).active:
        await kernel.require_modules()
    if options.dry_run:
        rehearsals, served = await origin.serve(
            repositories, lambda each: _Packages(context, options, each).rehearse()
        )
        return {"dry-run": True, **served, **rehearsals}
    outcome, served = await origin.serve(
        repositories, lambda each: _Packages(context, options, each).change()
    )
    return {**await _finish(context, options, outcome), **served}


@dataclass
class _Changed:
    """What has become of the packages, and whether the repository file is another than before."""

    packages: Outcome
    repository: bool


class _Packages:
    """The packages and the repository file, brought to what the options say from one source."""

    def __init__(
        self, context: JobContext, options: InstallOptions, repository: Repository
    ) -> None:
        self._context = context
        self._options = options
        self._repository = repository
        self._plan: Plan | None = None
        self._sentences: tuple[str, ...] = ()

    async def rehearse(self) -> dict[str, Any]:
        """The plan, and nothing else."""

        async def resolved(changes: Sequence[Change]) -> bool:
            await self._make_plan(changes)
            return False

        await self._run(resolved, None)
        plan = self._plan or await self._make_plan(())
        self._context.add_notes(self._sentences)
        return {"changed": bool(plan.steps), **plan.described()}

    async def change(self) -> _Changed:
        """Do it, and raise as `install`; then all is as before, unless rpm has begun."""
        file_changed: list[bool] = []

        async def resolved(changes: Sequence[Change]) -> bool:
            (await self._make_plan(changes)).require(self._options.plan)
            return True

        with ExitStack() as undo:
            put = RepositoryFile().put(self._repository)

            async def before_writing() -> None:
                file_changed.append(undo.enter_context(put))

            try:
                outcome = await self._run(resolved, before_writing)
            except ConflictingPackages as error:
                error.details = self._plan.described() if self._plan else {}
                raise
            if self._plan is None:
                (await self._make_plan(())).require(self._options.plan)
            if not file_changed:
                file_changed.append(undo.enter_context(put))
        self._context.add_notes(self._sentences)
        return _Changed(outcome, *file_changed)

    async def _make_plan(self, changes: Sequence[Change]) -> Plan:
        self._plan, self._sentences = await installplan.planned(
            self._context, self._options, self._repository, changes
        )
        return self._plan

    async def _run(
        self,
        resolved: Callable[[Sequence[Change]], Awaitable[bool]],
        before_writing: Callable[[], Awaitable[None]] | None,
    ) -> Outcome:
        try:
            return await packages.run(
                self._context,
                _request(self._options, self._repository),
                _PACKAGES,
                resolved=resolved,
                before_writing=before_writing,
            )
        except ResolutionFailed as error:
            raise _with_way_out(error, self._options) from error
        except SourceFault as fault:
            raise SourceFault(_with_way_out(fault.error, self._options)) from fault


async def _finish(context: JobContext, options: InstallOptions, done: _Changed) -> dict[str, Any]:
    """Mirrors and service, once the packages are there."""
    result = _described(done.packages)
    changed = done.packages.changed or done.repository
    with context.held(), _keeping_daemon_json(packages_changed=done.packages.changed):
        if done.packages.changed:
            await context.systemd.reload_manager_for(
                names.DOCKER_SOCKET_UNIT, names.DOCKER_UNIT, names.CONTAINERD_UNIT
            )
        if options.mirrors is not None:
            told = len(context.notes)
            applied = await apply_mirrors(context, options.mirrors)
            if options.start:
                del context.notes[told:]  # that the engine does not run yet
            result["mirrors"] = applied["mirrors"]
            changed |= applied["changed"]
        changed_unit, runs = await bring_up(context, options)
        changed |= changed_unit
        if runs:
            context.report(Stage.VERIFYING, 0.95)
            result["engine-version"] = await context.engine.version()
    context.report(Stage.FINISHED, 1.0)
    return {"changed": changed, **result}


def _request(options: InstallOptions, repository: Repository) -> InstallPackages:
    return InstallPackages(
        names=ENGINE if options.minimal else ENGINE + EXTRAS,
        version=options.version,
        versioned=OF_ENGINE_VERSION,
        weak_dependencies=not options.minimal,
        # Who agrees to a plan agrees to the removals in it.
        allow_removals=options.replace_conflicting or bool(options.plan),
        extras=_COMPLETION if options.completion else (),
        urls=(options.containerd_rpm,) if options.containerd_rpm else (),
        lock_wait=options.lock_wait,
        **repository.for_worker(),
    )


def _with_way_out(error: DockmgrError, options: InstallOptions) -> DockmgrError:
    """The error; where containerd.io is what is missing, with the way to have it all the same."""
    if CONTAINERD not in error.details.get(MISSING, ()) or options.containerd_rpm:
        return error
    message = (
        f"{error.message.rstrip('.')}; or give the address of a {CONTAINERD} that fits with "
        "--containerd-rpm URL."
    )
    told = from_name(error.dbus_name, message)
    told.details = error.details
    return told


def _described(outcome: Outcome) -> dict[str, Any]:
    return {
        "installed": list(outcome.installed),
        "upgraded": list(outcome.upgraded),
        "downgraded": list(outcome.downgraded),
        "removed": list(outcome.removed),
        "download-bytes": outcome.download_bytes,
    }


@contextmanager
def _keeping_daemon_json(*, packages_changed: bool) -> Iterator[None]:
    """Put daemon.json back when the context fails, and say what stays on the host."""
    before = _daemon_json()
    try:
        yield
    except DockmgrError as error:
        if before is None:
            atomicfile.remove(paths.DAEMON_JSON)
        elif _daemon_json() != before:
            atomicfile.replace(paths.DAEMON_JSON, before)
        if not packages_changed:
            raise
        message = f"{error.message.rstrip('.')}; the packages are installed all the same."
        raise from_name(error.dbus_name, message) from error


def _daemon_json() -> bytes | None:
    return paths.DAEMON_JSON.read_bytes() if paths.DAEMON_JSON.exists() else None
