# SPDX-License-Identifier: LGPL-2.1-or-later
"""The main process of dockmgrd.service."""

from __future__ import annotations

import sys

# asyncio loads OpenSSL if there is such a module, which takes a tenth of the daemon's start and of
# its memory. The daemon has no connection but to the bus and to the engine's socket.
sys.modules["ssl"] = None  # type: ignore[assignment]

from dockmgrd.daemon.main import main  # noqa: E402

if __name__ == "__main__":
    sys.exit(main())
