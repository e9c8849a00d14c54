# SPDX-License-Identifier: LGPL-2.1-or-later
"""dockmgrctl --host: the commands for ssh, and the handling of replies."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import signal
import sys
from pathlib import Path

import pytest

from dockmgrd import __version__, errors
from dockmgrd.cli.commands.arguments import Invocation
from dockmgrd.cli.hosts import ssh
from dockmgrd.cli.hosts import view as fleetview
from dockmgrd.cli.hosts.ssh import Answer
from dockmgrd.cli.view.terminal import Paint
from dockmgrd.errors import HostUnreachable, ServiceUnknown
from unit.cli.test_terminal import Terminal, install_with_consent, terminal
from unit.cli_service import CHECKOUT, DONE, STATUS, Host, cli, run_job, serving, start_cli

__all__ = ["terminal"]

_SSH = """#!/bin/bash
printf '%s\\n' "$*" >> {folder}/called
host=${{@: -2:1}} command=${{@: -1}}
case $host in
down*) echo "ssh: connect to host $host port 22: Connection refused" >&2; exit 255;;
bare) echo "bash: line 1: dockmgrctl: command not found" >&2; exit 127;;
mute) exit 0;;
old)
    case $command in
    *--version*) echo "dockmgrctl 0.0.1"; exit 0;;
    esac
    echo "dockmgrctl: argument --json: ignored explicit argument 'short'" >&2; exit 2;;
many*)
    mkdir {folder}/running/$$
    ls {folder}/running | wc -l > {folder}/began
    flock --shared {folder}/gate true
    rmdir {folder}/running/$$
    echo '[]'; exit 0;;
*) echo "Welcome to $host" >&2; exec bash -c "$command";;
esac
"""
_DOCKMGRCTL = '#!/bin/bash\nexec {python} -m dockmgrd.cli "$@"\n'


@pytest.fixture(autouse=True)
def _programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stand-in for ssh, whose hosts are this one unless their name says otherwise."""
    texts = {
        "ssh": _SSH.format(folder=tmp_path),
        "dockmgrctl": _DOCKMGRCTL.format(python=sys.executable),
    }
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", str(CHECKOUT))


def called(tmp_path: Path) -> list[str]:
    return (tmp_path / "called").read_text().splitlines()


@pytest.mark.parametrize("command", ["status", "mirrors", "sources", "can", "jobs", "version"])
async def test_one_host_answers_as_this_one_does(bus_address: str, command: str) -> None:
    host = Host()
    host.add_job(State="failed", ErrorMessage="No.", Result={})
    async with serving(host, bus_address):
        assert await cli(bus_address, "-H", "web1", command) == await cli(bus_address, command)


async def test_a_job_on_one_host_looks_as_on_this_one(bus_address: str) -> None:
    ends = {"Result": DONE}
    here = await run_job(bus_address, "install", ends=ends)
    assert await run_job(bus_address, "install", "--host", "web1", ends=ends) == (
        *here[:2],
        "preparing\n",
    )
    fails = {"state": "failed", "ErrorName": errors.Busy.dbus_name, "ErrorMessage": "Wait."}
    code, out, err = await run_job(bus_address, "install", "-H", "web1", ends=fails)
    assert (code, out) == (10, "")
    assert err == "preparing\ndockmgrctl: Wait.\n"


async def test_follow_knows_the_kind_of_the_job(bus_address: str) -> None:
    host = Host()
    host.add_job("uninstall", State="done", Stage="finished")
    async with serving(host, bus_address):
        _, out, _ = await cli(bus_address, "-H", "web1", "follow", "001")
    assert out == "Docker Engine is removed.\n"


async def test_several_hosts_end_in_a_table(bus_address: str, tmp_path: Path) -> None:
    async with serving(Host(), bus_address):
        code, out, err = await cli(bus_address, "-H", "web1,down", "-H", "bare", "status")
    assert code == max(HostUnreachable.exit_code, ServiceUnknown.exit_code)
    assert err == ""
    block, table = out.split("\n\n")
    _, status, _ = await _status(bus_address)
    assert block == "web1:\n" + "\n".join(f"  {line}" for line in status.splitlines())
    assert table.splitlines() == [
        "● web1  ok           Docker Engine 28.5.1 is running.",
        (
            "× down  unreachable  ssh cannot reach down: "
            "ssh: connect to host down port 22: Connection refused."
        ),
        (
            "× bare  failed       dockmgrctl is not installed on bare. "
            "Install the package dockmgrctl there."
        ),
    ]
    assert all("-o BatchMode=yes" in line for line in called(tmp_path))


