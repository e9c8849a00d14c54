# SPDX-License-Identifier: LGPL-2.1-or-later
"""What `status` prints: the engine, its source and mirrors, and problems with their remedies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dockmgrd.cli.i18n.translation import _, word_message
from dockmgrd.cli.i18n.words import SERVICE_STATES, translate_word
from dockmgrd.cli.view.layout import Marked, format_field
from dockmgrd.cli.view.tables import list_registry_mirrors
from dockmgrd.cli.view.terminal import PLAIN, Mark, Paint
from dockmgrd.cli.view.text import harmless, wrap
from dockmgrd.names import JOB_PATH_PREFIX


def describe_engine(answer: Mapping[str, Any]) -> tuple[Mark, str]:
    """Return the state of the engine as one sentence."""
    if not answer.get("installed"):
        return Mark.OFF, _("Docker is not installed. To install it: dockmgrctl install")
    state = answer.get("service-state", "")
    if state == "active":
        version = answer.get("engine-version", "")
        sentence = _("Docker Engine {version} is running.").format(version=version)
        return Mark.ON, sentence if version else _("Docker Engine is running.")
    sentence = _("Docker Engine is installed, but not running ({state}).")
    word = translate_word(SERVICE_STATES, state)
    return Mark.BAD if state == "failed" else Mark.OFF, sentence.format(state=word)


def format_status(answer: Mapping[str, Any], width: int | None, paint: Paint = PLAIN) -> list[str]:
    """Return the answer to Status as a block of lines."""
    mark, sentence = describe_engine(answer)
    first, *others = wrap(harmless(sentence), width if width is None else max(width - 2, 1))
    lines = [f"{paint.format_mark(mark)} {paint.format_strong(first)}"]
    lines += [f"  {paint.format_strong(other)}" for other in others]
    installed = bool(answer.get("installed"))
    service = translate_word(SERVICE_STATES, answer.get("service-state", ""))
    fields: Sequence[tuple[str, Sequence[str | Marked]]] = (
        (_("Service"), [service] if installed else []),
        (_("Mirrors"), _list_mirrors(answer)),
        (_("Registries"), _list_registries(answer)),
        (_("Source"), _describe_source(answer)),
        (_("Packages"), _list_packages(answer.get("packages", {}))),
        (_("Platform"), [answer.get("platform", "")]),
        (_("Job"), [answer.get("active-job", "/").replace(JOB_PATH_PREFIX, "").strip("/")]),
    )
    for label, values in fields:
        lines += format_field(label, values, width, paint)
    for problem in answer.get("problems", []):
        lines += _format_problem(problem, width, paint)
    return lines


def _format_problem(problem: Mapping[str, Any], width: int | None, paint: Paint) -> list[str]:
    wording = word_message(problem)
    wrong = Marked(Mark.BAD, wording.sentence)
    remedy = [wording.remedy, wording.command]
    return [
        *format_field(_("Problem"), [wrong], width, paint, paint.format_bad),
        *format_field(_("Remedy"), remedy, width, paint, paint.format_strong),
    ]


def _list_packages(packages: Mapping[str, str]) -> list[str]:
    column = max(map(len, packages), default=0)
    return [f"{name:{column}} {version}" for name, version in sorted(packages.items())]


def _describe_source(answer: Mapping[str, Any]) -> list[str]:
    name, file = answer.get("source", ""), answer.get("repository-file", "")
    if not file:
        return [name]
    return [_("{source} ({file})").format(source=name or _("unknown"), file=file)]


def _list_registries(answer: Mapping[str, Any]) -> list[str]:
    """Return the mirrors of each registry other than Docker Hub."""
    return [
        _("{registry}: {mirrors}").format(
            registry=each.get("registry", ""), mirrors=", ".join(list_registry_mirrors(each))
        )
        for each in answer.get("registries", [])
    ]


def _list_mirrors(answer: Mapping[str, Any]) -> list[str | Marked]:
    configured: Sequence[str] = answer.get("mirrors-configured", [])
    active: Sequence[str] = answer.get("mirrors-active", [])
    running = answer.get("service-state") == "active"
    marked: list[str | Marked] = []
    for url in dict.fromkeys([*active, *configured]):
        if url not in configured:
            mark, text = Mark.BAD, _("{mirror} (in use, but not configured)")
        elif url in active:
            mark, text = Mark.ON, _("{mirror} (in use)")
        elif running:
            mark, text = Mark.BAD, _("{mirror} (not in use)")
        else:
            mark, text = Mark.OFF, _("{mirror} (in use after the next start)")
        marked.append(Marked(mark, text.format(mirror=url)))
    if not marked and answer.get("installed"):
        return [_("none (Docker Hub directly)")]
    return marked
