# SPDX-License-Identifier: LGPL-2.1-or-later
"""Install: repository, packages, mirrors, service; in the end an engine that answers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from dockmgrd import atomicfile, daemonjson, names, paths
from dockmgrd.errors import DockmgrError, from_name
from dockmgrd.job import packages
from dockmgrd.job.context import JobContext
from dockmgrd.job.packages import Span
from dockmgrd.job.repofile import Repository, RepositoryFile
from dockmgrd.job.set_mirror import apply_mirrors
from dockmgrd.model import Stage
from dockmgrd.options import InstallOptions
from dockmgrd.platforms import Platform, repository_tree
from dockmgrd.worker.protocol import InstallPackages, Outcome

_ENGINE = ("docker-ce", "docker-ce-cli", "containerd.io")
_EXTRAS = ("docker-buildx-plugin", "docker-compose-plugin", "docker-ce-rootless-extras")
_OF_ENGINE_VERSION = ("docker-ce", "docker-ce-cli", "docker-ce-rootless-extras")
_PACKAGES = Span(0.03, 0.8)


async def install(context: JobContext, options: InstallOptions) -> dict[str, Any]:
    """Bring the host to what the options say; what is so already is not done again.

    Until rpm writes, the job can be cancelled, and a failure leaves the host as it was. When
    packages are there, the repository file stays whatever happens: it is where they get their
    updates from. Then a failure puts daemon.json back and says that the packages are installed.

    :returns: `changed`, `source`, `installed`, `upgraded`, `downgraded`, `removed` (NEVRAs),
        `download-bytes`, `mirrors` when they were asked for, `engine-version` of a running engine.
    :raises InvalidArgs, UnsupportedPlatform: for an unknown source, or a system without packages.
    :raises ConfigInvalid: for a daemon.json into which the mirrors cannot go.
    :raises DockmgrError: what the package worker, `apply_mirrors` and the service raise.
    """
    context.report(Stage.PREPARING, 0.0)
    source = context.catalogue.source(options.source)
    repository = Repository(source, repository_tree(Platform.read()), options.channel)
    if options.mirrors:
        daemonjson.parse(_daemon_json() or b"", str(paths.DAEMON_JSON))  # mended before, not after
    with RepositoryFile().put(repository) as repository_changed:
        outcome = await packages.run(context, _request(options, repository), _PACKAGES)
    result = {"source": source.name, **_described(outcome)}
    with context.held(), _keeping_daemon_json(packages_changed=outcome.changed):
        if outcome.changed:
            await context.systemd.reload_manager()
        if options.mirrors is not None:
            told = len(context.notes)
            applied = await apply_mirrors(context, options.mirrors)
            if options.start:
                del context.notes[told:]  # that the engine does not run yet
            result["mirrors"] = applied["mirrors"]
            repository_changed |= applied["changed"]
        service_changed = await _bring_up(context, options)
        if (await context.systemd.state(names.DOCKER_UNIT)).active:
            context.report(Stage.VERIFYING, 0.95)
            result["engine-version"] = await context.engine.version()
    context.report(Stage.FINISHED, 1.0)
    return {"changed": outcome.changed or repository_changed or service_changed, **result}


def _request(options: InstallOptions, repository: Repository) -> InstallPackages:
    return InstallPackages(
        names=_ENGINE if options.minimal else _ENGINE + _EXTRAS,
        version=options.version,
        versioned=_OF_ENGINE_VERSION,
        repository=repository.id,
        key_file=str(repository.source.key.file),
        fingerprint=repository.source.key.fingerprint,
        weak_dependencies=not options.minimal,
        allow_removals=options.replace_conflicting,
    )


def _described(outcome: Outcome) -> dict[str, Any]:
    return {
        "installed": list(outcome.installed),
        "upgraded": list(outcome.upgraded),
        "downgraded": list(outcome.downgraded),
        "removed": list(outcome.removed),
        "download-bytes": outcome.download_bytes,
    }


async def _bring_up(context: JobContext, options: InstallOptions) -> bool:
    """Enable and start the service as far as asked for; whether anything had to be done."""
    unit = await context.systemd.state(names.DOCKER_UNIT)
    to_enable = options.enable and unit.unit_file_state != "enabled"
    to_start = options.start and not unit.active
    if to_enable:
        context.report(Stage.CONFIGURING, 0.85)
        await context.systemd.enable(names.DOCKER_UNIT)
    if to_start:
        context.report(Stage.STARTING, 0.87, names.DOCKER_UNIT)
        await context.systemd.start(names.DOCKER_UNIT)
    return to_enable or to_start


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
