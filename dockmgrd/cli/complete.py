# SPDX-License-Identifier: LGPL-2.1-or-later
"""`dockmgrctl complete KIND WORD…`: the values that a shell offers at Tab.

Only the completions of dockmgrctl use it; help does not list it. It never prompts for a password,
starts nothing but the daemon, and offers no values if there is no answer in time.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from dockmgrd.cli.commands.mirrors import FASTEST
from dockmgrd.cli.commands.table import Live
from dockmgrd.cli.i18n.translation import _, translate_catalog_text, translate_message
from dockmgrd.cli.i18n.words import JOB_STATES, VERDICTS, translate_word
from dockmgrd.cli.service.client import Client, open_connection
from dockmgrd.cli.service.jobs import JobRecord
from dockmgrd.cli.view.text import harmless
from dockmgrd.enums import Kind
from dockmgrd.errors import DockmgrError

_PROMPT_TIMEOUT = 3.0
_PLAIN = re.compile(r"[A-Za-z0-9_.:/%+~-]+")
"""What no shell interprets: bash inserts an offered value without quoting it."""

Values = Iterable[tuple[str, str]]


def run(arguments: Sequence[str]) -> int:
    """Print the values of a kind, a line each: the value, a tab, and what it is.

    :param arguments: the kind's name, and the words of the command line after `dockmgrctl`.
    :returns: 0, with or without values.
    """
    with suppress(ValueError, IndexError, DockmgrError):
        kind, line = Live(arguments[0]), arguments[1:]
        if not _names_another_host(line):
            for value, meaning in _list_values(kind, line):
                if _PLAIN.fullmatch(value):
                    print(f"{value}\t{harmless(meaning)}")
    return 0


def _names_another_host(line: Sequence[str]) -> bool:
    """Return whether the command is for another host, which has other values."""
    return any(word.startswith(("--host", "-H")) for word in line)


def _list_values(kind: Live, line: Sequence[str]) -> Values:
    with open_connection(seconds=_PROMPT_TIMEOUT) as bus:
        client = Client(bus, interactive=False)
        if kind is Live.SOURCES:
            sources = client.list_sources()
            return [
                (FASTEST, _("the fastest of them")),
                *(
                    (each.get("name", ""), translate_catalog_text(each.get("title", "")))
                    for each in sources
                ),
            ]
        jobs = client.list_jobs()
        if kind is Live.VERSIONS:
            return _list_versions(jobs)
        if kind is Live.MIRRORS:
            return _list_mirrors(client.get_status(), jobs, line)
        wanted = [job for job in jobs if job.is_running or kind is Live.JOBS]
        return [
            (job.job_id, _join(job.kind, translate_word(JOB_STATES, job.state))) for job in wanted
        ]


def _list_versions(jobs: Sequence[JobRecord]) -> Iterator[tuple[str, str]]:
    """Yield what the last job has found that listed versions: to ask a source takes seconds."""
    for row in _find_last_result(jobs, Kind.LIST_VERSIONS).get("versions", []):
        marks = [row.get("built", ""), _("installed") if row.get("installed") else ""]
        yield row.get("version", ""), _join(*marks)


def _list_mirrors(
    status: Mapping[str, Any], jobs: Sequence[JobRecord], line: Sequence[str]
) -> Values:
    """Return the configured mirrors and, except after --remove, those of the last probe."""
    known = dict.fromkeys(status.get("mirrors-configured", []), _("configured"))
    if "--remove" not in line:
        probed = _find_last_result(jobs, Kind.PROBE).get("probed", [])
        known.update({each.get("mirror", ""): _describe_result(each) for each in probed})
    present = {word.rstrip("/") for word in line}
    return [(url, meaning) for url, meaning in known.items() if url.rstrip("/") not in present]


def _describe_result(probed: Mapping[str, Any]) -> str:
    if probed.get("verdict") == "ok":
        milliseconds = f"{probed.get('latency', 0.0) * 1000:.0f}"
        return _("works, {latency} ms").format(latency=milliseconds)
    cause = translate_message(probed.get("cause") or str(probed.get("text", "")))
    return cause or translate_word(VERDICTS, str(probed.get("verdict", "")))


def _join(*words: str) -> str:
    return _(", ").join(filter(None, words))


def _find_last_result(jobs: Sequence[JobRecord], kind: Kind) -> Mapping[str, Any]:
    """Return the result of the newest job of that kind; empty if there is none."""
    return next((job.result for job in jobs if job.kind == kind.value and job.is_done), {})
