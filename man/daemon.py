# SPDX-License-Identifier: LGPL-2.1-or-later
"""What fills dockmgrd.8.rst.in: messages of the journal's catalogue, and polkit's actions."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

from man import rst

_CHECKOUT = Path(__file__).parents[1]


def texts() -> dict[str, str]:
    """Return the text for each place."""
    catalogue = (_CHECKOUT / "systemd" / "dockmgrd.catalog").read_text(encoding="utf-8")
    policy = ElementTree.parse(_CHECKOUT / "polkit" / "org.dockmgr1.policy")
    messages = re.findall(r"^-- ([0-9a-f]{32})\nSubject: (.*)$", catalogue, re.M)
    actions = [
        (each.attrib["id"], each.findtext("description", "")) for each in policy.iter("action")
    ]
    return {"MESSAGES": _format_list(messages), "ACTIONS": _format_list(actions)}


def _format_list(rows: list[tuple[str, str]]) -> str:
    """Return names, each with its meaning; a catalog's @FIELD@ is shown as the field's name."""
    return rst.join(
        rst.definition(rst.bold(name), rst.sentence(re.sub("@([A-Z_]+)@", r"\1", meaning)))
        for name, meaning in rows
    )
