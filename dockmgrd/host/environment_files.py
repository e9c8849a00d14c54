# SPDX-License-Identifier: LGPL-2.1-or-later
"""Files of `EnvironmentFile=`, read as systemd.exec(5) says and src/basic/env-file.c does."""

from __future__ import annotations

import glob
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from dockmgrd.host import regular_files

_NAME = r"^[ \t]*([A-Za-z_][A-Za-z0-9_]*)[ \t]*="
_QUOTED = r"""'[^']*'|"(?:\\.|[^"\\])*\""""
_PLAIN = r"(?:\\.|[^\n\\])*"
# Quotes count at the start of a value and after a quoted part.
_ASSIGNMENT = re.compile(rf"{_NAME}((?:[ \t]*(?:{_QUOTED}))*)({_PLAIN})$", re.M | re.S)
_PART = re.compile(_QUOTED, re.S)
_ESCAPE_IN_QUOTES = re.compile(r"""\\(["\\`$\n])""")
_ESCAPE = re.compile(r"\\(.)", re.S)


def find_files(patterns: Iterable[str]) -> tuple[Path, ...]:
    """The files, in the order in which systemd reads them.

    :param patterns: of the property EnvironmentFiles: a path may have wildcards.
    """
    return tuple(
        Path(path)
        for pattern in patterns
        for path in (sorted(glob.glob(pattern)) if glob.has_magic(pattern) else [pattern])
    )


def read_variables(files: Iterable[Path]) -> Mapping[str, str]:
    """The variables of all files; a later value wins. A file that cannot be read has none."""
    found: dict[str, str] = {}
    for path in files:
        try:
            text = regular_files.read_text(path)
        except OSError:
            continue
        found.update(parse_variables(text))
    return found


def parse_variables(text: str) -> Mapping[str, str]:
    """The variables of one file. A value may be quoted, in parts, and take several lines."""
    return {
        match[1]: "".join(_unquote(match[2])) + _unescape(match[3])
        for match in _ASSIGNMENT.finditer(text)
    }


def _unquote(quoted: str) -> Iterator[str]:
    for part in _PART.findall(quoted):
        content = part[1:-1]
        yield content if part[0] == "'" else _ESCAPE_IN_QUOTES.sub(_keep_unless_newline, content)


def _unescape(plain: str) -> str:
    return _ESCAPE.sub(_keep_unless_newline, plain.strip(" \t"))


def _keep_unless_newline(escape: re.Match[str]) -> str:
    """The character after a backslash; a line that ends with one goes on in the next."""
    return escape[1].strip("\n")
