# SPDX-License-Identifier: LGPL-2.1-or-later
"""What fills dockmgrd.8.in: messages of the journal's catalogue, and polkit's actions."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

from man import roff

_CHECKOUT = Path(__file__).parents[1]


def texts() -> dict[str, str]:
    """The text for each place."""
    catalogue = (_CHECKOUT / "systemd" / "dockmgrd.catalog").read_text(encoding="utf-8")
    policy = ElementTree.parse(_CHECKOUT / "polkit" / "org.dockmgr1.policy")
    messages = re.findall(r"^-- ([0-9a-f]{32})\nSubject: (.*)$", catalogue, re.M)
    actions = [
        (each.attrib["id"], each.findtext("description", "")) for each in policy.iter("action")
    ]
    return {"MESSAGES": _list(messages), "ACTIONS": _list(actions)}


def _list(rows: list[tuple[str, str]]) -> str:
    """Names, each with what it stands for; a catalogue's @FIELD@ is shown as the field's name."""
    lines: list[str] = []
    for name, meaning in rows:
        lines += roff.entry(roff.bold(name), roff.sentence(re.sub("@([A-Z_]+)@", r"\1", meaning)))
    return "\n".join(lines)