async def _status(bus_address: str) -> tuple[int, str, str]:
    async with serving(Host(), bus_address):
        return await cli(bus_address, "status")


async def test_json_is_an_object_by_host(bus_address: str) -> None:
    async with serving(Host(), bus_address):
        code, out, _ = await cli(bus_address, "-H", "web1,down", "--json", "status")
        assert code == HostUnreachable.exit_code
        answers = json.loads(out)
        assert answers["web1"] == STATUS
        assert answers["down"]["error"]["name"] == HostUnreachable.dbus_name
        _, out, _ = await cli(bus_address, "-H", "web1", "--json=short", "status")
    assert json.loads(out) == {"web1": STATUS}


async def test_progress_names_the_host(bus_address: str) -> None:
    line = ("install", "-y", "-H", "web1,down", "--json")
    _, _, err = await run_job(bus_address, *line, ends={"Result": DONE})
    reports = [json.loads(each) for each in err.splitlines()]
    assert [(each["host"], each["state"]) for each in reports] == [
        ("web1", "running"),
        ("web1", "done"),
    ]
    _, out, err = await run_job(bus_address, *line[:-1], ends={"Result": DONE})
    assert err.startswith("web1: 2")
    assert err.endswith(" preparing\n")
    assert "● web1  ok           Docker Engine is installed." in out


async def test_words_arrive_as_they_were_given(bus_address: str, tmp_path: Path) -> None:
    mirror = f"https://a/$(touch {tmp_path}/x);'\" *"
    host = Host()
    line = ("set-mirror", "--verify", mirror, "-H", "web1", "-H", "web2")
    async with serving(host, bus_address):
        running = asyncio.ensure_future(cli(bus_address, *line))
        while len(host.jobs) < 2:
            await host.until_called()
            host.called.clear()
        for job_id in host.jobs:
            host.finish(job_id, Result=DONE)
        code, _, _ = await running
    assert code == 0
    assert host.calls == [("set-mirror", ([mirror], {"verify": True}), False)] * 2
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("-H", "root@web1", "status"), "-T -- root@web1 dockmgrctl --json=short "),
        (("-H", "a@web1:2222", "status"), "-T -p 2222 -- a@web1 dockmgrctl "),
        (("-H", "::1", "status"), "-T -- ::1 dockmgrctl "),
        (("-H", "web1", "--no-ask-password", "status"), "-o BatchMode=yes -o ConnectTimeout=10 -T"),
    ],
)
async def test_arguments_of_ssh(tmp_path: Path, arguments: tuple[str, ...], expected: str) -> None:
    await cli("", *arguments)
    [line] = called(tmp_path)
    assert line.startswith(expected)
    assert "--no-ask-password" in line.partition("dockmgrctl")[2], "there is no terminal to ask on"


async def test_other_versions_are_reported(bus_address: str) -> None:
    code, out, err = await cli(bus_address, "-H", "old", "status")
    assert (code, out) == (2, "")
    assert err.startswith(
        f"dockmgrctl: dockmgrctl 0.0.1 on old does not know what {__version__} here knows. "
    )
    code, _, err = await cli(bus_address, "-H", "mute", "status")
    assert code == 1
    assert "gave an answer that" in err


async def test_a_probe_without_success_keeps_its_table(bus_address: str) -> None:
    bad = {"mirror": "https://a/", "verdict": "untrusted", "text": "bad"}
    code, out, err = await run_job(
        bus_address, "-H", "web1", "probe", ends={"Result": {"probed": [bad]}}
    )
    assert code == errors.MirrorUnreachable.exit_code
    assert "https://a/  untrusted" in out
    assert err.endswith("dockmgrctl: " + _NONE_WORKS)


