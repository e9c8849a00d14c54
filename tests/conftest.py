# SPDX-License-Identifier: LGPL-2.1-or-later
"""Makes the test bed's fixtures known to all tests."""

from __future__ import annotations

import signal

pytest_plugins = ["bed.building", "bed.fixtures"]

# A shell starts jobs in the background with SIGINT ignored, nohup ignores SIGHUP, and programs
# inherit that. Tests that send these signals to what they start would wait for their time limit.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)
