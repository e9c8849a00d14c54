# SPDX-License-Identifier: LGPL-2.1-or-later
"""`python -m bed.busy COMMAND...`: run a command while other processes keep two cores busy.

No test may fail for that: see `bed.limits`.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

LOOPS = 2
# A signal for the death of the parent would come too late if it dies before the loop asks for one.
_LOOP = """
import os, sys
while os.getppid() == int(sys.argv[1]):
    pass
"""
_FORWARDED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def run(argv: Sequence[str]) -> int:
    """Return the command's exit status, as a shell tells it. Signals are the command's to obey."""
    with ExitStack() as stack:
        for _ in range(LOOPS):
            stack.enter_context(_keep_a_core_busy())
        command = subprocess.Popen(argv)
        for number in _FORWARDED:
            signal.signal(number, lambda received, _frame: command.send_signal(received))
        status = command.wait()
    return status if status >= 0 else 128 - status


@contextmanager
def _keep_a_core_busy() -> Iterator[None]:
    """Run a loop of nice value 0 within the context. It ends with this process in any case."""
    nice = ["nice", f"--adjustment={-os.nice(0)}"]
    loop = [sys.executable, "-ISc", _LOOP, str(os.getpid())]
    with subprocess.Popen([*nice, *loop], stdin=subprocess.DEVNULL) as process:
        try:
            yield
        finally:
            process.kill()


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
