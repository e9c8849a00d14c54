# SPDX-License-Identifier: LGPL-2.1-or-later
"""Packages by a package manager's API: load, solve, download, check, and only then write.

Used as a library, dnf4 checks no signature, and libdnf5 would import keys for one. Here every
package is checked before anything is written, and the host's rpm learns no key before that.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from dockmgrd.errors import InvalidArgs, ResolutionFailed, SignatureRejected, TransactionFailed
from dockmgrd.model import Stage
from dockmgrd.worker import download as arrivals
from dockmgrd.worker import locks, plan, signatures, space
from dockmgrd.worker import selection as wanted
from dockmgrd.worker.backend import Backend, Module, Package, newest_first
from dockmgrd.worker.channel import Channel
from dockmgrd.worker.faults import OtherRepositoryUnreachable
from dockmgrd.worker.protocol import (
    MISSING,
    InstallPackages,
    ListPackages,
    Outcome,
    RemovePackages,
    Request,
)


def perform(module: Module, request: Request, channel: Channel) -> Outcome:
    """Do what the request says; when another process has packages locked, wait as it allows.

    What was resolved before the wait counts no longer: the work begins anew, with what was fetched.

    :raises DockmgrError: what the functions below raise.
    """
    if isinstance(request, ListPackages):
        return _offered(module, request, channel)
    until = time.monotonic() + request.lock_wait
    while True:
        try:
            if isinstance(request, InstallPackages):
                return _install(module, request, channel)
            return _remove(module, request, channel)
        except locks.Locked as lock:
            left = until - time.monotonic()
            if left <= 0 or channel.committed:
                raise
            channel.waiting(f"waiting for {lock.holder}")
            lock.wait(left)


def _install(module: Module, request: InstallPackages, channel: Channel) -> Outcome:
    """Bring the packages to what the request says; nothing is done that is so already.

    :raises SignatureRejected: when our key file or any package is not what it must be.
    :raises ResolutionFailed, ConflictingPackages: when it cannot be, or not without removals.
    :raises SourceUnreachable, InsufficientSpace, PackageManagerLocked, ConfigInvalid,
        ConfigConflict, TransactionFailed: as their names say.
    """
    signatures.check_key_file(Path(request.key_file), request.fingerprint)
    if wanted.satisfied(request):
        return Outcome()
    with module.opened(weak_dependencies=request.weak_dependencies) as backend:
        notes = backend.load(request, channel, alone=False)
        with _given(backend, request, channel) as files:
            channel.progress(Stage.RESOLVING, 0.0)
            marked = wanted.mark_install(backend, request, files)
            if not marked:
                return Outcome(notes=notes)
            try:
                backend.resolve()
            except ResolutionFailed as error:
                error.details = {MISSING: wanted.lacking(backend, request, marked)}
                raise
            return _bring(backend, request, files, channel, notes)


def _bring(
    backend: Backend,
    request: InstallPackages,
    given: Sequence[Package],
    channel: Channel,
    notes: Sequence[str],
) -> Outcome:
    """Do what was resolved."""
    changes = backend.changes()
    channel.resolved(changes)
    if not request.allow_removals:
        plan.require_consent(
            changes,
            "Docker's packages conflict with what is installed",
            "install with --replace-conflicting to agree, or remove what conflicts yourself",
        )
    locks.require_rpm_free()
    files = sorted(backend.incoming(), key=lambda each: each.nevra)
    with arrivals.checks(files, request, given) as checks:
        download_bytes = arrivals.download(backend, files, changes, checks, channel)
        keys = arrivals.check(backend, files, request, checks, channel)
    complaints = _write(backend, channel, Stage.INSTALLING, keys)
    return plan.outcome(changes, download_bytes=download_bytes, notes=(*notes, *complaints))


def _remove(module: Module, request: RemovePackages, channel: Channel) -> Outcome:
    """Remove those of the packages that are installed, and nothing else without consent.

    What only they needed stays. Raises as `_install`, as far as no network is needed.
    """
    channel.progress(Stage.RESOLVING, 0.0)
    with module.opened(weak_dependencies=False) as backend:
        backend.load_system()
        if not wanted.mark_remove(backend, request.names):
            return Outcome()
        backend.resolve()
        changes = backend.changes(request.names)
        channel.resolved(changes)
        if not request.allow_removals:
            plan.require_consent(
                (each for each in changes if each.reason != plan.ASKED_FOR),
                "Other packages need what is to be removed",
                "uninstall with --force to agree, or remove what needs it yourself",
            )
        complaints = _write(backend, channel, Stage.REMOVING, ())
        return plan.outcome(changes, download_bytes=0, notes=complaints)


def _offered(module: Module, request: ListPackages, channel: Channel) -> Outcome:
    """The versions that our repository has; no other one is looked at. Raises as `_install`.

    It has a cache of its own, so that it neither waits for who works with packages nor is waited
    for: the metadata of our repository is small.
    """
    with (
        tempfile.TemporaryDirectory(prefix="dockmgrd-metadata-") as cache,
        module.opened(weak_dependencies=False, cache=Path(cache)) as backend,
    ):
        backend.load(request, channel, alone=True)
        return Outcome(
            offered=tuple(
                {
                    "name": each.name,
                    "evr": f"{each.epoch}:{each.version}-{each.release}".removeprefix("0:"),
                    "built": each.built,
                    "size": each.size,
                }
                for each in newest_first(backend.offered(request.names))
            )
        )


def _write(backend: Backend, channel: Channel, stage: Stage, keys: Sequence[Path]) -> list[str]:
    """Have rpm learn the keys, and do the transaction; what rpm complained about.

    :raises TransactionFailed: when rpm refuses it, or fails in it.
    """
    locks.require_rpm_free()
    with channel.writing():
        for key in keys:
            if not signatures.import_key(key):
                raise TransactionFailed(f"rpm could not store the key {key}; nothing was changed.")
        return backend.run(channel, stage)


@contextmanager
def _given(backend: Backend, request: InstallPackages, channel: Channel) -> Iterator[list[Package]]:
    """The packages that the request gives by address, fetched and known to the solver.

    Nothing is read of a file but by rpm's check of its signature, until that is good. The files
    are deleted in the end.

    :raises SourceUnreachable: when one cannot be fetched.
    :raises SignatureRejected: when one is not signed by the key.
    """
    if not request.urls:
        yield []
        return
    backend.cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="dockmgrd-", dir=backend.cache) as folder:
        # The name is not the address's: nothing that a caller writes becomes a path.
        files = [Path(folder, f"{number}.rpm") for number, _ in enumerate(request.urls)]
        for url, file in zip(request.urls, files):
            channel.progress(Stage.DOWNLOADING, 0.0, url.rpartition("/")[2])
            _fetch(backend, url, file)
        with signatures.keyring([Path(request.key_file)]) as ring:
            for url, file in zip(request.urls, files):
                if not ring.accepts(file):
                    raise SignatureRejected(
                        f"{url} is not to be trusted: it is damaged, or not signed by the key "
                        f"{request.fingerprint}; nothing was installed."
                    )
        try:
            packages = backend.add_files(files)
        except ValueError as error:
            raise InvalidArgs(f"{', '.join(request.urls)} is no package for this host.") from error
        yield packages


def _fetch(backend: Backend, url: str, file: Path) -> None:
    try:
        backend.fetch(url, file)
    except OSError as error:
        space.require_not_exhausted(backend.cache, "to download packages")
        reason = " ".join(str(error).split()).rstrip(".")
        raise OtherRepositoryUnreachable(
            f"{url} cannot be fetched: {reason}; check the address, the network and the proxy."
        ) from error
    os.chmod(file, 0o644)
