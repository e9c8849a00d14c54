# SPDX-License-Identifier: LGPL-2.1-or-later
"""Another host's dockmgrctl, by ssh: its command line, and what its end means."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dockmgrd import __version__, errors
from dockmgrd.cli.commands.all import PROGRAM
from dockmgrd.cli.commands.exitcodes import error_of, make_error
from dockmgrd.errors import DockmgrError, HostUnreachable, InvalidArgs, ServiceUnknown, shown

_WITH_PORT = re.compile(r"((?:[^@:]+@)?[^@:]+):(\d{1,5})")
_SSH_FAILED = 255
_NOT_FOUND = 127
_BATCH = ("-o", "BatchMode=yes", "-o", "ConnectTimeout=10")


@dataclass(frozen=True)
class Answer:
    """What a host has answered: `data` as --json prints it, or the error."""

    host: str
    code: int = 0
    data: Any = None
    error: DockmgrError | None = None
    kind: str = ""
    """Of the job that it followed, if there was one."""


def destinations(given: Iterable[str]) -> tuple[str, ...]:
    """The hosts that --host names, each once.

    :raises InvalidArgs: for one that ssh would not take for a host.
    """
    hosts = tuple(dict.fromkeys(host for text in given for host in text.split(",")))
    for host in hosts:
        if not host or host.startswith("-") or not host.isprintable() or " " in host:
            raise InvalidArgs(f"--host takes [USER@]HOST, such as root@web1, not {shown(host)}.")
    return hosts


def command(host: str, words: Sequence[str], *, batch: bool, terminal: bool = False) -> list[str]:
    """The command that runs dockmgrctl with these words on the host.

    :param batch: whether ssh must ask nobody for a password.
    :param terminal: whether the program shall have a terminal there.
    """
    with_port = _WITH_PORT.fullmatch(host)
    name, port = (with_port[1], ["-p", with_port[2]]) if with_port else (host, [])
    options = [*(_BATCH if batch else ()), "-t" if terminal else "-T", *port]
    return ["ssh", *options, "--", name, shlex.join((PROGRAM, *words))]


def understood(host: str, code: int, output: bytes, complaints: Sequence[str]) -> Answer:
    """What the end of ssh means.

    :param complaints: lines that it or the host's dockmgrctl wrote on standard error, bar progress.
    """
    said = complaints[-1].strip() if complaints else ""
    if code == _SSH_FAILED or code < 0:
        sentence = f"ssh does not get through to {host}."
        if said:
            sentence = f"ssh does not get through to {host} ({said.rstrip('.')})."
        return _failed(host, HostUnreachable(sentence))
    if code == _NOT_FOUND:
        text = f"There is no {PROGRAM} on {host}; install the package {PROGRAM} there."
        return _failed(host, ServiceUnknown(text))
    data = _document(output)
    if code == 0 and data is not None:
        return Answer(host, data=data)
    if isinstance(data, Mapping) and isinstance(data.get("error"), Mapping):
        return Answer(host, code, error=_told(data["error"]))
    said = said.partition(f"{PROGRAM}: ")[2] or said
    if code == 0:
        said = f"{PROGRAM} on {host} has given no answer that {PROGRAM} {__version__} understands."
    return Answer(host, code or 1, data, error_of(code, said or f"It ended with {code}."))


def skewed(answer: Answer, version: str) -> Answer:
    """The answer of a host whose dockmgrctl of that version does not know the command line."""
    if answer.error is None:
        return answer
    return Answer(
        answer.host,
        answer.code,
        error=InvalidArgs(
            f"{PROGRAM} {version} on {answer.host} does not know what {__version__} here knows "
            f"({answer.error.message.rstrip('.')}); bring both to one version."
        ),
    )


def _failed(host: str, error: DockmgrError) -> Answer:
    return Answer(host, error.exit_code, error=error)


def _document(output: bytes) -> Any:
    try:
        return json.loads(output)
    except ValueError:
        return None


def _told(error: Mapping[str, Any]) -> DockmgrError:
    told = make_error(str(error.get("name", "")), str(error.get("message", "")))
    told.details = error.get("details") or {}
    return told


def is_of_the_command_line(answer: Answer) -> bool:
    """Whether the host may have refused what its dockmgrctl does not know."""
    return answer.code == errors.InvalidArgs.exit_code and answer.error is not None
