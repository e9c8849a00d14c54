# SPDX-License-Identifier: LGPL-2.1-or-later
"""Writes the timer of the mirror watch, if dockmgrd.yaml turns it on: systemd.generator(7)."""

from __future__ import annotations

import sys
from pathlib import Path

from dockmgrd import names
from dockmgrd.host import adminconfig, watch_config


def generate(folder: Path, limits: adminconfig.Limits) -> None:
    """Write the timer, and have it start with the other timers at boot."""
    if limits.mirror_watch is None:
        return
    timer = watch_config.render_timer(limits.mirror_watch)
    (folder / names.WATCH_TIMER).write_text(timer, encoding="utf-8")
    wants = folder / "timers.target.wants"
    wants.mkdir(exist_ok=True)
    (wants / names.WATCH_TIMER).symlink_to(Path("..", names.WATCH_TIMER))


def main(arguments: list[str]) -> int:
    """Generate into the first of the folders that systemd passes."""
    limits, problem = adminconfig.load()
    if problem:
        print(problem, file=sys.stderr)
    generate(Path(arguments[0]), limits)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
