# SPDX-License-Identifier: LGPL-2.1-or-later
"""The way into a running host: its processes' namespaces and its files."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bed.cgroup import ControlGroup

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_NAMESPACES = ("--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup", "--root", "--wd")
_JOIN_GROUP = 'echo $$ > "$0" && exec "$@"'
_MAX_LINKS = 40


def in_session(argv: Sequence[str], user: str, extra: Mapping[str, str] | None = None) -> list[str]:
    """Return a command that runs `argv` in a login session of the user, as sshd would start it.

    It has to be run by root. `extra` is added to the user's environment.
    """
    return [
        *("systemd-run", "--quiet", "--pipe", "--wait", "--collect"),
        *(f"--uid={user}", "--property=PAMName=login"),
        *(f"--setenv={name}={value}" for name, value in (extra or {}).items()),
        "--",
        *(argument.replace("$", "$$") for argument in argv),  # systemd expands variables
    ]


@dataclass(frozen=True)
class Entry:
    """The door of one booted host."""

    leader: int
    group: ControlGroup
    """The control group, inside the host's own, for processes that tests start."""

    def argv(self, argv: Sequence[str], user: str | None) -> list[str]:
        """Return a command that runs `argv` inside; what it starts dies with it."""
        join = ["/bin/sh", "-c", _JOIN_GROUP, str(self.group.procs)]
        enter = ["/usr/bin/nsenter", f"--target={self.leader}", *_NAMESPACES, "--"]
        become = []
        if user is not None:
            become = ["setpriv", "--reuid", user, "--regid", user, "--init-groups", "--"]
        # A change of the user clears the signal, so it is set after that.
        become += ["setpriv", "--pdeathsig", "KILL", "--"]
        return [*join, *enter, *become, *argv]

    def environment(self, user: str | None, extra: Mapping[str, str] | None) -> dict[str, str]:
        """Return the environment of a fresh login, with `extra` on top."""
        name = user or "root"
        home = "/root" if name == "root" else f"/home/{name}"
        base = {"PATH": _PATH, "HOME": home, "LANG": "C.UTF-8", "USER": name, "LOGNAME": name}
        return {**base, **(extra or {})}

    def path(self, path: str, *, follow_last: bool = False) -> Path:
        """Return where the outer machine sees a path of the host.

        An absolute link would lead out of the host's root: links are followed here instead.
        """
        root = Path(f"/proc/{self.leader}/root")
        pending = [part for part in path.split("/") if part]
        resolved: list[str] = []
        links = 0
        while pending:
            part = pending.pop(0)
            if part == "..":
                del resolved[-1:]
                continue
            here = root.joinpath(*resolved, part)
            if (pending or follow_last) and here.is_symlink():
                links += 1
                if links > _MAX_LINKS:
                    raise OSError(f"too many links in {path}")
                target = os.readlink(here)
                if target.startswith("/"):
                    resolved.clear()
                pending[:0] = [piece for piece in target.split("/") if piece not in ("", ".")]
            else:
                resolved.append(part)
        return root.joinpath(*resolved)
