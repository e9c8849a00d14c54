# SPDX-License-Identifier: LGPL-2.1-or-later
"""The package worker: one request on standard input, events on standard output, an exit."""

from __future__ import annotations

import importlib.util
import os
import sys
import tempfile
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

from dockmgrd.errors import DockmgrError, Internal, UnsupportedPlatform, WriteFailed
from dockmgrd.messages import dnf as messages
from dockmgrd.paths import WORKER_TEMPORARY_VARIABLE
from dockmgrd.worker.channel import Channel
from dockmgrd.worker.faults import another_source_may_help
from dockmgrd.worker.protocol import MISSING, Outcome

if TYPE_CHECKING:
    from dockmgrd.worker.backend import Module

_DNF = Path("/usr/bin/dnf")
_MODULES = {"dnf": "dnf4", "libdnf5": "dnf5"}


def main() -> int:
    """Do what the request says. The outermost frame of the process: every end is an outcome."""
    # A folder that is deleted with the job, also when this is killed. The scripts of packages do
    # not inherit it.
    tempfile.tempdir = os.environ.pop(WORKER_TEMPORARY_VARIABLE, None)
    channel = Channel.take_over()
    try:
        outcome = _perform_and_name_files(channel)
    except DockmgrError as error:
        outcome = Outcome(
            error_name=error.dbus_name,
            error=error.text,
            another_source_may_help=another_source_may_help(error),
            missing=tuple(error.details.get(MISSING, ())),
        )
    except Exception as error:  # noqa: BLE001  # the traceback goes to the journal, not the caller
        traceback.print_exc()
        outcome = Outcome(
            error_name=Internal.dbus_name,
            error=messages.WORKER_CRASHED(error=type(error).__name__).with_remedy(
                messages.READ_JOB_JOURNAL()
            ),
        )
    channel.finish(outcome)
    return 0


def _perform_and_name_files(channel: Channel) -> Outcome:
    """Do what the request says; a file of the host that cannot be used is no fault of ours.

    :raises WriteFailed: naming the file.
    """
    try:
        return _perform(channel)
    except OSError as error:
        if not error.filename:
            raise
        traceback.print_exc()
        text = messages.FILE_NOT_USABLE(path=str(error.filename), reason=str(error.strerror))
        raise WriteFailed(text.with_remedy(messages.FIX_CAUSE())) from error


def _perform(channel: Channel) -> Outcome:
    # Imported only here: dnf may print and set up signals as soon as it is loaded.
    from dockmgrd.worker import transaction

    backend = _backend()
    return transaction.run_request(backend, channel.receive(), channel)


def _backend() -> Module:
    """The one for what the host's `dnf` is: where both are installed, that one is used by people.

    :raises UnsupportedPlatform: when the host has no package manager that we can drive.
    """
    wanted = ("libdnf5", "dnf") if _DNF.resolve().name == "dnf5" else ("dnf", "libdnf5")
    found = [name for name in wanted if importlib.util.find_spec(name) is not None]
    if not found:
        missing = "python3-libdnf5" if wanted[0] == "libdnf5" else "python3-dnf"
        text = messages.DNF_API_MISSING(package=missing)
        remedy = messages.INSTALL_PACKAGE(package=missing)
        raise UnsupportedPlatform(text.with_remedy(remedy, f"dnf install {missing}"))
    return importlib.import_module(f"dockmgrd.worker.{_MODULES[found[0]]}.backend")


if __name__ == "__main__":
    code = main()
    sys.stderr.flush()
    os._exit(code)  # The job waits for our end, not for Python to tidy up.
