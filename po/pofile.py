# SPDX-License-Identifier: LGPL-2.1-or-later
"""Files of GNU gettext that hold translations (.po), as far as ours use the format."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from po.messages import Message

_LINE = re.compile(r'(?:(msgid|msgstr) )?"(.*)"')


def read(path: Path) -> Mapping[str, str]:
    """The translations by their msgids; "" has the header.

    :raises ValueError: when the file holds what ours do not: contexts, plurals, fuzzy entries.
    """
    found: dict[str, str] = {}
    texts = {"msgid": "", "msgstr": ""}
    current = ""
    for number, line in enumerate([*path.read_text(encoding="utf-8").splitlines(), ""], 1):
        match = _LINE.fullmatch(line)
        if match:
            current = match[1] or current
            texts[current] += ast.literal_eval(f'"{match[2]}"')
        elif current:
            if texts["msgid"] in found:
                raise ValueError(f"{path}:{number}: {texts['msgid']!r} stands there twice")
            found[texts["msgid"]] = texts["msgstr"]
            texts, current = {"msgid": "", "msgstr": ""}, ""
        if not match and line and not line.startswith(("#. ", "#: ", "#, python-brace", "# ")):
            raise ValueError(f"{path}:{number}: this is none of what our catalogues hold: {line}")
    return found


def write(
    path: Path, header: str, messages: Iterable[Message], translations: Mapping[str, str]
) -> None:
    """Write a catalogue; what has no translation is left open."""
    entries = ["# SPDX-License-Identifier: LGPL-2.1-or-later\n" + _pair("", header)]
    for message in messages:
        comments = [f"#. {{{key}}} is {value}" for key, value in message.fields.items()]
        comments += [f"#: {place}" for place in message.places]
        if "{" in message.msgid:
            comments.append("#, python-brace-format")
        pair = _pair(message.msgid, translations.get(message.msgid, ""))
        entries.append("\n".join([*comments, pair]))
    path.write_text("\n".join(entries), encoding="utf-8")


def _pair(msgid: str, msgstr: str) -> str:
    return f"msgid {_quoted(msgid)}\nmsgstr {_quoted(msgstr)}\n"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\t", "\\t")
    lines = [f'"{line}"' for line in escaped.replace("\n", "\\n\n").splitlines()]
    return "\n".join(['""', *lines] if len(lines) > 1 else lines) or '""'
