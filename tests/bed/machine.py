# SPDX-License-Identifier: LGPL-2.1-or-later
"""One boot of a root file system by systemd-nspawn, from power on to power off."""

from __future__ import annotations

import os
import select
import shlex
import signal
import socket
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bed.limits import HANG_TIMEOUT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bed.cgroup import ControlGroup
    from bed.overlay import Stack

_NSPAWN = (
    "systemd-nspawn",
    "--quiet",
    "--boot",
    "--register=no",
    "--keep-unit",
    "--notify-ready=yes",
    "--private-network",
    "--link-journal=no",
    "--resolv-conf=off",
    "--timezone=off",
    "--settings=no",
    "--system-call-filter=add_key keyctl bpf",
)
_POWER_OFF = signal.SIGRTMIN + 4
_CONSOLE_TAIL = 3000


class BootError(Exception):
    """A host did not come up. The message holds the end of what its console showed."""


@dataclass(frozen=True)
class Binding:
    """A directory of the outer machine that the host sees at `target`."""

    source: Path
    target: str
    read_only: bool = False

    def argument(self) -> str:
        option = "--bind-ro" if self.read_only else "--bind"
        return f"{option}={self.source}:{self.target}"


@dataclass(frozen=True)
class Plan:
    """What to boot, and under which name."""

    name: str
    stack: Stack
    cgroup: ControlGroup
    console: Path
    bindings: Sequence[Binding]

    def argv(self) -> list[str]:
        """Return a command that runs the machine and dies with the thread that starts it.

        It has mount and process namespaces of its own. So the mounts vanish with it, and so does
        the machine, which outlives a killed systemd-nspawn otherwise.
        """
        nspawn = [
            *_NSPAWN,
            f"--machine={self.name}",
            f"--directory={self.stack.root}",
            *(binding.argument() for binding in self.bindings),
        ]
        script = (
            f"echo 0 > {shlex.quote(str(self.cgroup.procs))}\n"
            f"{self.stack.mount_command()}\n"
            f"exec {shlex.join(nspawn)}\n"
        )
        namespaces = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
        return ["setpriv", "--pdeathsig", "KILL", *namespaces, "sh", "-euc", script]


class Machine:
    """A booted machine. `leader` is the process id of its systemd, seen from outside."""

    def __init__(self, process: subprocess.Popen[bytes], leader: int, plan: Plan) -> None:
        self._process = process
        self._leader_exit = os.pidfd_open(leader)
        self._plan = plan
        self.leader = leader

    @classmethod
    def boot(cls, plan: Plan, timeout: float) -> Machine:
        """Boot and return once the machine's systemd says that all of its boot jobs are done.

        Raises BootError.
        """
        plan.cgroup.create()
        plan.stack.allow_remount()
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
            address = f"dockmgrd-bed/{plan.name}"
            notify.bind("\0" + address)
            process = _start(plan, f"@{address}")
            try:
                _await_ready(notify, process, timeout)
            except BootError as error:
                _abandon(process, plan)
                raise BootError(f"{error}\n{_console_tail(plan)}") from None
            except BaseException:
                _abandon(process, plan)
                raise
        return cls(process, _leader(plan.cgroup), plan)

    def power_off(self, timeout: float) -> None:
        """Shut down in an orderly way. Raises TimeoutError; the machine is off all the same."""
        with suppress(ProcessLookupError):  # it has powered off by itself
            signal.pidfd_send_signal(self._leader_exit, _POWER_OFF)
        try:
            self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise TimeoutError(f"{self._plan.name} did not power off in {timeout} s") from None
        finally:
            self.kill()

    def kill(self) -> None:
        """End every process of the machine at once, and return when they are gone."""
        self._process.kill()
        self._process.wait()
        _await_readable(self._leader_exit, HANG_TIMEOUT)
        os.close(self._leader_exit)
        self._plan.cgroup.remove(HANG_TIMEOUT)


def _start(plan: Plan, notify_address: str) -> subprocess.Popen[bytes]:
    environment = {
        "PATH": os.defpath + ":/usr/sbin:/sbin",
        "NOTIFY_SOCKET": notify_address,
        "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1",
    }
    with plan.console.open("ab") as console:
        return subprocess.Popen(
            plan.argv(),
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=console,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def _abandon(process: subprocess.Popen[bytes], plan: Plan) -> None:
    process.kill()
    process.wait()
    plan.cgroup.remove(HANG_TIMEOUT)


def _await_ready(notify: socket.socket, process: subprocess.Popen[bytes], timeout: float) -> None:
    """Return as soon as the machine is up. Raises BootError."""
    deadline = time.monotonic() + timeout
    exited = os.pidfd_open(process.pid)
    poll = select.poll()
    poll.register(notify, select.POLLIN)
    poll.register(exited, select.POLLIN)
    try:
        while True:
            ready = [fd for fd, _ in poll.poll(max(0, deadline - time.monotonic()) * 1000)]
            if not ready:
                raise BootError(f"not up after {timeout} s")
            if notify.fileno() not in ready:
                raise BootError("systemd-nspawn exited")
            if b"READY=1" in notify.recv(4096).splitlines():
                return
    finally:
        os.close(exited)


def _leader(group: ControlGroup) -> int:
    """Return the process id of the machine's systemd, which is in its init.scope."""
    # systemd may be about to start another process, which is still in its own group.
    processes = group.child("payload").child("init.scope").procs.read_text().split()
    [leader] = (int(each) for each in processes if _is_first_of_namespace(each))
    return leader


def _is_first_of_namespace(process: str) -> bool:
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
    except OSError:
        return False  # it has ended
    return any(line.startswith("NSpid:") and line.split()[-1] == "1" for line in lines)


def _await_readable(descriptor: int, timeout: float) -> None:
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    if not poll.poll(timeout * 1000):
        raise TimeoutError("the machine's processes do not end")


def _console_tail(plan: Plan) -> str:
    return plan.console.read_text(errors="replace")[-_CONSOLE_TAIL:]