_NONE_WORKS = (
    "None of the mirrors works. The table shows why. To try another one: dockmgrctl probe URL.\n"
)


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ("-H a,b install", "--yes"),
        ("-H a -H b uninstall --purge-data", "--yes"),
        ("-H a,b log x", "one host"),
    ],
)
async def test_commands_that_do_not_support_several_hosts(
    line: str, hint: str, tmp_path: Path
) -> None:
    code, _, err = await cli("", *line.split())
    assert code == errors.InvalidArgs.exit_code
    assert hint in err
    assert not (tmp_path / "called").exists()


async def test_no_ssh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    code, _, err = await cli("", "-H", "web1", "status")
    assert code == HostUnreachable.exit_code
    assert "openssh-clients" in err


async def test_no_more_than_eight_at_once(tmp_path: Path) -> None:
    (tmp_path / "running").mkdir()
    os.mkfifo(tmp_path / "began")
    began = os.open(tmp_path / "began", os.O_RDWR)
    hosts = ",".join(f"many{number}" for number in range(12))
    with (tmp_path / "gate").open("w") as gate:
        fcntl.flock(gate, fcntl.LOCK_EX)
        running = asyncio.ensure_future(cli("", "-q", "-H", hosts, "sources"))
        counts = ""
        while counts.count("\n") < 8:
            counts += (await asyncio.to_thread(os.read, began, 4096)).decode()
    assert (await running)[0] == 0
    counts += os.read(began, 4096).decode()
    os.close(began)
    assert len(counts.split()) == 12
    assert max(map(int, counts.split())) == 8


async def test_control_c_says_what_keeps_running(bus_address: str) -> None:
    host = Host()
    async with serving(host, bus_address):
        process = await start_cli(bus_address, "-H", "web1,down", "install", "-y")
        await host.until_waited()
        process.send_signal(signal.SIGINT)
        _, err = await process.communicate()
    assert process.returncode == 130
    assert b"Jobs that have started keep running. To see them: dockmgrctl -H HOST jobs." in err


async def test_the_plan_of_one_host_is_shown_and_agreed_to(
    bus_address: str, terminal: Terminal
) -> None:
    await install_with_consent(bus_address, terminal, "-H", "web1")


@pytest.mark.parametrize(
    ("width", "lines"),
    [
        (None, ["× web1  failed       One two three four five six."]),
        (48, ["× web1  failed       One two three four five", "                     six."]),
        (30, ["× web1  failed", "    One two three four five", "    six."]),
    ],
)
def test_a_message_is_never_cut(width: int | None, lines: list[str]) -> None:
    answer = Answer("web1", 10, error=errors.Busy("One two three four five six."))
    row = fleetview.row(Invocation("status"), answer, len("web1"), width, Paint())
    assert row == lines


async def test_each_host_has_its_line_on_a_terminal(bus_address: str, terminal: Terminal) -> None:
    host = Host()
    async with serving(host, bus_address):
        process = await terminal.run(bus_address, "-H", "web1,down", "install", "-y")
        job_id = await host.until_waited()
        await terminal.read_until("down  unreachable")
        host.move(job_id, Stage="downloading", Progress=0.5, Message="3 of 6")
        await terminal.read_until("50%  3 of 6")
        host.finish(job_id, Result={"changed": True})
        await terminal.read_until("● web1  ok")
        assert await process.wait() == HostUnreachable.exit_code
    assert "1 of 2 hosts have answered" in terminal.written.decode()


def test_meaning_of_the_exit_status_of_ssh() -> None:
    document = json.dumps({"error": {"name": errors.Busy.dbus_name, "message": "No."}}).encode()
    cases = [
        (ssh.parse_answer("h", 0, b"[]", ()), 0, None),
        (ssh.parse_answer("h", 10, document, ()), 10, errors.Busy),
        (ssh.parse_answer("h", 255, b"", ["x"]), 33, HostUnreachable),
        (ssh.parse_answer("h", -15, b"", ()), 33, HostUnreachable),
        (ssh.parse_answer("h", 6, b"", ["dockmgrctl: x"]), 6, ServiceUnknown),
        (ssh.parse_answer("h", 0, b"nonsense", ()), 1, errors.DockmgrError),
    ]
    for answer, code, error in cases:
        assert (answer.code, type(answer.error) if answer.error else None) == (code, error)
