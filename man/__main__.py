# SPDX-License-Identifier: LGPL-2.1-or-later
"""`python3 -m man FOLDER`: write all pages into that folder."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from completions import template
from dockmgrd import __version__
from man import commands, daemon, interfaces

_HERE = Path(__file__).parent


def main() -> None:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    # The same sources make the same pages, as rpmbuild wants it.
    date = time.gmtime(float(os.environ.get("SOURCE_DATE_EPOCH") or time.time()))
    texts = {
        "DATE": time.strftime("%Y-%m-%d", date),
        "VERSION": __version__,
        **commands.texts(),
        **daemon.texts(),
        **interfaces.texts(),
    }
    for source in _HERE.glob("*.in"):
        page = template.filled(source, texts)
        (folder / source.stem).write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
