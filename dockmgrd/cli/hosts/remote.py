# SPDX-License-Identifier: LGPL-2.1-or-later
"""Asking another host's dockmgrctl, and hearing how far its job is meanwhile."""

from __future__ import annotations

import asyncio
import json
from asyncio.subprocess import DEVNULL, PIPE
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from dockmgrd import __version__
from dockmgrd.cli.commands.all import PROGRAM
from dockmgrd.cli.hosts import ssh
from dockmgrd.cli.hosts.ssh import Answer
from dockmgrd.cli.service.jobs import JobRecord
from dockmgrd.cli.view.text import harmless
from dockmgrd.errors import HostUnreachable
from dockmgrd.messages import client as messages

_FOR_A_PROGRAM = ("--json=short", "--no-pager", "--no-ask-password")
_KEPT_COMPLAINTS = 20
_LONGEST_LINE = 1 << 20


async def ask(
    host: str, words: Sequence[str], *, batch: bool, on_progress: Callable[[JobRecord], None]
) -> Answer:
    """What the host answers to the command.

    :param batch: whether ssh must ask nobody for a password.
    :param on_progress: called with the host's job at each progress report.
    """
    answer = await _exchange(host, (*_FOR_A_PROGRAM, *words), batch=batch, on_progress=on_progress)
    if ssh.is_of_the_command_line(answer):
        version = await _version(host, batch=batch)
        if version != __version__:
            return ssh.make_version_error(answer, version)
    return answer


async def pass_through(host: str, words: Sequence[str], *, batch: bool, terminal: bool) -> Answer:
    """Run the command with our own streams, for output that is no answer."""
    command = ssh.command(host, words, batch=batch, terminal=terminal)
    process = await _start_process(command)
    try:
        code = await process.wait()
    except asyncio.CancelledError:
        await _stop(process)
        raise
    return Answer(host) if code == 0 else ssh.parse_answer(host, code, b"", ())


async def _exchange(
    host: str, words: Sequence[str], *, batch: bool, on_progress: Callable[[JobRecord], None]
) -> Answer:
    command = ssh.command(host, words, batch=batch)
    try:
        process = await _start_process(command, stdin=DEVNULL, stdout=PIPE, stderr=PIPE)
    except OSError as error:
        text = messages.SSH_DOES_NOT_START(reason=error.strerror or str(error)).with_remedy(
            messages.INSTALL_SSH(), "dnf install openssh-clients"
        )
        return Answer(host, HostUnreachable.exit_code, error=HostUnreachable(text))
    assert process.stdout is not None
    assert process.stderr is not None
    complaints: deque[str] = deque(maxlen=_KEPT_COMPLAINTS)
    kinds: list[str] = []

    async def listen(stream: asyncio.StreamReader) -> None:
        async for line in _lines(stream):
            job = _progress(line)
            if job is None:
                complaints.extend([line] if line.strip() else [])
            else:
                kinds[:] = [job.kind]
                on_progress(job)

    try:
        output, _ = await asyncio.gather(process.stdout.read(), listen(process.stderr))
        code = await process.wait()
    except asyncio.CancelledError:
        await _stop(process)
        raise
    answer = ssh.parse_answer(host, code, output, [harmless(each) for each in complaints])
    return replace(answer, kind="".join(kinds))


async def _version(host: str, *, batch: bool) -> str:
    """Version of the host's dockmgrctl; "?" when it does not say."""
    command = ssh.command(host, ("--version",), batch=batch)
    process = await _start_process(command, stdin=DEVNULL, stdout=PIPE, stderr=DEVNULL)
    output, _ = await process.communicate()
    program, _, version = harmless(output.decode(errors="replace").strip()).partition(" ")
    return version if program == PROGRAM else "?"


async def _start_process(command: Sequence[str], **how: Any) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(*command, **how)


async def _stop(process: asyncio.subprocess.Process) -> None:
    with suppress(ProcessLookupError):
        process.terminate()
    await process.wait()


async def _lines(stream: asyncio.StreamReader) -> AsyncIterator[str]:
    """Yield the lines of the stream; a line that is too long comes in pieces."""
    rest = b""
    while chunk := await stream.read(1 << 16):
        *lines, rest = (rest + chunk).split(b"\n")
        if len(rest) > _LONGEST_LINE:
            lines, rest = [*lines, rest], b""
        for line in lines:
            yield line.decode(errors="replace")
    if rest:
        yield rest.decode(errors="replace")


def _progress(line: str) -> JobRecord | None:
    """The job whose progress the line tells, as `progress.JsonProgress` does."""
    if not line.startswith("{"):
        return None
    try:
        data = json.loads(line)
        return JobRecord.from_json({**data, "id": data["job"], "progress": float(data["progress"])})
    except (ValueError, KeyError, TypeError):
        return None
