# SPDX-License-Identifier: LGPL-2.1-or-later
"""The main process of dockmgrd-job@ID.service."""

from __future__ import annotations

import gc
import os
import sys

_OBJECTS_BETWEEN_COLLECTIONS = 50_000


def run() -> None:
    """Be the process, and quick about it: somebody waits for the job.

    What modules bring with them is no garbage, and looking for some takes a tenth of their loading.
    The daemon waits for our end, not for Python to tidy up.
    """
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS)
    from dockmgrd.job.process import main

    code = main(sys.argv[1:])
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    run()
