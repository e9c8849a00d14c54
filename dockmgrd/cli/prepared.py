# SPDX-License-Identifier: LGPL-2.1-or-later
"""--help as it was written when the package was built.

To put it together takes three times as long as to start Python. So this imports nothing, and knows
the plain ways of asking; what it does not know is for `dockmgrctl` proper, which says the same.
"""

from __future__ import annotations

import os
import sys

from dockmgrd.cli.i18n.locales import languages

TYPE_CHECKING = False  # as mypy knows it, without `typing`
if TYPE_CHECKING:
    from collections.abc import Sequence

FOLDER = "/usr/share/dockmgrctl/help"
OVERVIEW = "overview"
WIDTH = 80
_FLAGS = ("-h", "--help")


def answer(arguments: Sequence[str]) -> bool:
    """Print the help that is asked for, if there is such, and say whether that was all."""
    topic = _topic(arguments)
    if not topic or any(languages(os.environ)):
        return False
    try:
        with open(f"{FOLDER}/{topic}", encoding="utf-8") as file:
            text = file.read()
        if os.isatty(1) and not _fits(text, os.get_terminal_size(1)):
            return False
        sys.stdout.write(text)
        sys.stdout.flush()
    except (OSError, ValueError, AttributeError):
        return False
    return True


def _topic(arguments: Sequence[str]) -> str:
    """Name of the file that answers; "" when that is not to be seen at once."""
    words = [each for each in arguments if each not in _FLAGS]
    asked = len(arguments) - len(words) == 1 or words[:1] == ["help"]
    if words[:1] == ["help"]:
        words = words[1:]
    if not asked or len(words) > 1:
        return ""
    topic = words[0] if words else OVERVIEW
    return topic if topic.replace("-", "").isalpha() else ""


def _fits(text: str, terminal: os.terminal_size) -> bool:
    """Whether it needs neither other lines nor a pager."""
    return terminal.columns >= WIDTH and text.count("\n") < terminal.lines
