# SPDX-License-Identifier: LGPL-2.1-or-later
"""The main process of dockmgrd-job@ID.service."""

from __future__ import annotations

import gc
import os
import sys

# Modules are no garbage, and searching them for some takes a tenth of the time to load them.
gc.set_threshold(50_000)

from dockmgrd.job.process import main  # noqa: E402


def run() -> None:
    """Run the job of the command line. The daemon waits for our end, so Python does not tidy up."""
    code = main(sys.argv[1:])
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    run()
