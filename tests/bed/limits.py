# SPDX-License-Identifier: LGPL-2.1-or-later
"""How long tests wait for what is certain to come, in seconds.

A machine that runs other things beside the tests is ten times slower now and then, and no test
may fail for that. So these limits are met only by what hangs; how fast something is, `make bench`
says, as a ratio. The limit of a whole test is `timeout` in pyproject.toml and longer than these.
"""

from __future__ import annotations

HANG_TIMEOUT = 300.0
"""For one step: a command on a host, a boot, an answer on the bus, the end of a process."""
