# SPDX-License-Identifier: LGPL-2.1-or-later
"""`dockmgrctl complete KIND WORD…`: the values that a shell offers, asked for at every Tab.

It is for the completions that come with dockmgrctl, and in no help. Nobody is asked for a password,
nothing is started but the daemon, and a question that has no answer in time has no values.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from dockmgrd.cli.commands.table import Live
from dockmgrd.cli.i18n.translation import _, told
from dockmgrd.cli.service.client import Client, connection
from dockmgrd.cli.service.jobs import JobRecord
from dockmgrd.cli.view.text import harmless
from dockmgrd.errors import DockmgrError
from dockmgrd.model import Kind

_SECONDS_AT_A_PROMPT = 3.0
_PLAIN = re.compile(r"[A-Za-z0-9_.:/%+~-]+")
"""What no shell takes for more than text: bash puts what is offered on the line as it is."""

Values = Iterable[tuple[str, str]]


def run(arguments: Sequence[str]) -> int:
    """Print the values of a kind, a line each: the value, a tab, and what it is.

    :param arguments: the kind's name, and the words of the command line behind `dockmgrctl`.
    :returns: 0, be there values or not.
    """
    with suppress(ValueError, IndexError, DockmgrError):
        kind, line = Live(arguments[0]), arguments[1:]
        if not _is_about_another_host(line):
            for value, meaning in _values(kind, line):
                if _PLAIN.fullmatch(value):
                    print(f"{value}\t{harmless(meaning)}")
    return 0


def _is_about_another_host(line: Sequence[str]) -> bool:
    """Whether the command goes elsewhere, where values are not those of this host."""
    return any(word.startswith(("--host", "-H")) for word in line)


def _values(kind: Live, line: Sequence[str]) -> Values:
    with connection(seconds=_SECONDS_AT_A_PROMPT) as bus:
        client = Client(bus, interactive=False)
        if kind is Live.SOURCES:
            sources = client.sources()
            return [(each.get("name", ""), each.get("title", "")) for each in sources]
        jobs = client.jobs()
        if kind is Live.VERSIONS:
            return _versions(jobs)
        if kind is Live.MIRRORS:
            return _mirrors(client.status(), jobs, line)
        wanted = [job for job in jobs if job.running or kind is Live.JOBS]
        return [(job.job_id, f"{job.kind}, {told(job.state)}") for job in wanted]


def _versions(jobs: Sequence[JobRecord]) -> Iterator[tuple[str, str]]:
    """What the last job that listed versions has found: asking a source takes seconds."""
    for row in _last_result(jobs, Kind.LIST_VERSIONS).get("versions", []):
        marks = [row.get("built", ""), _("installed") if row.get("installed") else ""]
        yield row.get("version", ""), ", ".join(filter(None, marks))


def _mirrors(status: Mapping[str, Any], jobs: Sequence[JobRecord], line: Sequence[str]) -> Values:
    """What is configured and, unless it is about removing, what the last probe has tried."""
    known = dict.fromkeys(status.get("mirrors-configured", []), _("configured"))
    if "--remove" not in line:
        probed = _last_result(jobs, Kind.PROBE).get("probed", [])
        known.update({each.get("mirror", ""): _verdict(each) for each in probed})
    given = {word.rstrip("/") for word in line}
    return [(url, meaning) for url, meaning in known.items() if url.rstrip("/") not in given]


def _verdict(finding: Mapping[str, Any]) -> str:
    if finding.get("verdict") == "ok":
        milliseconds = f"{finding.get('latency', 0.0) * 1000:.0f}"
        return _("works, {0} ms").format(milliseconds)
    return told(str(finding.get("text") or finding.get("verdict", "")))


def _last_result(jobs: Sequence[JobRecord], kind: Kind) -> Mapping[str, Any]:
    """What the newest job of that kind has found; empty when there is none."""
    return next((job.result for job in jobs if job.kind == kind.value and job.done), {})
