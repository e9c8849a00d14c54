# SPDX-License-Identifier: LGPL-2.1-or-later
"""dockmgrctl --host: the bus of another host through ssh and systemd's bridge."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from pathlib import Path

import pytest

from dockmgrd import __version__, errors
from dockmgrd.cli.service.ssh import make_command
from dockmgrd.errors import HostUnreachable
from unit.cli.test_terminal import Terminal, install_with_consent, terminal
from unit.cli_service import DONE, Host, cli, run_job, serving, start_cli

__all__ = ["terminal"]

# A stand-in for ssh. The hosts are this one unless their names say otherwise.
_SSH = """#!/bin/bash
printf '%s\\n' "$*" >> {folder}/called
while [[ $1 != -- ]]; do shift; done
host=$2 command=$3
case $host in
down*) echo "ssh: connect to host $host port 22: Connection refused" >&2; exit 255;;
bare) echo "bash: line 1: $command: command not found" >&2; exit 127;;
mute) exit 0;;
busless) echo "Failed to connect to the system bus: No such file or directory." >&2; exit 1;;
chatty) head -c 300000 /dev/zero | tr '\\0' x >&2; echo >&2;;&
silent) echo began > {folder}/began; exec sleep infinity;;
*) echo "Welcome to $host" >&2
   [[ $command == systemd-stdio-bridge ]] && command+=" --bus-path=$DBUS_SYSTEM_BUS_ADDRESS"
   echo $$ > {folder}/pid
   exec bash -c "exec $command";;
