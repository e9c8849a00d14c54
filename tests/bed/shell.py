# SPDX-License-Identifier: LGPL-2.1-or-later
"""Running a command that must succeed, with its output in the error when it does not."""

from __future__ import annotations

import contextlib
import contextvars
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Union

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from bed.cgroup import ControlGroup

Argument = Union[str, Path]

_PRIVATE = (
    *("unshare", "--mount", "--propagation", "private"),
    *("--pid", "--fork", "--kill-child", "--mount-proc", "--"),
)
_JOIN_GROUP = 'echo $$ > "$0" && exec setpriv --pdeathsig KILL -- "$@"'
_build_group: contextvars.ContextVar[ControlGroup | None] = contextvars.ContextVar(
    "_build_group", default=None
)


class CommandError(Exception):
    """A command that must succeed did not. The message holds all that it printed."""


@contextlib.contextmanager
def run_commands_in(group: ControlGroup) -> Iterator[None]:
    """Within the context, `checked` puts each command into the control group.

    The command dies with this thread, and what it started can be found in the group.
    """
    token = _build_group.set(group)
    try:
        yield
    finally:
        _build_group.reset(token)


def checked(
    argv: Sequence[Argument],
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    private: bool = False,
    on_line: Callable[[str], None] | None = None,
) -> str:
    """Run a command to its end and return its output, both streams together.

    With `private` it has namespaces of its own for mounts and processes: whatever it mounts or
    starts is gone with it, also when it is killed. `on_line` is called for each line of output
    when it comes. Raises CommandError when the exit status is not 0.
    """
    command = [*(_PRIVATE if private else ()), *(str(argument) for argument in argv)]
    group = _build_group.get()
    if group is not None:
        command = ["/bin/sh", "-c", _JOIN_GROUP, str(group.procs), *command]
    output = []
    with subprocess.Popen(
        command,
        env=env,
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as process:
        assert process.stdout is not None
        try:
            for line in process.stdout:
                output.append(line)
                if on_line is not None:
                    on_line(line.rstrip("\n"))
        except BaseException:
            process.kill()
            raise
    text = "".join(output)
    if process.returncode != 0:
        shown = " ".join(str(argument) for argument in argv)
        raise CommandError(f"exit status {process.returncode}: {shown}\n{text}")
    return text
