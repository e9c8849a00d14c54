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

from dockmgrd.enums import Stage
from dockmgrd.errors import (
    InvalidArgs,
    ResolutionFailed,
    SignatureRejected,
    SourceUnreachable,
    TransactionFailed,
)
from dockmgrd.messages import dnf as messages
from dockmgrd.messages.text import Text
from dockmgrd.worker import download, locks, plan, selection, signatures, space
from dockmgrd.worker.backend import Backend, Module, Package, sort_newest_first
from dockmgrd.worker.channel import Channel
from dockmgrd.worker.clock import is_clock_suspected
from dockmgrd.worker.database import require_readable
from dockmgrd.worker.faults import NotOffered, OtherRepositoryUnreachable, make_offline_error
from dockmgrd.worker.protocol import (
    MISSING,
    InstallPackages,
    ListPackages,
    Outcome,
    RemovePackages,
    Request,
)


def run_request(module: Module, request: Request, channel: Channel) -> Outcome:
    """Do what the request says; wait for the package manager's lock as long as it allows.

    After a wait the work starts again from the beginning, with the files that are already here.

    :raises DockmgrError: what the functions below raise.
    """
    if isinstance(request, ListPackages):
        return _list_versions(module, request, channel)
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
            channel.waiting(messages.WAITING_FOR_LOCK(holder=lock.holder))
            lock.wait(left)


def _install(module: Module, request: InstallPackages, channel: Channel) -> Outcome:
    """Install what the request says; steps that are already done are skipped.

    :raises SignatureRejected: when our key file or any package is rejected.
    :raises ResolutionFailed, ConflictingPackages: when that is impossible, or needs removals.
    :raises SourceUnreachable, InsufficientSpace, PackageManagerLocked, ConfigInvalid,
        ConfigConflict, TransactionFailed: as their names say.
    """
    signatures.check_key_file(Path(request.key_file), request.fingerprint)
    require_readable()
    if selection.is_satisfied(request):
        return Outcome()
    with (
        module.open_backend(weak_dependencies=request.weak_dependencies) as backend,
        _explain_offline(backend),
    ):
        return _install_with(backend, request, channel)


def _install_with(backend: Backend, request: InstallPackages, channel: Channel) -> Outcome:
    """Install with the repositories of the host. Raises as `_install`."""
    notes = backend.load(request, channel, alone=False)
    with _download_files(backend, request, channel) as files:
        channel.progress(Stage.RESOLVING, 0.0)
        marked = selection.mark_install(backend, request, files)
        if not marked:
            return Outcome(notes=tuple(notes))
        try:
            backend.resolve()
        except ResolutionFailed as error:
            error.details = {MISSING: selection.find_unmet_requirements(backend, request, marked)}
            raise
        return _apply(backend, request, files, channel, notes)


def _apply(
    backend: Backend,
    request: InstallPackages,
    downloaded: Sequence[Package],
    channel: Channel,
    notes: Sequence[Text],
) -> Outcome:
    """Do what was resolved."""
    changes = backend.changes()
    channel.ask_consent(changes, notes)
    if not request.allow_removals:
        plan.require_consent(
            changes,
            messages.INSTALL_WOULD_REMOVE,
            messages.AGREE_TO_REPLACE,
        )
    locks.require_rpm_free()
    files = sorted(backend.incoming(), key=lambda each: each.nevra)
    with download.open_checks(files, request, downloaded) as checks:
        download_bytes = download.download_packages(backend, files, changes, checks, channel)
        keys = download.check_packages(backend, files, request, checks, channel)
    complaints = _write(backend, channel, Stage.INSTALLING, keys)
    return plan.make_outcome(changes, download_bytes=download_bytes, notes=(*notes, *complaints))


