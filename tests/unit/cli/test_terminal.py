# SPDX-License-Identifier: LGPL-2.1-or-later
"""dockmgrctl on a terminal: the progress bar, the keyboard, and polkit's agent."""

from __future__ import annotations

import asyncio
import fcntl
import os
import pty
import signal
import struct
import termios
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bed.limits import HANG_TIMEOUT
from dockmgrd.cli.service import agent
from dockmgrd.cli.waiting import Stopped, catch_signals
from unit.cli_service import Host, serving, start_cli


@dataclass
class Terminal:
    """The two ends of a pseudo-terminal, and what the process has written to it."""

    ours: int
    theirs: int
    written: bytes = b""

    async def run(self, address: str, *arguments: str) -> asyncio.subprocess.Process:
        def take_over() -> None:
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)

        streams = dict.fromkeys(("stdin", "stdout", "stderr"), self.theirs)
        how: dict[str, Any] = {"start_new_session": True, "preexec_fn": take_over, **streams}
        return await start_cli(address, *arguments, **how)

    async def read_until(self, text: str) -> None:
        """Read what is written until the text is among it."""
        event = asyncio.Event()
        loop = asyncio.get_running_loop()

        def read() -> None:
            self.written += os.read(self.ours, 4096)
            if text.encode() in self.written:
                event.set()

        loop.add_reader(self.ours, read)
        try:
            await asyncio.wait_for(event.wait(), HANG_TIMEOUT)
        finally:
            loop.remove_reader(self.ours)


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[Terminal]:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("NO_COLOR", "1")
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 60, 0, 0))
    yield Terminal(ours, theirs)
    os.close(ours)
    os.close(theirs)


async def test_bar_is_redrawn_in_place(bus_address: str, terminal: Terminal) -> None:
    host = Host()
    async with serving(host, bus_address):
        process = await terminal.run(bus_address, "install", "-y")
        job_id = await host.until_waited()
        for fraction in (0.25, 0.5):
            host.move(job_id, Stage="downloading", Progress=fraction, Message="docker-ce")
        await terminal.read_until("50%")
        host.finish(job_id, Result={"changed": True})
        await terminal.read_until("installed.\r\n")
        await process.wait()
    assert terminal.written.decode() == (
        "\rpreparing    ░░░░░░░░░░░░░   0%\x1b[K"
        "\rpreparing    done\x1b[K\r\n"
        "\rdownloading  ███░░░░░░░░░░  25%  docker-ce\x1b[K"
        "\rdownloading  ██████░░░░░░░  50%  docker-ce\x1b[K"
        "\rdownloading  done\x1b[K\r\n"
        "Docker Engine is installed.\r\n"
    )


async def test_control_c_ends_the_line_and_leaves_the_job(
    bus_address: str, terminal: Terminal
) -> None:
    host = Host()
    async with serving(host, bus_address):
        process = await terminal.run(bus_address, "install", "-y")
        job_id = await host.until_waited()
        await terminal.read_until("0%")
        os.write(terminal.ours, b"\x03")
        await terminal.read_until("dockmgrctl cancel")
        assert await process.wait() == 130
        assert host.jobs[job_id]["State"] == "running"
        assert host.calls == [("install", {}, True)]
    assert "\r\ndockmgrctl: Job" in terminal.written.decode()


async def test_control_c_twice_stops_the_job(bus_address: str, terminal: Terminal) -> None:
    host = Host()
    async with serving(host, bus_address):
        process = await terminal.run(bus_address, "install", "-y")
        job_id = await host.until_waited()
        await terminal.read_until("0%")
        os.write(terminal.ours, b"\x03")
        await terminal.read_until("dockmgrctl cancel")
        os.write(terminal.ours, b"\x03")
        await terminal.read_until("is canceled.\r\n")
        assert await process.wait() == 24
        assert host.jobs[job_id]["State"] == "cancelled"


PLAN = {
    "dry-run": True,
    "changed": True,
    "remove": [{"package": "runc-4:1.2.4", "reason": "containerd.io replaces it"}],
    "actions": ["start docker.service"],
    "digest": "1" * 64,
}


async def rehearsed(host: Host, terminal: Terminal, plan: dict[str, Any] = PLAN) -> None:
    """Have the job end with the plan, and wait until the user is asked about it."""
    host.finish(await host.until_waited(), Result=plan)
    await terminal.read_until("Continue? [y/N]")


async def install_with_consent(bus_address: str, terminal: Terminal, *options: str) -> None:
    """Run `install` with these options, agree to the plan, and see that it is what was done."""
    host = Host()
    async with serving(host, bus_address):
        process = await terminal.run(bus_address, *options, "install", "--source", "ustc")
        await rehearsed(host, terminal)
        host.waits = 0
        os.write(terminal.ours, b"y\n")
        host.finish(await host.until_waited(), Result={"changed": True})
        await terminal.read_until("installed.\r\n")
        assert await process.wait() == 0
    assert [call[1] for call in host.calls] == [
        {"source": "ustc", "dry-run": True},
        {"source": "ustc", "plan": PLAN["digest"]},
    ]


async def test_the_confirmed_plan_is_applied(bus_address: str, terminal: Terminal) -> None:
    await install_with_consent(bus_address, terminal)
    shown = terminal.written.decode()
    assert "runc-4:1.2.4" in shown
    assert "containerd.io replaces it" in shown
    assert "Then:\r\n  start docker.service" in shown


