# SPDX-License-Identifier: LGPL-2.1-or-later
"""What `status` prints: what runs, from where, which mirrors are live, what is wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dockmgrd.cli.i18n.translation import _, told
from dockmgrd.cli.view.layout import Marked, field
from dockmgrd.cli.view.terminal import PLAIN, Mark, Paint
from dockmgrd.cli.view.text import harmless, wrapped
from dockmgrd.names import JOB_PATH_PREFIX


def headline(answer: Mapping[str, Any]) -> tuple[Mark, str]:
    """The state of the engine in one sentence."""
    if not answer.get("installed"):
        sentence = "The Docker Engine is not installed; 'dockmgrctl install' installs it."
        return Mark.OFF, sentence
    state = harmless(answer.get("service-state", ""))
    if state == "active":
        version = harmless(answer.get("engine-version", ""))
        return Mark.ON, f"Docker Engine {version} runs." if version else "Docker Engine runs."
    sentence = f"The Docker Engine is installed and does not run (its service is {state})."
    return Mark.BAD if state == "failed" else Mark.OFF, sentence


def lines(answer: Mapping[str, Any], width: int | None, paint: Paint = PLAIN) -> list[str]:
    """The answer to Status as a block of lines."""
    mark, sentence = headline(answer)
    first, *others = wrapped(told(sentence), width if width is None else max(width - 2, 1))
    shown = [f"{paint.mark(mark)} {paint.strong(first)}", *(f"  {paint.strong(o)}" for o in others)]
    fields: Sequence[tuple[str, Sequence[str | Marked]]] = (
        (_("Service"), [answer.get("service-state", "")] if answer.get("installed") else []),
        (_("Mirrors"), _mirrors(answer)),
        (_("Source"), _source(answer)),
        (_("Packages"), _packages(answer.get("packages", {}))),
        (_("Platform"), [answer.get("platform", "")]),
        (_("Job"), [answer.get("active-job", "/").replace(JOB_PATH_PREFIX, "").strip("/")]),
    )
    for label, values in fields:
        shown += field(label, values, width, paint)
    for problem in answer.get("problems", []):
        wrong = Marked(Mark.BAD, problem.get("text", ""))
        shown += field("Problem", [wrong], width, paint, paint.bad)
        remedy = problem.get("remedy", "")
        command = remedy.get("command", "") if isinstance(remedy, Mapping) else remedy
        shown += field("Remedy", [command], width, paint, paint.strong)
    return shown


def _packages(packages: Mapping[str, str]) -> list[str]:
    column = max(map(len, packages), default=0)
    return [f"{name:{column}} {version}" for name, version in sorted(packages.items())]


def _source(answer: Mapping[str, Any]) -> list[str]:
    name, file = answer.get("source", ""), answer.get("repository-file", "")
    return [f"{name or _('unknown')} ({file})" if file else name]


def _mirrors(answer: Mapping[str, Any]) -> list[Marked]:
    configured: Sequence[str] = answer.get("mirrors-configured", [])
    active: Sequence[str] = answer.get("mirrors-active", [])
    running = answer.get("service-state") == "active"
    shown = []
    for url in dict.fromkeys([*active, *configured]):
        if url not in configured:
            shown.append(Marked(Mark.BAD, f"{url} (live, not configured)"))
        elif url in active:
            shown.append(Marked(Mark.ON, f"{url} (live)"))
        else:
            word = "not live" if running else "from the next start on"
            shown.append(Marked(Mark.BAD if running else Mark.OFF, f"{url} ({word})"))
    return shown
