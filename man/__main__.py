# SPDX-License-Identifier: LGPL-2.1-or-later
"""`python3 -m man FOLDER [PYTHON]`: write all pages into that folder.

PYTHON is the interpreter that has docutils; without it, the one that runs this.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from completions import template
from dockmgrd import __version__
from man import commands, daemon, interfaces

_HERE = Path(__file__).parent
_CONVERTER = _HERE / "rst2man.py"


def main() -> None:
    folder, python = Path(sys.argv[1]), (sys.argv[2:] or [sys.executable])[0]
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
    for source in _HERE.glob("*.rst.in"):
        page = template.filled(source, texts)
        text = folder / source.stem
        text.write_text(page, encoding="utf-8")
        subprocess.run([python, "-IB", _CONVERTER, text, text.with_suffix("")], check=True)
        text.unlink()


if __name__ == "__main__":
    main()