@pytest.mark.parametrize("answer", [b"n\n", b"\n", b"\x04"])
async def test_anything_but_yes_is_no(bus_address: str, terminal: Terminal, answer: bytes) -> None:
    host = Host()
    async with serving(host, bus_address):
        process = await terminal.run(bus_address, "uninstall")
        await rehearsed(host, terminal)
        os.write(terminal.ours, answer)
        await terminal.read_until("did not confirm")
        assert await process.wait() == 24
    assert [call[1] for call in host.calls] == [{"dry-run": True}]


async def test_control_c_at_the_question(bus_address: str, terminal: Terminal) -> None:
    host = Host()
    async with serving(host, bus_address):
        process = await terminal.run(bus_address, "install")
        await rehearsed(host, terminal)
        os.write(terminal.ours, b"\x03")
        await terminal.read_until("Nothing was done.")
        assert await process.wait() == 130
    assert len(host.calls) == 1


async def test_a_plan_that_has_changed_is_shown_again(bus_address: str, terminal: Terminal) -> None:
    host = Host()
    async with serving(host, bus_address):
        process = await terminal.run(bus_address, "install")
        await rehearsed(host, terminal)
        host.waits = 0
        os.write(terminal.ours, b"y\n")
        new = {**PLAN, "digest": "2" * 64, "plan-changed": True, "actions": ["enable docker"]}
        changed = {"ErrorName": "org.dockmgr1.Error.PlanChanged", "ErrorMessage": "It has changed."}
        host.finish(await host.until_waited(), "failed", Result=new, **changed)
        await terminal.read_until("enable docker\r\nContinue? [y/N]")
        host.waits = 0
        os.write(terminal.ours, b"yes\n")
        host.finish(await host.until_waited(), Result={"changed": True})
        assert await process.wait() == 0
    assert host.calls[-1][1] == {"plan": "2" * 64}


async def test_a_plan_that_would_be_refused_is_not_confirmed(
    bus_address: str, terminal: Terminal
) -> None:
    host = Host()
    async with serving(host, bus_address):
        process = await terminal.run(bus_address, "uninstall")
        refusal = {**PLAN, "stops": ["web"], "refusal": "Containers are running: web."}
        host.finish(await host.until_waited(), Result=refusal)
        await terminal.read_until("dockmgrctl: Containers are running: web.")
        assert await process.wait() == 29
    assert "Stops the containers:\r\n  web" in terminal.written.decode()


async def test_nothing_to_do_asks_nothing(bus_address: str, terminal: Terminal) -> None:
    host = Host()
    async with serving(host, bus_address):
        process = await terminal.run(bus_address, "install")
        host.finish(await host.until_waited(), Result={**PLAN, "changed": False})
        await terminal.read_until("Nothing to do")
        assert await process.wait() == 0


@pytest.mark.parametrize("command", ["install", "cancel 001"])
@pytest.mark.parametrize("allowed", [True, False])
async def test_polkit_may_ask_only_who_allows_it(
    bus_address: str, terminal: Terminal, command: str, allowed: bool
) -> None:
    host = Host()
    if command == "cancel 001":
        host.add_job()
    arguments = [*command.split(), *([] if allowed else ["--no-ask-password"])]
    async with serving(host, bus_address):
        process = await terminal.run(bus_address, *arguments)
        await host.until_called()
        process.kill()
        await process.wait()
    assert [call[2] for call in host.calls] == [allowed]


def _agent_program(folder: Path, body: str) -> None:
    program = folder / "pkttyagent"
    program.write_text(f'#!/bin/bash\necho $$ "$@" > {folder}/called\n{body}')
    program.chmod(0o755)


@pytest.fixture
def _not_root(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")


@pytest.mark.usefixtures("_not_root")
def test_agent_is_waited_for_and_ended(tmp_path: Path) -> None:
    _agent_program(tmp_path, f'touch {tmp_path}/ready; eval "exec $4>&-"; exec sleep infinity')
    with agent.run_text_agent(wanted=True):
        assert (tmp_path / "ready").exists()
        process, *arguments = (tmp_path / "called").read_text().split()
        os.kill(int(process), 0)
    notify = arguments.pop(3)
    assert notify.isdigit()
    assert arguments == ["--process", str(os.getpid()), "--notify-fd", "--fallback"]
    with pytest.raises(ProcessLookupError):
        os.kill(int(process), 0)


@pytest.mark.usefixtures("_not_root")
def test_agent_that_fails_at_once(tmp_path: Path) -> None:
    _agent_program(tmp_path, "exit 127")
    with agent.run_text_agent(wanted=True):
        assert (tmp_path / "called").exists()


@pytest.mark.usefixtures("_not_root")
def test_agent_that_does_not_register(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agent, "_REGISTER_TIMEOUT", 0.1)
    _agent_program(tmp_path, "exec sleep infinity")
    with agent.run_text_agent(wanted=True):
        pass


@pytest.mark.usefixtures("_not_root")
def test_leaving_while_the_agent_registers(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    _agent_program(tmp_path, f"echo > {tmp_path}/fifo; exec sleep infinity")

    def interrupt() -> None:
        (tmp_path / "fifo").read_text()
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt).start()
    with catch_signals(), pytest.raises(Stopped), agent.run_text_agent(wanted=True):
        pass
    process = int((tmp_path / "called").read_text().split()[0])
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)


@pytest.mark.usefixtures("_not_root")
def test_agent_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    with agent.run_text_agent(wanted=True):
        pass


@pytest.mark.usefixtures("_not_root")
def test_no_agent_where_none_is_wanted(tmp_path: Path) -> None:
    _agent_program(tmp_path, "exit 1")
    with agent.run_text_agent(wanted=False):
        pass
    assert not (tmp_path / "called").exists()
