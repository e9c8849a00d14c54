# SPDX-License-Identifier: LGPL-2.1-or-later
"""The main process of dockmgrd.service."""

from __future__ import annotations

import sys

from dockmgrd.daemon.main import main

if __name__ == "__main__":
    sys.exit(main())
