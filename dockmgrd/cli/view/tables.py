# SPDX-License-Identifier: LGPL-2.1-or-later
"""Answers that are a small table: what the user may do, sources, mirrors, and versions."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from dockmgrd import __version__
from dockmgrd.cli.i18n.translation import N_, _, translate_catalog_text, translate_message
from dockmgrd.cli.i18n.words import REGIONS, VERDICTS, translate_word
from dockmgrd.cli.view.text import cells, format_size, format_table, harmless, pad, shorten, wrap
from dockmgrd.messages import client as messages

_MEANINGS = {"yes": N_("yes"), "auth": N_("after a password"), "no": N_("no")}
_ACTIONS = {
    "install": N_("install Docker from a source"),
    "install-custom": N_("install Docker from another repository or URL"),
    "set-mirror": N_("set registry mirrors"),
    "set-mirror-insecure": N_("set mirrors without TLS, or outside the administrator's list"),
    "probe": N_("probe mirrors outside the host's list"),
    "uninstall": N_("remove Docker"),
    "purge-data": N_("delete images, containers and volumes"),
    "cancel": N_("cancel the jobs of other users"),
    "manage": N_("all everyday actions"),
}
_MIN_TITLE_CELLS = 8


def format_permissions(permissions: Mapping[str, str], width: int | None) -> list[str]:
    """Return one line for each action; those that this version does not know come last."""
    known = [each for each in _ACTIONS if each in permissions]
    others = sorted(permissions.keys() - _ACTIONS.keys())
    rows = [
        (each, translate_word(_MEANINGS, permissions[each]), _(_ACTIONS.get(each, "")))
        for each in (*known, *others)
    ]
    return format_table((_("ACTION"), _("ALLOWED"), _("DESCRIPTION")), rows, width)


def compare_versions(daemon: str | None, problem: str = "", host: str = "") -> dict[str, Any]:
    """Return the answer of `version`.

    :param daemon: None if it cannot be reached, for the reason `problem`.
    :param host: the other host on which it is; "" for this one.
    """
    if daemon not in (None, __version__) and host:
        text = messages.VERSIONS_DIFFER_ON_HOST(host=host)
        problem = str(translate_message(text.with_remedy(messages.USE_ONE_VERSION())))
    elif daemon not in (None, __version__):
        command = "systemctl try-restart dockmgrd.service"
        text = messages.VERSIONS_DIFFER().with_remedy(messages.RESTART_DOCKMGRD(), command)
        problem = f"{translate_message(text)} {command}"
    return {"dockmgrctl": __version__, "dockmgrd": daemon, "problem": problem}


def format_program_versions(answer: Mapping[str, Any], width: int | None) -> list[str]:
    """Return the versions of both programs, and what is wrong with them."""
    programs = {name: answer.get(name) for name in ("dockmgrctl", "dockmgrd")}
    lines = [f"{name:10} {harmless(version)}" for name, version in programs.items() if version]
    problem = harmless(answer.get("problem", ""))
    return lines + (wrap(problem, width) if problem else [])


def select_mirrors(status: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the answer to Status says about mirrors."""
    return {
        "configured": status.get("mirrors-configured", []),
        "active": status.get("mirrors-active", []),
        "drift": status.get("mirrors-drift", False),
        "registries": status.get("registries", []),
        "checks": status.get("mirror-checks", []),
        "running": status.get("service-state") == "active",
        "installed": status.get("installed", True),
    }


def format_mirrors(
    answer: Mapping[str, Any], width: int | None, now: float | None = None
) -> list[str]:
    """Return the table that `mirrors` prints, from what `select_mirrors` returns.

    :param now: seconds since the epoch; None for the clock of this host.
    """
    configured: Sequence[str] = answer.get("configured", [])
    active: Sequence[str] = answer.get("active", [])
    running = answer.get("running", False)
    rows = [
        (url, _yes(url in configured), _yes(url in active) if running else "-")
        for url in dict.fromkeys([*configured, *active])
    ]
    lines = [_("No registry mirrors are set.")]
    if rows:
        lines = format_table((_("MIRROR"), _("CONFIGURED"), _("IN USE")), rows, width)
    if not answer.get("installed", True):
        lines += wrap(_("Docker is not installed. The mirrors will be used once it is."), width)
    elif not running:
        lines += wrap(_("Docker Engine is not running. It uses the mirrors when it starts."), width)
    elif answer.get("drift"):
        sentence = _(
            "Docker Engine uses other mirrors than those configured. "
            "To load them: systemctl reload docker"
        )
        lines += wrap(sentence, width)
    seconds = time.time() if now is None else now
    return [
        *lines,
        *_format_registries(answer.get("registries", []), width),
        *_format_checks(answer.get("checks", []), width, seconds),
    ]


