# SPDX-License-Identifier: LGPL-2.1-or-later
"""Another host's dockmgrctl, by ssh: its command line, and what its end means."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from dockmgrd import __version__, errors
from dockmgrd.cli.commands.all import PROGRAM
from dockmgrd.cli.commands.exitcodes import make_error, make_error_of_code
from dockmgrd.errors import DockmgrError, HostUnreachable, InvalidArgs, ServiceUnknown, quote
from dockmgrd.messages import client as messages
from dockmgrd.messages.text import Text, from_plain

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
            text = messages.NOT_A_HOST(value=quote(host))
            raise InvalidArgs(text.with_remedy(messages.USE_HOST()))
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


def parse_answer(host: str, code: int, output: bytes, complaints: Sequence[str]) -> Answer:
    """What the end of ssh means.

    :param complaints: lines that it or the host's dockmgrctl wrote on standard error, bar progress.
    """
    said = complaints[-1].strip() if complaints else ""
    if code == _SSH_FAILED or code < 0:
        sentence = messages.SSH_FAILED(host=host)
        if said:
            sentence = messages.SSH_FAILED_BECAUSE(host=host, reason=said.rstrip("."))
        return _make_failure(host, HostUnreachable(sentence))
    if code == _NOT_FOUND:
        text = messages.CLIENT_MISSING(program=PROGRAM, host=host).with_remedy(
            messages.INSTALL_CLIENT(package=PROGRAM)
        )
        return _make_failure(host, ServiceUnknown(text))
    data = _document(output)
    if code == 0 and data is not None:
        return Answer(host, data=data)
    if isinstance(data, Mapping) and isinstance(data.get("error"), Mapping):
        return Answer(host, code, error=_read_error(data["error"]))
    said = said.partition(f"{PROGRAM}: ")[2] or said
    if code == 0:
        text = messages.ANSWER_UNREADABLE(program=PROGRAM, host=host, version=__version__)
        return Answer(host, DockmgrError.exit_code, data, DockmgrError(text))
    reason = said or messages.ENDED_WITH_CODE(code=code)
    return Answer(host, code, data, make_error_of_code(code, reason))


def make_version_error(answer: Answer, version: str) -> Answer:
    """The answer of a host whose dockmgrctl of that version does not know the command line."""
    if answer.error is None:
        return answer
    return Answer(
        answer.host,
        answer.code,
        error=InvalidArgs(
            messages.CLIENT_VERSIONS_DIFFER(
                program=PROGRAM,
                theirs=version,
                host=answer.host,
                ours=__version__,
                reason=answer.error.text,
            ).with_remedy(messages.USE_ONE_VERSION())
        ),
    )


def _make_failure(host: str, error: DockmgrError) -> Answer:
    return Answer(host, error.exit_code, error=error)


def _document(output: bytes) -> Any:
    try:
        return json.loads(output)
    except ValueError:
        return None


def _read_error(plain: Mapping[str, Any]) -> DockmgrError:
    """Return the error that `format_error` wrote, maybe in another version."""
    text: Text | str = str(plain.get("message", ""))
    if plain.get("id"):
        with suppress(KeyError, TypeError, ValueError):
            text = from_plain({"args": {}, **plain, "text": text})
    error = make_error(str(plain.get("name", "")), text)
    error.details = plain.get("details") or {}
    return error


def is_of_the_command_line(answer: Answer) -> bool:
    """Whether the host may have refused what its dockmgrctl does not know."""
    return answer.code == errors.InvalidArgs.exit_code and answer.error is not None
