# SPDX-License-Identifier: LGPL-2.1-or-later
"""The package worker: one request on standard input, events on standard output, an exit."""

from __future__ import annotations

import importlib.util
import sys
import traceback

from dockmgrd.errors import DockmgrError, Internal, UnsupportedPlatform
from dockmgrd.worker.channel import Channel
from dockmgrd.worker.protocol import InstallPackages, Outcome


def main() -> int:
    """Do what the request says. The outermost frame of the process: every end is an outcome."""
    channel = Channel.take_over()
    try:
        outcome = _perform(channel)
    except DockmgrError as error:
        outcome = Outcome(error_name=error.dbus_name, error_message=error.message)
    except Exception as error:  # noqa: BLE001  # the traceback goes to the journal, not the caller
        traceback.print_exc()
        outcome = Outcome(
            error_name=Internal.dbus_name,
            error_message=f"The package worker failed unexpectedly ({type(error).__name__}); the "
            "traceback is in the journal of this job's unit, please report it.",
        )
    channel.finish(outcome)
    return 0


def _perform(channel: Channel) -> Outcome:
    request = channel.receive()
    _require_dnf4()
    # Imported only here: dnf may print and set up signals as soon as it is loaded.
    from dockmgrd.worker import dnf4

    if isinstance(request, InstallPackages):
        return dnf4.install(request, channel)
    return dnf4.remove(request, channel)


def _require_dnf4() -> None:
    """:raises UnsupportedPlatform: when the host's package manager is not one that we can drive."""
    if importlib.util.find_spec("dnf") is not None:
        return
    if importlib.util.find_spec("libdnf5") is not None:
        raise UnsupportedPlatform(
            "This host has dnf5, which dockmgrd cannot drive yet; install python3-dnf beside it."
        )
    raise UnsupportedPlatform("This host has no dnf for Python 3; install python3-dnf.")


if __name__ == "__main__":
    sys.exit(main())