def list_registry_mirrors(registry: Mapping[str, Any]) -> list[str]:
    """Return the mirrors of a registry other than Docker Hub, or who says which they are."""
    if not registry.get("managed"):
        return [_("as {file} says").format(file=registry.get("file", ""))]
    return list(registry.get("mirrors", []))


def _format_registries(registries: Iterable[Mapping[str, Any]], width: int | None) -> list[str]:
    """Return the table of the other registries, below that of Docker Hub."""
    rows = [
        (str(each.get("registry", "")), mirror)
        for each in registries
        for mirror in list_registry_mirrors(each)
    ]
    return ["", *format_table((_("REGISTRY"), _("MIRROR")), rows, width)] if rows else []


def _format_checks(checks: Iterable[Mapping[str, Any]], width: int | None, now: float) -> list[str]:
    """Return the table of what the mirror watch has found, below the others."""
    rows = [
        (
            str(each.get("registry", "")),
            str(each.get("mirror", "")),
            translate_word(VERDICTS, str(each.get("verdict", ""))),
            _format_age(now - each.get("checked-at", 0) / 1_000_000),
        )
        for each in checks
    ]
    header = (_("REGISTRY"), _("WATCHED MIRROR"), _("RESULT"), _("LAST CHECK"))
    return ["", *format_table(header, rows, width)] if rows else []


def _format_age(seconds: float) -> str:
    """Return how long ago something was; a time in the future counts as now."""
    minutes = max(int(seconds // 60), 0)
    if minutes < 2 * 60:
        return _("{count} min ago").format(count=minutes)
    hours = minutes // 60
    if hours < 2 * 24:
        return _("{count} h ago").format(count=hours)
    return _("{count} days ago").format(count=hours // 24)


def format_sources(answer: Iterable[Mapping[str, Any]], width: int | None) -> list[str]:
    """Return the table that `sources` prints, and the notes below it. No URL is cut."""
    sources = list(answer)
    rows = [
        [
            harmless(str(each.get("name", ""))),
            harmless(translate_word(REGIONS, str(each.get("region", "")))),
            harmless(str(each.get("prefix", ""))),
            harmless(translate_catalog_text(str(each.get("title", "")))),
        ]
        for each in sources
    ]
    header = [_("NAME"), _("REGION"), _("PREFIX"), _("TITLE")]
    fixed = format_table(header[:3], [row[:3] for row in rows], None)
    column = max(map(cells, fixed))
    room = None if width is None else width - column - 2
    lines = fixed
    if room is None or room >= _MIN_TITLE_CELLS:
        titles = [
            each if room is None else shorten(each, room) for each in _get_titles(header, rows)
        ]
        lines = [f"{pad(line, column)}  {title}".rstrip() for line, title in zip(fixed, titles)]
    for source in sources:
        for note in _list_notes(source):
            text = _("{source}: {note}").format(source=source.get("name", ""), note=note)
            lines += wrap(harmless(text), width)
    return lines


def format_versions(answer: Mapping[str, Any], width: int | None) -> list[str]:
    """Return the table that `versions` prints."""
    rows = [
        (
            str(each.get("version", "")),
            str(each.get("built", "")),
            format_size(each["size"]) if each.get("size") else "",
            _("installed") if each.get("installed") else "",
        )
        for each in answer.get("versions", [])
    ]
    if not rows:
        return [_("The source has no version for this host.")]
    return format_table((_("VERSION"), _("BUILT"), _("SIZE"), ""), rows, width)


def _get_titles(header: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    return [header[3], *(row[3] for row in rows)]


def _list_notes(source: Mapping[str, Any]) -> list[str]:
    notes = [translate_catalog_text(str(source.get("notes", "")))]
    if source.get("intranet"):
        notes.insert(0, _("For machines in this cloud only."))
    return [each for each in notes if each]


def _yes(truth: object) -> str:
    return _("yes") if truth else _("no")