def _remove(module: Module, request: RemovePackages, channel: Channel) -> Outcome:
    """Remove those of the packages that are installed, and nothing else without consent.

    What only they needed stays. Raises as `_install`, as far as no network is needed.
    """
    channel.progress(Stage.RESOLVING, 0.0)
    require_readable()
    with module.open_backend(weak_dependencies=False) as backend:
        backend.load_system()
        if not selection.mark_remove(backend, request.names):
            return Outcome()
        backend.resolve()
        changes = backend.changes(request.names)
        channel.ask_consent(changes)
        if not request.allow_removals:
            plan.require_consent(
                (each for each in changes if not plan.is_requested(each)),
                messages.UNINSTALL_WOULD_REMOVE,
                messages.AGREE_TO_REMOVE,
            )
        complaints = _write(backend, channel, Stage.REMOVING, ())
        return plan.make_outcome(changes, download_bytes=0, notes=complaints)


def _list_versions(module: Module, request: ListPackages, channel: Channel) -> Outcome:
    """The versions in our repository; no other one is read. Raises as `_install`.

    A private cache means that no lock is needed: the metadata of our repository is small.
    """
    with (
        tempfile.TemporaryDirectory(prefix="dockmgrd-metadata-") as cache,
        module.open_backend(weak_dependencies=False, cache=Path(cache)) as backend,
    ):
        with _explain_offline(backend):
            backend.load(request, channel, alone=True)
        return Outcome(
            offered=tuple(
                {
                    "name": each.name,
                    "evr": f"{each.epoch}:{each.version}-{each.release}"[
                        2 if each.epoch == "0" else 0 :
                    ],
                    "built": each.built,
                    "size": each.size,
                }
                for each in sort_newest_first(backend.find_offered(request.names))
            )
        )


def _write(backend: Backend, channel: Channel, stage: Stage, keys: Sequence[Path]) -> list[Text]:
    """Import the keys and run the transaction; returns the warnings of rpm.

    :raises TransactionFailed: when rpm refuses it, or fails in it.
    """
    locks.require_rpm_free()
    with channel.writing():
        for key in keys:
            if not signatures.import_key(key):
                raise TransactionFailed(messages.KEY_NOT_STORED(file=str(key)))
        return backend.run(channel, stage)


@contextmanager
def _explain_offline(backend: Backend) -> Iterator[None]:
    """Name the setting that forbids the network as the cause of what it causes.

    :raises ConfigConflict: in place of SourceUnreachable, and of a package that is not offered.
    """
    try:
        yield
    except (NotOffered, SourceUnreachable) as error:
        if backend.offline:
            raise make_offline_error(error) from error
        raise


@contextmanager
def _download_files(
    backend: Backend, request: InstallPackages, channel: Channel
) -> Iterator[list[Package]]:
    """The packages that the request gives by URL, downloaded and known to the solver.

    Only rpm's signature check reads a file before it is accepted. The files are deleted at the end.

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
            _download_file(backend, url, file)
        with signatures.open_keyring([Path(request.key_file)]) as ring:
            for url, file in zip(request.urls, files):
                if not ring.accepts(file):
                    reason = messages.NOT_SIGNED_BY(fingerprint=request.fingerprint)
                    raise SignatureRejected(messages.FILE_REJECTED(url=url, reason=reason))
        try:
            packages = backend.add_files(files)
        except ValueError as error:
            raise InvalidArgs(messages.NOT_A_PACKAGE(urls=request.urls)) from error
        yield packages


def _download_file(backend: Backend, url: str, file: Path) -> None:
    try:
        backend.fetch(url, file)
    except OSError as error:
        space.require_not_exhausted(backend.cache, messages.SPACE_TO_DOWNLOAD())
        reason = " ".join(str(error).split()).rstrip(".")
        failed = messages.DOWNLOAD_FAILED(url=url, reason=reason)
        failed = failed.with_remedy(messages.CHECK_ADDRESS_AND_NETWORK())
        if is_clock_suspected(url, reason):
            failed = failed.with_remedy(messages.CHECK_CLOCK(), "timedatectl")
        raise OtherRepositoryUnreachable(failed) from error
    os.chmod(file, 0o644)
