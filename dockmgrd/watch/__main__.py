# SPDX-License-Identifier: LGPL-2.1-or-later
"""The main process of dockmgrd-mirror-watch.service: one run of the mirror watch."""

from __future__ import annotations

import sys

from dockmgrd.watch.run import main

if __name__ == "__main__":
    sys.exit(main())
