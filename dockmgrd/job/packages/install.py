# SPDX-License-Identifier: LGPL-2.1-or-later
"""Install: repository, packages, mirrors, service; in the end an engine that answers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from dockmgrd import names, paths
from dockmgrd.enums import Stage
from dockmgrd.errors import (
    DockmgrError,
    KernelModuleMissing,
    ResolutionFailed,
    ServiceFailed,
    from_name,
)
from dockmgrd.host import atomicfile
from dockmgrd.host.rpmdb import CONTAINERD, OF_ENGINE_VERSION
from dockmgrd.host.running_engine import check_local_socket
from dockmgrd.job.context import JobContext
from dockmgrd.job.mirrors.set_mirror import apply_mirrors
from dockmgrd.job.packages import engine_service, install_plan, sources, worker
from dockmgrd.job.packages.install_checks import (
    find_plan_refusal,
    find_refusal,
    list_packages,
)
from dockmgrd.job.packages.repofile import Repository, RepositoryFile
from dockmgrd.job.packages.worker import SourceFault, Span, Transaction
from dockmgrd.job.plan import Plan
from dockmgrd.messages import packages as messages
from dockmgrd.options.packages import InstallOptions
from dockmgrd.worker.protocol import MISSING, Change, InstallPackages, Outcome

_COMPLETION = ("bash-completion",)  # docker-ce-cli brings what it completes
_PLANNABLE = (KernelModuleMissing, ServiceFailed)
"""Refusals with which a dry run still has a plan to show."""
_PACKAGES = Span(0.03, 0.8)


async def install(context: JobContext, options: InstallOptions) -> dict[str, Any]:
    """Install what the options say, and start the engine. Steps that are already done are skipped.

    Until rpm writes, the job can be canceled, and a failure leaves the host as it was. Once the
    packages are installed, the repository file stays, because it is the source of their updates.
    A later failure restores daemon.json and reports that the packages are installed.

    :returns: `changed`, `source`, `tried` (see `sources.describe_source`), `installed`, `upgraded`,
        `downgraded`, `removed` (NEVRAs), `download-bytes`, `mirrors` when they were asked for,
        `engine-version` of a running engine, and `diff`, `steps` and `digest` of the plan. A dry
        run: what `Plan.to_result` has, and as `refusal` the error with which the same without
        dry-run would end, where it would.
    :raises InvalidArgs, UnsupportedPlatform: for an unknown source, or a system without packages.
    :raises WriteFailed: when packages, or the files that have to change, cannot be changed.
    :raises ConfigInvalid: for a daemon.json into which the mirrors cannot go.
    :raises ConflictingPackages: when packages would go that nobody agreed to remove.
    :raises PlanChanged: when the caller has agreed to something else.
    :raises DockmgrError: what the package worker, `apply_mirrors` and the service raise.
    """
    context.report(Stage.PREPARING, 0.0)
    repositories = await sources.find_repositories(context, options)
    refusal = await find_refusal(context, options, repositories[0])
    if refusal is not None and not options.dry_run:
        raise refusal
    if refusal is not None and not isinstance(refusal, _PLANNABLE):
        # There is nothing to plan with, and nothing is downloaded in vain.
        return _describe_refusal(refusal)
    try:
        result = await _install_from_first(context, options, repositories)
    except DockmgrError:
        if refusal is None:
            raise
        # There is no plan, but the job would not have come so far.
        return _describe_refusal(refusal)
    return {**result, **({"refusal": refusal.to_plain()} if refusal is not None else {})}


def _describe_refusal(refusal: DockmgrError) -> dict[str, Any]:
    """The result of a dry run that knows why the job would be refused, and has no plan."""
    result = {"dry-run": True, "changed": True, **Plan().to_result()}
    return {**result, "refusal": refusal.to_plain()}


async def _install_from_first(
    context: JobContext, options: InstallOptions, repositories: Sequence[Repository]
) -> dict[str, Any]:
    """Do all of it with the first source that works.

    :raises DockmgrError: when none does, or for another reason than the source.
    """
    failed: list[sources.Attempt] = []
    for repository in repositories:
        try:
            result = await _install_from(context, options, repository)
        except SourceFault as fault:
            failed.append(sources.Attempt(repository, _add_remedy(fault.error, options)))
            continue
        return {**result, **sources.describe_source(repository, failed)}
    raise sources.combine_errors(failed)


async def _install_from(
    context: JobContext, options: InstallOptions, repository: Repository
) -> dict[str, Any]:
    """Do all of it with one source.

    :raises SourceFault: when another source may do better; nothing was changed.
    """
    request = await _make_request(context, options, repository)
    async with worker.transaction(context, request, _PACKAGES) as transaction:
        ready = False
        while not ready:
            changes = await _resolve(transaction, options)
            plan, notes = await install_plan.make_plan(context, options, repository, changes)
            refusal = find_plan_refusal(plan, allow_removals=request.allow_removals)
            if options.dry_run:
                context.add_notes((*transaction.notes, *notes))
                result = {"dry-run": True, "changed": bool(plan.steps), **plan.to_result()}
                return {**result, **({"refusal": refusal.to_plain()} if refusal else {})}
            plan.require_digest(options.plan)
            if refusal is not None:
                raise refusal
            ready = await transaction.prepare()
        with RepositoryFile().replaced_by(repository) as file_changed:
            outcome = await transaction.commit()
    context.add_notes(notes)
    result = await _finish(context, options, outcome, repository_changed=file_changed)
    return {**result, **plan.to_record()}


async def _resolve(transaction: Transaction, options: InstallOptions) -> tuple[Change, ...]:
    try:
        return await transaction.resolve()
    except ResolutionFailed as error:
        raise _add_remedy(error, options) from error


async def _finish(
    context: JobContext, options: InstallOptions, outcome: Outcome, *, repository_changed: bool
) -> dict[str, Any]:
    """Mirrors and service, once the packages are there."""
    result = _describe_packages(outcome)
    changed = outcome.changed or repository_changed
    with context.hold(), _restoring_daemon_json(packages_changed=outcome.changed):
        if outcome.changed:
            await context.systemd.reload_manager_for(
                names.DOCKER_SOCKET_UNIT, names.DOCKER_UNIT, names.CONTAINERD_UNIT
            )
        if options.mirrors is not None:
            notes_before = len(context.notes)
            applied = await apply_mirrors(context, options.mirrors)
            if options.start:
                del context.notes[notes_before:]  # that the engine does not run yet
            result["mirrors"] = applied["mirrors"]
            changed |= applied["changed"]
        changed_unit, runs = await engine_service.start_engine(context, options)
        changed |= changed_unit
        if runs:
            context.report(Stage.VERIFYING, 0.95)
            version = await _ask_version(context)
            result.update({"engine-version": version} if version else {})
    return {"changed": changed, **result}


async def _ask_version(context: JobContext) -> str:
    """The version of the running engine; "" when it listens only where it cannot be asked."""
    try:
        check_local_socket(names.DOCKER_UNIT)
    except ServiceFailed as error:
        context.add_note(error.text)
        return ""
    return await context.engine.version()


async def _make_request(
    context: JobContext, options: InstallOptions, repository: Repository
) -> InstallPackages:
    return InstallPackages(
        names=list_packages(options, await context.packages.require_versions()),
        version=options.version,
        versioned=OF_ENGINE_VERSION,
        upgrade=options.upgrade,
        # An upgrade brings nothing that is not there, also with a dnf before 4.13.
        weak_dependencies=not (options.minimal or options.upgrade),
        # Who agrees to a plan agrees to the removals in it.
        allow_removals=options.replace_conflicting or bool(options.plan),
        extras=_COMPLETION if options.completion else (),
        urls=(options.containerd_rpm,) if options.containerd_rpm else (),
        lock_wait=options.lock_wait,
        **repository.request_fields(),
    )


def _add_remedy(error: DockmgrError, options: InstallOptions) -> DockmgrError:
    """The error; when containerd.io is what is missing, with one more way out."""
    if CONTAINERD not in error.details.get(MISSING, ()) or options.containerd_rpm:
        return error
    remedy = messages.GIVE_CONTAINERD_RPM(package=CONTAINERD)
    command = ""
    if error.text.remedy is not None:
        remedy = messages.join_sentences(error.text.remedy.text, remedy)
        command = error.text.remedy.command
    extended = from_name(error.dbus_name, error.text.with_remedy(remedy, command))
    extended.details = error.details
    return extended


def _describe_packages(outcome: Outcome) -> dict[str, Any]:
    return {
        "installed": list(outcome.installed),
        "upgraded": list(outcome.upgraded),
        "downgraded": list(outcome.downgraded),
        "removed": list(outcome.removed),
        "download-bytes": outcome.download_bytes,
    }


@contextmanager
def _restoring_daemon_json(*, packages_changed: bool) -> Iterator[None]:
    """Put daemon.json back when the context fails, and say what stays on the host."""
    before = atomicfile.read(paths.DAEMON_JSON)
    try:
        yield
    except DockmgrError as error:
        if before is None:
            atomicfile.remove_target(paths.DAEMON_JSON)
        elif atomicfile.read(paths.DAEMON_JSON) != before:
            atomicfile.replace(paths.DAEMON_JSON, before)
        if not packages_changed:
            raise
        text = error.text.extend(messages.PACKAGES_REMAIN)
        raise from_name(error.dbus_name, text) from error
