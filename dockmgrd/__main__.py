# SPDX-License-Identifier: LGPL-2.1-or-later
"""`python3 -m dockmgrd` is the daemon."""

import sys

from dockmgrd.daemon.main import main

if __name__ == "__main__":
    sys.exit(main())