esac
"""


@pytest.fixture(autouse=True)
def _programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, text in {
        "ssh": _SSH.format(folder=tmp_path),
        "journalctl": '#!/bin/bash\nprintf "<%s>" "$@"\n',
    }.items():
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")


def list_calls(folder: Path) -> list[str]:
    path = folder / "called"
    return path.read_text().splitlines() if path.exists() else []


@pytest.mark.parametrize("form", ["--json=short", "--json=off"])
@pytest.mark.parametrize("command", ["status", "mirrors", "sources", "can", "jobs", "version"])
async def test_answers_are_those_of_this_host(bus_address: str, command: str, form: str) -> None:
    host = Host(version=__version__)
    host.add_job(State="failed", ErrorMessage="No.", Result={})
    async with serving(host, bus_address):
        here = await cli(bus_address, form, command)
        assert here[0] == 0
        assert await cli(bus_address, "-H", "web1", form, command) == here


@pytest.mark.parametrize("line", [("install",), ("set-mirror", "https://a"), ("--json", "probe")])
@pytest.mark.parametrize(
    "ends",
    [
        {"Result": DONE},
        {"state": "failed", "ErrorName": errors.Busy.dbus_name, "ErrorMessage": "Wait."},
    ],
)
async def test_jobs_look_as_on_this_host(
    bus_address: str, line: tuple[str, ...], ends: dict[str, str]
) -> None:
    here = await run_job(bus_address, *line, ends=ends)
    code, out, err = await run_job(bus_address, "--host", "web1", *line, ends=ends)
    assert (code, out, err.replace("dockmgrctl -H web1 ", "dockmgrctl ")) == here


async def test_errors_of_the_service_are_those_of_this_host(bus_address: str) -> None:
    async with serving(Host(), bus_address):
        here = await cli(bus_address, "--json", "follow", "nonsense")
        assert here[0] == errors.UnknownObject.exit_code
        there = await cli(bus_address, "-H", "web1", "--json", "follow", "nonsense")
    assert there[:2] == here[:2]
    assert there[2].replace("dockmgrctl -H web1 ", "dockmgrctl ") == here[2]


async def test_words_arrive_as_they_were_given(bus_address: str, tmp_path: Path) -> None:
    mirror = f"https://a/$(touch {tmp_path}/x);'\" *"
    host = Host()
    line = ("-H", "web1", "set-mirror", "--verify", mirror)
    await run_job(bus_address, *line, ends={"Result": DONE}, host=host)
    assert host.calls == [("set-mirror", ([mirror], {"verify": True}), False)]
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize(
    ("host", "options", "expected"),
    [
        ("web1", (), "ssh -x -o ServerAliveInterval=15 -- web1 x"),
        ("root@web1", ("-T",), "ssh -x -o ServerAliveInterval=15 -T -- root@web1 x"),
        ("a@web1:2222", (), "ssh -x -o ServerAliveInterval=15 -p 2222 -- a@web1 x"),
        ("::1", (), "ssh -x -o ServerAliveInterval=15 -- ::1 x"),
        ("root@[::1]", (), "ssh -x -o ServerAliveInterval=15 -- root@::1 x"),
        ("root@[::1]:22", (), "ssh -x -o ServerAliveInterval=15 -p 22 -- root@::1 x"),
        ("[fe80::1%eth0]:22", (), "ssh -x -o ServerAliveInterval=15 -p 22 -- fe80::1%eth0 x"),
    ],
)
def test_command_of_ssh(host: str, options: tuple[str, ...], expected: str) -> None:
    assert make_command(host, ["x"], *options) == expected.split()


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ((), "-x -o ServerAliveInterval=15 -T -- web1 systemd-stdio-bridge"),
        (
            ("--no-ask-password",),
            "-x -o ServerAliveInterval=15 -T -o BatchMode=yes -- web1 systemd-stdio-bridge",
        ),
    ],
)
async def test_ssh_asks_unless_it_must_not(
    bus_address: str, tmp_path: Path, options: tuple[str, ...], expected: str
) -> None:
    async with serving(Host(), bus_address):
        assert (await cli(bus_address, "-H", "web1", *options, "status"))[0] == 0
    assert list_calls(tmp_path) == [expected]


@pytest.mark.parametrize(
    ("host", "reason"),
    [
        ("down", "ssh cannot reach down: ssh: connect to host down port 22: Connection refused.\n"),
        ("bare", "systemd-stdio-bridge is not installed on bare. Install it there."),
        ("mute", "ssh cannot reach mute.\n"),
        ("busless", "Failed to connect to the system bus: No such file or directory.\n"),
    ],
)
async def test_failures_of_ssh(bus_address: str, host: str, reason: str) -> None:
    code, out, err = await cli(bus_address, "-H", host, "status")
    assert (code, out) == (HostUnreachable.exit_code, "")
    assert reason in err
    code, out, _ = await cli(bus_address, "-H", host, "--json", "install")
    assert code == HostUnreachable.exit_code
    assert json.loads(out)["error"]["name"] == HostUnreachable.dbus_name


async def test_a_host_that_says_much_holds_nothing_up(bus_address: str) -> None:
    async with serving(Host(), bus_address):
        assert (await cli(bus_address, "-H", "chatty", "sources"))[0] == 0


async def test_no_ssh(bus_address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    code, _, err = await cli(bus_address, "-H", "web1", "status")
    assert code == HostUnreachable.exit_code
    assert "openssh-clients" in err


@pytest.mark.parametrize("hosts", [("a,b",), ("a", "b"), ("a,",), ("a", "a")])
async def test_several_hosts_are_left_to_ansible(tmp_path: Path, hosts: tuple[str, ...]) -> None:
    line = [word for host in hosts for word in ("-H", host)]
    code, _, err = await cli("", *line, "status")
    assert code == errors.InvalidArgs.exit_code
    assert "--host takes one host. For several hosts, use the Ansible collection" in err
    assert "dockmgr.docker" in err
    assert list_calls(tmp_path) == []


async def test_a_connection_that_breaks_off_leaves_the_job(
    bus_address: str, tmp_path: Path
) -> None:
    host = Host()
    async with serving(host, bus_address):
        process = await start_cli(bus_address, "-H", "web1", "install", "-y")
        job_id = await host.until_waited()
        os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)
        _, err = await process.communicate()
        assert process.returncode == HostUnreachable.exit_code
        text = err.decode()
        assert f"Job {job_id} keeps running there. Follow it again to see its result" in text
        assert f"dockmgrctl -H web1 follow {job_id}" in text
        host.finish(job_id, Result=DONE)
        assert (await cli(bus_address, "-H", "web1", "follow", job_id))[0] == 0


async def test_a_reply_that_is_lost_with_the_daemon(bus_address: str) -> None:
    """The job is found by the clock of the host, which is behind that of this one here."""
    host = Host(lose_reply=True)
    host.add_job(State="done", CreatedAt=1)
    async with serving(host, bus_address):
        process = await start_cli(bus_address, "-H", "web1", "install", "-y")
        while len(host.jobs) < 2:
            await host.until_called()
            host.called.clear()
    job_id = list(host.jobs)[-1]
    host.jobs[job_id]["CreatedAt"] = 2
    async with serving(host, bus_address):
        host.finish(await host.until_waited())
        await process.communicate()
    assert process.returncode == 0
    assert len(host.jobs) == 2


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_says_what_keeps_running(bus_address: str, number: int) -> None:
    host = Host()
    async with serving(host, bus_address):
        process = await start_cli(bus_address, "-H", "web1", "install", "-y")
        job_id = await host.until_waited()
        process.send_signal(number)
        _, err = await process.communicate()
    assert process.returncode == 128 + number
    ending = job_id.rpartition("_")[2]
    assert f"To watch it: dockmgrctl -H web1 follow {ending}. " in err.decode()


async def test_a_signal_ends_the_wait_for_a_host_that_says_nothing(
    bus_address: str, tmp_path: Path
) -> None:
    os.mkfifo(tmp_path / "began")
    process = await start_cli(bus_address, "-H", "silent", "status")
    await asyncio.to_thread((tmp_path / "began").read_text)
    process.send_signal(signal.SIGTERM)
    await process.communicate()
    assert process.returncode == 128 + signal.SIGTERM


async def test_the_plan_of_a_host_is_shown_and_agreed_to(
    bus_address: str, terminal: Terminal
) -> None:
    await install_with_consent(bus_address, terminal, "-H", "web1")


async def test_log_is_read_on_the_host(bus_address: str, tmp_path: Path) -> None:
    host = Host()
    job_id = host.add_job(State="done")
    async with serving(host, bus_address):
        here = await cli(bus_address, "log", "-f", job_id)
        assert await cli(bus_address, "-H", "web1", "log", "-f", job_id) == (
            *here[:2],
            "Welcome to web1\n",
        )
    assert "_SYSTEMD_UNIT=" in here[1]
    words = "-x -o ServerAliveInterval=15 -T -- web1 journalctl --quiet "
    assert list_calls(tmp_path)[-1].startswith(words)
