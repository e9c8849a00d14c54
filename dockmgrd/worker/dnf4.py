# SPDX-License-Identifier: LGPL-2.1-or-later
"""Packages by dnf4's API: load, solve, download, check, and only then write.

dnf4 checks no signature by itself when it is used as a library. Here every package is checked
before anything is written, and the host's rpm learns no key before that.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import dnf.exceptions
import libdnf.transaction

from dockmgrd.errors import TransactionFailed
from dockmgrd.model import Stage
from dockmgrd.worker import dnf4_base, dnf4_files, dnf4_solver, locks, signatures
from dockmgrd.worker.channel import Channel
from dockmgrd.worker.dnf4_progress import TransactionProgress
from dockmgrd.worker.protocol import InstallPackages, Outcome, RemovePackages


def install(request: InstallPackages, channel: Channel) -> Outcome:
    """Bring the packages to what the request says; nothing is done that is so already.

    :raises SignatureRejected: when our key file or any package is not what it must be.
    :raises ResolutionFailed, ConflictingPackages: when it cannot be, or not without removals.
    :raises SourceUnreachable, InsufficientSpace, PackageManagerLocked, ConfigInvalid,
        ConfigConflict, TransactionFailed: as their names say.
    """
    signatures.check_key_file(Path(request.key_file), request.fingerprint)
    if dnf4_solver.satisfied(request):
        return Outcome()
    with dnf4_base.opened() as base:
        base.conf.install_weak_deps = request.weak_dependencies
        notes = dnf4_base.load_repositories(base, request.repository, channel)
        channel.progress(Stage.RESOLVING, 0.0)
        if not dnf4_solver.mark_install(base, request):
            return Outcome(notes=notes)
        plan = dnf4_solver.resolve(base)
        if not request.allow_removals:
            dnf4_solver.require_consent(
                plan.removed,
                "Docker's packages conflict with what is installed",
                "install with --replace-conflicting to agree, or remove what conflicts yourself",
            )
        locks.require_rpm_free()
        packages = list(base.transaction.install_set)
        download_bytes = dnf4_files.download(base, packages, request, channel)
        keys = dnf4_files.check(base, packages, request, channel)
        complaints = _write(base, channel, Stage.INSTALLING, keys)
        return plan.outcome(download_bytes=download_bytes, notes=(*notes, *complaints))


def remove(request: RemovePackages, channel: Channel) -> Outcome:
    """Remove those of the packages that are installed, and nothing else without consent.

    What only they needed stays. Raises as `install`, as far as no network is needed.
    """
    channel.progress(Stage.RESOLVING, 0.0)
    with dnf4_base.opened() as base:
        dnf4_base.load_system(base)
        if not dnf4_solver.mark_remove(base, request.names):
            return Outcome()
        plan = dnf4_solver.resolve(base)
        if not request.allow_removals:
            dnf4_solver.require_consent(
                (
                    str(each)
                    for each in base.transaction.remove_set
                    if each.name not in request.names
                ),
                "Other packages need what is to be removed",
                "uninstall with --force to agree, or remove what needs it yourself",
            )
        complaints = _write(base, channel, Stage.REMOVING, ())
        return plan.outcome(download_bytes=0, notes=tuple(complaints))


def _write(base: Any, channel: Channel, stage: Stage, keys: Sequence[Path]) -> list[str]:
    """Test the transaction and run it; what rpm complained about without failing.

    :raises TransactionFailed: when rpm refuses it, or fails in it.
    """
    locks.require_rpm_free()
    display = TransactionProgress(channel, stage)
    with channel.writing():
        for key in keys:
            if not signatures.import_key(key):
                raise TransactionFailed(f"rpm could not store the key {key}; nothing was changed.")
        try:
            base.do_transaction(display)
        except dnf.exceptions.LockError:
            raise
        except dnf.exceptions.Error as error:
            raise _failure(display, " ".join(str(error).split())) from error
    failed = [
        str(item.pkg)
        for item in base.transaction
        if item.state == libdnf.transaction.TransactionItemState_ERROR
    ]
    if failed:
        raise _failure(display, f"{', '.join(failed)} failed")
    return display.complaints


def _failure(display: TransactionProgress, reason: str) -> TransactionFailed:
    reasons = "; ".join([reason.rstrip("."), *display.complaints])
    if not display.began:
        return TransactionFailed(
            f"rpm refused the transaction: {reasons}; nothing was changed, remove what stands in "
            "the way and try again."
        )
    return TransactionFailed(
        f"rpm failed while it was writing: {reasons}; /var/log/dnf.rpm.log says why, correct that "
        "and try again."
    )
