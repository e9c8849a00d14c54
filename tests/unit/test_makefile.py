# SPDX-License-Identifier: LGPL-2.1-or-later
"""`make help` describes each target."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_help_has_a_line_for_each_target() -> None:
    text = (ROOT / "Makefile").read_text().replace("\\\n", "")
    [phony] = re.findall(r"^\.PHONY: (.*)$", text, re.M)
    shown = subprocess.run(
        ["make", "help"], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True
    ).stdout
    lines = [line.split(maxsplit=1) for line in shown.splitlines()]
    assert sorted(name for name, _ in lines) == sorted(phony.split())
    assert all(meaning[0].isupper() for _, meaning in lines)
