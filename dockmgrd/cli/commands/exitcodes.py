# SPDX-License-Identifier: LGPL-2.1-or-later
"""Errors as dockmgrctl ends with them: their names, their exit codes and what those mean."""

from __future__ import annotations

import signal
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dockmgrd import errors
from dockmgrd.errors import DockmgrError, RemoteError, from_name

_MEANINGS: Mapping[type[DockmgrError], str] = {
    errors.Internal: "a fault of dockmgrd, told in the journal",
    errors.InvalidArgs: "a command line or value that is not valid",
    errors.AccessDenied: "you may not do that",
    errors.InteractiveAuthorizationRequired: "a password is needed, and nobody could be asked",
    errors.LimitsExceeded: "too many requests at once",
    errors.ServiceUnknown: "dockmgrd is not installed or does not start",
    errors.NoReply: "dockmgrd went away before it answered",
    errors.UnknownObject: "there is no such job",
    errors.Busy: "another job runs",
    errors.NotInstalled: "the Docker Engine is not installed",
    errors.ConflictingPackages: "packages are in the way",
    errors.SourceUnreachable: "no package source can be reached",
    errors.SignatureRejected: "a package is not signed by the right key",
    errors.PackageManagerLocked: "another package manager is at work",
    errors.ResolutionFailed: "the packages do not fit together",
    errors.TransactionFailed: "rpm failed while it wrote",
    errors.ConfigInvalid: "daemon.json is not valid",
    errors.ConfigConflict: "daemon.json and the unit contradict each other",
    errors.MirrorUnreachable: "no registry mirror works",
    errors.ServiceFailed: "the engine does not start",
    errors.RolledBack: "the change did not take, and was undone",
    errors.NotCancellable: "the job can no longer be stopped",
    errors.Cancelled: "the job was cancelled, or you did not agree",
    errors.Interrupted: "the job was cut off",
    errors.InsufficientSpace: "there is no space left",
    errors.UnsupportedPlatform: "this system is not known",
    errors.KernelModuleMissing: "the kernel lacks a module",
    errors.ContainersRunning: "containers would be stopped",
    errors.UnsafePath: "a folder is not safe to delete",
    errors.WriteFailed: "a file could not be written",
    errors.PlanChanged: "the plan is no longer the one that was agreed to",
    errors.HostUnreachable: "ssh cannot reach a host",
}


@dataclass(frozen=True)
class ExitCode:
    """A code, the error's name as on the bus without its prefix, and what it means."""

    code: int
    name: str
    meaning: str


def exit_codes() -> tuple[ExitCode, ...]:
    """All exit codes, ascending. What no error stands for has an empty name."""
    of_errors = (
        ExitCode(error.exit_code, error.dbus_name.rpartition(".")[2], meaning)
        for error, meaning in _MEANINGS.items()
    )
    return (
        ExitCode(0, "", "success"),
        *sorted(of_errors, key=lambda each: each.code),
        ExitCode(128 + signal.SIGINT, "", "left by Ctrl-C; the job goes on"),
    )


def error_of(code: int, message: str) -> DockmgrError:
    """The error that a dockmgrctl has ended with; an unknown code is an unknown error."""
    fitting = [error for error in _MEANINGS if error.exit_code == code]
    return fitting[0](message) if fitting else DockmgrError(message)


def make_error(name: str, text: str) -> DockmgrError:
    """The error of that name; a RemoteError when this version knows none."""
    error = from_name(name, text)
    return RemoteError(name, text) if type(error) is DockmgrError else error


def name_of(error: DockmgrError) -> str:
    """The name that the error has on the bus."""
    return error.name if isinstance(error, RemoteError) else error.dbus_name


def to_json(error: DockmgrError) -> dict[str, Any]:
    """What --json prints instead of a result."""
    text = error.reply if isinstance(error, RemoteError) else error.message
    details = {"details": dict(error.details)} if error.details else {}
    return {"error": {"name": name_of(error), "message": text, **details}}
