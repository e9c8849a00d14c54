# SPDX-License-Identifier: LGPL-2.1-or-later
"""`rst2man.py SOURCE PAGE`: convert a page from reStructuredText; a warning is an error.

The name of docutils' own program differs between distributions. EL 8 has docutils for Python 3.6
alone, so this file has the syntax of that version.
"""

import re
import sys
from pathlib import Path

from docutils.core import publish_string
from docutils.writers import manpage

_SETTINGS = {
    "_disable_config": True,
    "file_insertion_enabled": False,
    "halt_level": 2,
    "output_encoding": "unicode",
}
# What docutils writes, and what mandoc's lint wants. docutils 0.21 writes the examples as here.
_REPLACEMENTS = (
    (r"^(\.S[HS] .*)\n\.sp$", r"\1"),
    (r"^\.nf\n\.ft C$", r".EX"),
    (r"^\.ft P\n\.fi$", r".EE"),
)


def convert(text: str) -> str:
    """Return the page in the language of man(7)."""
    page = publish_string(text, writer=manpage.Writer(), settings_overrides=_SETTINGS)
    for pattern, replacement in _REPLACEMENTS:
        page = re.sub(pattern, replacement, page, flags=re.M)
    return str(page)


if __name__ == "__main__":
    source, target = map(Path, sys.argv[1:])
    target.write_text(convert(source.read_text(encoding="utf-8")), encoding="utf-8")
