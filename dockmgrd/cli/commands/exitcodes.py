# SPDX-License-Identifier: LGPL-2.1-or-later
"""Errors as dockmgrctl ends with them: their names, their exit codes and what those mean."""

from __future__ import annotations

import signal
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dockmgrd import errors
from dockmgrd.cli.i18n.translation import N_
from dockmgrd.errors import DockmgrError, RemoteError, from_name
from dockmgrd.messages.text import Text

_MEANINGS: Mapping[type[DockmgrError], str] = {
    errors.Internal: N_("internal error in dockmgrd; see the journal"),
    errors.InvalidArgs: N_("invalid command line or value"),
    errors.AccessDenied: N_("permission denied"),
    errors.InteractiveAuthorizationRequired: N_("a password is needed, and cannot be prompted for"),
    errors.LimitsExceeded: N_("too many requests at once"),
    errors.ServiceUnknown: N_("dockmgrd is not installed or does not start"),
    errors.NoReply: N_("dockmgrd stopped before it answered"),
    errors.UnknownObject: N_("no such job"),
    errors.Busy: N_("another job is running"),
    errors.NotInstalled: N_("Docker Engine is not installed"),
    errors.ConflictingPackages: N_("installed packages conflict"),
    errors.SourceUnreachable: N_("no package source can be used"),
    errors.SignatureRejected: N_("a package is not signed with the expected key"),
    errors.PackageManagerLocked: N_("the package manager is locked"),
    errors.ResolutionFailed: N_("dnf cannot resolve the packages"),
    errors.TransactionFailed: N_("the RPM transaction failed"),
    errors.ConfigInvalid: N_("daemon.json is not valid"),
    errors.ConfigConflict: N_("daemon.json and the unit contradict each other"),
    errors.MirrorUnreachable: N_("no registry mirror works"),
    errors.ServiceFailed: N_("Docker Engine does not start"),
    errors.RolledBack: N_("the change failed and was undone"),
    errors.NotCancellable: N_("the job can no longer be canceled"),
    errors.Cancelled: N_("the job was canceled, or the plan not confirmed"),
    errors.Interrupted: N_("the job was interrupted"),
    errors.InsufficientSpace: N_("not enough disk space"),
    errors.UnsupportedPlatform: N_("this system is not supported"),
    errors.KernelModuleMissing: N_("the kernel lacks a module"),
    errors.ContainersRunning: N_("containers would stop"),
    errors.UnsafePath: N_("a folder is not safe to delete"),
    errors.WriteFailed: N_("a file could not be written"),
    errors.PlanChanged: N_("the plan has changed since it was confirmed"),
    errors.HostUnreachable: N_("ssh cannot reach a host"),
}


@dataclass(frozen=True)
class ExitCode:
    """A code, the error's name as on the bus without its prefix, and what it means."""

    code: int
    name: str
    meaning: str


def list_exit_codes() -> tuple[ExitCode, ...]:
    """Return all exit codes, ascending. A code that no error stands for has an empty name."""
    of_errors = (
        ExitCode(error.exit_code, error.dbus_name.rpartition(".")[2], meaning)
        for error, meaning in _MEANINGS.items()
    )
    return (
        ExitCode(0, "", N_("success")),
        *sorted(of_errors, key=lambda each: each.code),
        ExitCode(128 + signal.SIGINT, "", N_("interrupted (Ctrl-C); the job keeps running")),
    )


def make_error(name: str, text: Text | str) -> DockmgrError:
    """Return the error of that bus name; a RemoteError if this version does not know the name."""
    error = from_name(name, text)
    return RemoteError(name, str(text)) if type(error) is DockmgrError else error


def get_error_name(error: DockmgrError) -> str:
    """Return the name that the error has on the bus."""
    return error.name if isinstance(error, RemoteError) else error.dbus_name


def format_error(error: DockmgrError, job_id: str = "") -> dict[str, Any]:
    """Return what --json prints instead of a result.

    :param job_id: of the job that ended with the error; "" if no job did.
    """
    plain = error.text.to_plain()
    optional = {
        "id": plain["id"],
        "args": plain["args"],
        "remedy": plain.get("remedy"),
        "job": job_id,
        "details": dict(error.details),
    }
    return {
        "error": {
            "name": get_error_name(error),
            "message": error.reply if isinstance(error, RemoteError) else error.message,
            **{key: value for key, value in optional.items() if value},
        }
    }
