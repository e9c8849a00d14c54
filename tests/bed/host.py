# SPDX-License-Identifier: LGPL-2.1-or-later
"""A host: a disk made of cached layers, booted, and what a test does with it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from typing import TYPE_CHECKING

from bed import coverage, homes, image, repositories, system
from bed.cgroup import ControlGroup
from bed.entry import Entry, in_session
from bed.internet import Internet
from bed.limits import HANG_TIMEOUT
from bed.machine import Binding, BootError, Machine, Plan
from bed.overlay import Stack

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from types import TracebackType

    from bed.suites import Suite

_DATA = ("docker", "containerd")  # below /var/lib


class HostOffError(Exception):
    """The operation needs a running host."""


class Host:
    """A host with its own disk. It is off until `boot`, and a context manager that boots it.

    The disk is kept over `poweroff`, `kill` and the next `boot`; `close` destroys it. When the
    thread that booted it dies, however that may be, the host dies with it.
    """

    def __init__(
        self,
        suite: Suite,
        layers: Sequence[Path] | None = None,
        *,
        files: Mapping[str, str] | None = None,
        data_mounts: bool = True,
    ) -> None:
        """Make a disk out of `layers` (the topmost first; default: nothing of ours installed).

        `files` are put on it before the first boot. /var/lib/docker and /var/lib/containerd are
        mount points of plain directories, because overlayfs does not stack; with
        `data_mounts=False` they are not, and Docker uses a storage driver that does without.
        """
        self.suite = suite
        self.internet = Internet(self)
        self._machine: Machine | None = None
        layers = layers or system.provide(suite)
        bindings = _served(suite)
        self._home = homes.create()
        self._plan = _plan(self._home.path, layers, bindings, data_mounts=data_mounts)
        for path, text in (files or {}).items():
            target = self._plan.stack.upper / path.lstrip("/")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text)

    def __enter__(self) -> Host:
        try:
            self.boot()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def name(self) -> str:
        """The name of the host's directory and control group on the outer machine."""
        return self._plan.name

    @property
    def running(self) -> bool:
        return self._machine is not None

    @property
    def leader(self) -> int:
        """The process id of the host's systemd, seen from outside. Raises HostOffError."""
        if self._machine is None:
            raise HostOffError(f"{self.name} is off")
        return self._machine.leader

    def boot(self, *, may_degrade: bool = False) -> None:
        """Power on, and return when the boot is done.

        Raises BootError, also when a unit has failed, unless the host `may_degrade`.
        """
        if self._machine is not None:
            raise HostOffError(f"{self.name} is on already")
        self._machine = Machine.boot(self._plan, HANG_TIMEOUT)
        self._entry.group.create()
        state = self.run("systemctl", "is-system-running", "--wait", check=False).stdout.strip()
        if state != "running" and not (may_degrade and state == "degraded"):
            failed = self.run("systemctl", "--failed", "--no-legend", "--plain").stdout
            said = self.run("journalctl", "--boot", "--priority=warning", "--no-pager").stdout
            raise BootError(f"system is {state}\n{failed}\n{said}")

    def poweroff(self) -> None:
        """Shut down in an orderly way. Raises TimeoutError; the host is off all the same."""
        machine, self._machine = self._machine, None
        if machine is not None:
            machine.power_off(HANG_TIMEOUT)

    def kill(self) -> None:
        """Take the power away: every process ends at once, the disk stays as it is."""
        machine, self._machine = self._machine, None
        if machine is not None:
            machine.kill()

    def close(self) -> None:
        """Take the power away and destroy the disk."""
        if self.running:
            coverage.collect(self)
        self.kill()
        self._home.remove()

    def run(
        self,
        *argv: str,
        user: str | None = None,
        check: bool = True,
        input: str | None = None,  # noqa: A002  (as subprocess.run calls it)
        timeout: float = HANG_TIMEOUT,
        env: Mapping[str, str] | None = None,
        session: bool = False,
    ) -> subprocess.CompletedProcess[str]:
        """Run a command in the host, as root or as another user, with a clean environment.

        With `session` the user has a login session, as over ssh: for polkit he is active then.
        Raises CommandError unless `check` is off, and subprocess.TimeoutExpired, when the command
        has been killed.
        """
        entry = self._entry
        if session and user is not None:
            command = entry.argv(in_session(argv, user, env), None)
        else:
            command = entry.argv(argv, user)
        done = subprocess.run(
            command,
            env=entry.environment(user, env),
            input=input or "",
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        if check and done.returncode != 0:
            raise CommandError(done.returncode, list(argv), done.stdout, done.stderr)
        return subprocess.CompletedProcess(argv, done.returncode, done.stdout, done.stderr)

    def popen(
        self,
        *argv: str,
        user: str | None = None,
        env: Mapping[str, str] | None = None,
    ) -> subprocess.Popen[str]:
        """Start a command in the host; its three streams are pipes. It dies with its Popen."""
        return subprocess.Popen(
            self._entry.argv(argv, user),
            env=self._entry.environment(user, env),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def interact(self, *argv: str) -> int:
        """Run a command on the terminal of this process; return its exit status."""
        terminal = {"TERM": os.environ.get("TERM", "dumb")}
        environment = self._entry.environment(None, terminal)
        return subprocess.call(self._entry.argv(argv, None), env=environment)

    def path(self, path: str | Path) -> Path:
        """Return where the outer machine sees a path of the running host.

        Links on the way are followed inside the host; the last component is not followed.
        """
        return self._entry.path(str(path))

    def read(self, path: str) -> str:
        """Return a file's text, `""` where there is no file."""
        target = self._entry.path(path, follow_last=True)
        return target.read_text() if target.exists() else ""

    def write(self, path: str, text: str, mode: int = 0o644) -> None:
        """Replace a file atomically; it belongs to root. Its directory is made where missing."""
        target = self._entry.path(path, follow_last=True)
        target.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=target.parent)
        with os.fdopen(descriptor, "w") as stream:
            stream.write(text)
        os.chmod(name, mode)
        os.replace(name, target)

    def install_rpms(self, paths: Sequence[Path]) -> None:
        """Install package files by dnf, with what they need from the configured repositories."""
        directory = self.path("/var/tmp/rpms")
        directory.mkdir(exist_ok=True)
        for path in paths:
            shutil.copy(path, directory)
        names = [f"/var/tmp/rpms/{path.name}" for path in paths]
        self.run("dnf", "-y", "install", *names)
        self.run("rm", "--recursive", "/var/tmp/rpms")

    def journal(self, **matches: str) -> list[dict[str, str]]:
        """Return the entries of this boot's journal whose fields match, the oldest first."""
        conditions = [f"{field}={value}" for field, value in matches.items()]
        listing = self.run("journalctl", "--boot", "--output=json", "--all", *conditions).stdout
        return [_texts(json.loads(line)) for line in listing.splitlines()]

    def take_disk(self, target: Path) -> None:
        """Move what was written on top of the layers to a path on the cache's file system.

        The host must be off and can only be closed after that.
        """
        if self._machine is not None:
            raise HostOffError(f"{self.name} must be off for this")
        self._plan.stack.upper.rename(target)

    @property
    def _entry(self) -> Entry:
        return Entry(self.leader, self._plan.cgroup.child("payload").child("bed"))


class CommandError(subprocess.CalledProcessError):
    """A CalledProcessError that shows what the command printed."""

    def __str__(self) -> str:
        return f"{super().__str__()}\n{self.stdout}\n{self.stderr}"


def _texts(entry: Mapping[str, object]) -> dict[str, str]:
    """Return a journal entry with every value as text; journalctl writes some as byte lists."""
    return {
        name: bytes(value).decode(errors="replace") if isinstance(value, list) else str(value)
        for name, value in entry.items()
    }


def _served(suite: Suite) -> tuple[Binding, ...]:
    """Return what the internet of every host of the suite serves."""
    return (
        Binding(repositories.provide(suite), "/srv/bed/repositories", read_only=True),
        Binding(image.provide(suite), "/srv/bed/registry", read_only=True),
    )


def _plan(
    home: Path, layers: Sequence[Path], bindings: Sequence[Binding], *, data_mounts: bool
) -> Plan:
    stack = Stack(tuple(layers), home / "upper", home / "work", home / "root")
    stack.make_directories()
    data = [Binding(home / name, f"/var/lib/{name}") for name in _DATA if data_mounts]
    for binding in data:
        binding.source.mkdir(mode=0o710)
    group = ControlGroup.named(home.name)
    return Plan(home.name, stack, group, home / "console.log", (*bindings, *data))
