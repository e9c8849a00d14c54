# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs of ansible-playbook against hosts of the bed, over real sshd."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from controller.environments import NEWEST, find_environment, run_checked

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bed.host import Host

_HERE = Path(__file__).parent
_SSH_OPTIONS = """\
ProxyUseFdpass yes
IdentitiesOnly yes
StrictHostKeyChecking no
UserKnownHostsFile /dev/null
LogLevel ERROR
"""
_CONFIG = """\
[defaults]
callback_plugins = {here}/plugins
callbacks_enabled = recorder
host_key_checking = False
interpreter_python = /usr/bin/python3
nocows = True
remote_user = root
retry_files_enabled = False
remote_tmp = /tmp/.ansible-${{USER}}
local_tmp = {work}/tmp
home = {work}/home
collections_path = {collections}
[ssh_connection]
pipelining = True
ssh_args = -F {work}/ssh_config {connections}
"""
# With a controller that is killed, its connection is gone.
_CONNECTION_PER_TASK = "-o ControlMaster=no"
# What Ansible does unless it is told otherwise.
_SHARED_CONNECTION = (
    "-o ControlMaster=auto -o ControlPersist=60s -o ControlPath={work}/connection-%C"
)
_KEY_USERS = {"root": "/root", "alice": "/home/alice", "bob": "/home/bob"}


@dataclass(frozen=True)
class Result:
    """What a task said about a host."""

    host: str
    task: str
    state: str
    """`ok`, `failed`, `ignored`, `skipped` or `unreachable`."""
    values: Mapping[str, Any]


@dataclass(frozen=True)
class Run:
    """A run of a playbook that has ended."""

    code: int
    output: str
    results: tuple[Result, ...]
    recap: Mapping[str, Mapping[str, int]]

    def find(self, task: str, host: str = "") -> Mapping[str, Any]:
        """Return the result of the task, which ran once, on that host or on the only one."""
        name = f": {task}"
        [found] = [
            each
            for each in self.results
            if (each.task == task or each.task.endswith(name)) and host in ("", each.host)
        ]
        return found.values

    def count(self, key: str) -> dict[str, int]:
        """Return `changed`, `failures`, `ignored` … of the recap, by host."""
        return {host: counts[key] for host, counts in self.recap.items()}

    def require_success(self) -> Run:
        """Return this run. The test fails unless no task failed, not even an ignored one."""
        troubles = [self.count(key) for key in ("failures", "unreachable", "ignored")]
        clean = self.code == 0 and self.recap and not any(any(each.values()) for each in troubles)
        assert clean, self.output
        return self


@dataclass
class Controller:
    """A controller with its own configuration below `work`."""

    work: Path
    collections: Path
    hosts: Mapping[str, Host]
    """By their names in the inventory."""
    shares_connections: bool = False
    """Whether the tasks of a run share one connection to each host."""
    _runs: int = field(default=0)

    def prepare(self) -> None:
        """Write the configuration, and let root, alice and bob log in on each host."""
        key = self.work / "id"
        run_checked("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key)
        blocks = [_proxy(name, host) for name, host in self.hosts.items()]
        options = f"Host *\nIdentityFile {key}\n{_SSH_OPTIONS}"
        (self.work / "ssh_config").write_text("".join([*blocks, options]))
        connections = _SHARED_CONNECTION if self.shares_connections else _CONNECTION_PER_TASK
        text = _CONFIG.format(
            here=_HERE,
            work=self.work,
            collections=self.collections,
            connections=connections.format(work=self.work),
        )
        (self.work / "ansible.cfg").write_text(text)
        (self.work / "inventory").write_text("\n".join(self.hosts) + "\n")
        for host in self.hosts.values():
            _allow_logins(host, key.with_suffix(".pub").read_text())

    def run(self, playbook: str | Path, *arguments: str, core: str = NEWEST) -> Run:
        """Run a playbook, by its text, its path or its full name, and return what came of it."""
        return self.start(playbook, *arguments, core=core).wait()

    def start(self, playbook: str | Path, *arguments: str, core: str = NEWEST) -> Running:
        """Start a playbook."""
        self._runs += 1
        if isinstance(playbook, str) and "\n" in playbook:
            text, playbook = playbook, self.work / f"play{self._runs}.yml"
            playbook.write_text(text)
        record = self.work / f"record{self._runs}"
        command = find_environment(core) / "bin" / "ansible-playbook"
        process = subprocess.Popen(
            [command, "-i", self.work / "inventory", *arguments, playbook],
            env={
                "ANSIBLE_CONFIG": str(self.work / "ansible.cfg"),
                "HOME": str(self.work),
                "LANG": "C.UTF-8",
                "PATH": f"{command.parent}{os.pathsep}{os.defpath}",
                "RECORD": str(record),
                "USER": "root",
            },
            cwd=self.work,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        return Running(process, record)


@dataclass(frozen=True)
class Running:
    """A run of a playbook that has not ended yet."""

    process: subprocess.Popen[str]
    record: Path

    def wait(self) -> Run:
        """Return the run when it has ended."""
        try:
            output, _ = self.process.communicate()
        except BaseException:
            self.kill()
            raise
        lines = self.record.read_text().splitlines() if self.record.exists() else []
        events = [json.loads(line) for line in lines]
        recaps = [each["recap"] for each in events if "recap" in each]
        results = [
            Result(each["host"], each["task"], each["state"], each["result"])
            for each in events
            if "task" in each
        ]
        recap = recaps[-1] if recaps else {}
        return Run(self.process.returncode, output, tuple(results), recap)

    def kill(self) -> None:
        """End the controller, its workers and their connections at once.

        A worker is in a session of its own, but each has the environment of the controller.
        """
        mark = f"RECORD={self.record}".encode()
        self.process.kill()
        while pids := [pid for pid in _list_processes() if mark in _read_environment(pid)]:
            for pid in pids:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        self.process.communicate()


def _list_processes() -> list[int]:
    """Return the ids of all processes but this one and those that have ended."""
    ids = (int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit())
    return [pid for pid in ids if pid != os.getpid()]


def _read_environment(pid: int) -> list[bytes]:
    """Return the variables of a process; none when it has ended."""
    try:
        return Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return []


def _proxy(name: str, host: Host) -> str:
    command = f"nsenter -t {host.leader} -n -- /usr/bin/python3 -IS {_HERE / 'fdpass.py'} %p"
    return f"Host {name}\nProxyCommand {command}\n"


def _allow_logins(host: Host, public_key: str) -> None:
    for user, home in _KEY_USERS.items():
        host.run("install", "-d", "-o", user, "-m", "700", f"{home}/.ssh")
        host.write(f"{home}/.ssh/authorized_keys", public_key)
    host.run("systemctl", "start", "ssh.service")
