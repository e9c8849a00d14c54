# SPDX-License-Identifier: LGPL-2.1-or-later
"""What `version` tells: this program's, the service's, and what is amiss between them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dockmgrd import __version__
from dockmgrd.cli.i18n.translation import told
from dockmgrd.cli.view.text import harmless, wrapped


def compared(daemon: str | None, trouble: str = "") -> dict[str, Any]:
    """The answer of `version`.

    :param daemon: None when it cannot be reached, which `trouble` explains.
    """
    if daemon not in (None, __version__):
        trouble = (
            "They differ, as after an upgrade; 'systemctl try-restart dockmgrd.service' starts the "
            "new dockmgrd, and no job is harmed."
        )
    return {"dockmgrctl": __version__, "dockmgrd": daemon, "problem": trouble}


def lines(answer: Mapping[str, Any], width: int | None) -> list[str]:
    """The answer for people."""
    programs = {name: answer.get(name) for name in ("dockmgrctl", "dockmgrd")}
    shown = [f"{name:10} {harmless(version)}" for name, version in programs.items() if version]
    return shown + wrapped(harmless(told(answer["problem"])), width) * bool(answer.get("problem"))
