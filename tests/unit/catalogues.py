# SPDX-License-Identifier: LGPL-2.1-or-later
"""Install the catalogs of translations as the RPM does."""

from __future__ import annotations

import subprocess
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "po"


def compile_into(locales: Path) -> Path:
    """Compile them, and return what TEXTDOMAINDIR is to be."""
    for source in FOLDER.glob("*.po"):
        target = locales / source.stem / "LC_MESSAGES" / "dockmgrd.mo"
        target.parent.mkdir(parents=True)
        subprocess.run(["msgfmt", "--check-format", "-o", target, source], check=True)
    return locales
