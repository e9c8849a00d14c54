# SPDX-License-Identifier: LGPL-2.1-or-later
"""dockmgrctl --host: what other hosts and other versions may answer."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from dockmgrd import __version__, errors
from dockmgrd.errors import HostUnreachable
from dockmgrd.messages import bus as bus_messages
from dockmgrd.messages import requests
from unit.cli.test_terminal import Terminal, terminal
from unit.cli_service import DONE, Host, cli, serving, start_cli
from unit.ssh_stand_in import NO_LOCAL_BUS, make_ssh, there

__all__ = ["make_ssh", "terminal"]

pytestmark = pytest.mark.usefixtures("_ssh")


async def test_no_agent_prompts_for_another_host(bus_address: str, terminal: Terminal) -> None:
    text = requests.AUTHENTICATION_NEEDED(action="install").with_remedy(requests.AUTHENTICATE())
    host = Host(refusal=errors.InteractiveAuthorizationRequired(text))
    async with serving(host, bus_address):
        process = await terminal.run(bus_address, "-H", "web1", "install", "-y")
        await terminal.read_until("whom polkit authorizes without a password.")
        assert await process.wait() == errors.InteractiveAuthorizationRequired.exit_code
    assert host.calls == [("install", {}, False)]


async def test_output_of_ssh_cannot_control_the_terminal() -> None:
    _, _, err = await cli(NO_LOCAL_BUS, "-H", "evil", "status")
    assert "red" in err
    assert not {"\x1b", "\x07"} & set(err)


async def test_output_before_the_bus_is_reported(bus_address: str) -> None:
    async with serving(Host(), bus_address):
        code, _, err = await cli(NO_LOCAL_BUS, "-H", "noisy", "status")
    assert code == HostUnreachable.exit_code
    assert "Welcome to noisy" in err


async def test_a_job_id_is_neither_an_option_nor_for_the_shell(
    bus_address: str, tmp_path: Path
) -> None:
    host = Host()
    job_id = host.add_job()
    evil = f"--x $(touch {tmp_path}/x); `touch {tmp_path}/x` '\n&"
    host.jobs[job_id]["Id"] = evil
    async with serving_under(host, bus_address, job_id):
        code, out, _ = await there("log")
    assert code == 0
    assert f"DOCKMGR_JOB_ID={evil}\n" in out
    assert not (tmp_path / "x").exists()


def serving_under(host: Host, address: str, job_id: str) -> Any:
    """Serve a job whose id is not the one in its path."""
    evil = host.jobs[job_id]
    identity, evil["Id"] = evil["Id"], job_id
    context = serving(host, address)

    class Serving:
        async def __aenter__(self) -> None:
            daemon = await context.__aenter__()
            daemon.jobs[job_id].set_properties(Id=identity)

        async def __aexit__(self, *details: Any) -> None:
            await context.__aexit__(*details)

    return Serving()


async def test_the_connection_dies_before_the_reply(bus_address: str, tmp_path: Path) -> None:
    host = Host(never_reply=True)
    async with serving(host, bus_address):
        process = await start_cli(NO_LOCAL_BUS, "-H", "web1", "install", "-y")
        await host.until_called()
        os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)
        _, err = await process.communicate()
    assert process.returncode == HostUnreachable.exit_code
    assert err.endswith(
        b"List the jobs to see whether the job has started.\n  dockmgrctl -H web1 jobs\n"
    )


async def test_control_c_on_a_terminal_does_not_end_ssh(
    bus_address: str, terminal: Terminal
) -> None:
    host = Host()
    async with serving(host, bus_address):
        process = await terminal.run(NO_LOCAL_BUS, "-H", "web1", "install", "-y")
        job_id = await host.until_waited()
        await terminal.read_until("0%")
        os.write(terminal.ours, b"\x03")
        await terminal.read_until("dockmgrctl -H web1 cancel")
        os.write(terminal.ours, b"\x03")
        await terminal.read_until("is canceled.\r\n")
        assert await process.wait() == errors.Cancelled.exit_code
        assert host.jobs[job_id]["State"] == "cancelled"
    assert "The connection to" not in terminal.written.decode()


async def test_a_reply_that_is_lost_with_the_daemon(bus_address: str) -> None:
    host = Host(lose_reply=True)
    host.add_job(State="done")  # of this second: the clock of the host is another one
    async with serving(host, bus_address) as first:
        running = asyncio.ensure_future(there("install", "-y"))
        await host.until_called()
        await first.wait_until_gone()
        new = list(host.jobs)[-1]
        host.jobs[new]["CreatedAt"] = 1
        async with serving(host, bus_address):
            assert await host.until_waited() == new
            host.finish(new, Result=DONE)
            assert (await running)[0] == 0


@pytest.mark.parametrize("with_id", [True, False])
@pytest.mark.parametrize("command", [("permissions",), ("install", "-y")])
async def test_a_service_of_another_version(
    bus_address: str, command: tuple[str, ...], with_id: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = Host(version="0.0.1")
    text = requests.OPTION_UNKNOWN(option="x", verb="Install", options=["y"])
    host.refusal = errors.InvalidArgs(text if with_id else str(text))
    async with serving(host, bus_address) as daemon:
        monkeypatch.setattr(daemon.manager, "get_permissions", _refuse_method)
        code, out, err = await there(*command)
        assert f"dockmgrd 0.0.1 does not know what dockmgrctl {__version__} asks for. " in err
        assert err.endswith(" Install the same version on both.\n")
        assert (code, out) == ({"install": 2}.get(command[0], 1), "")
        _, _, err = await cli(bus_address, *command)
        assert err.endswith("\n  systemctl try-restart dockmgrd.service\n")


async def _refuse_method() -> None:
    raise errors.UnknownMethod(bus_messages.UNKNOWN_METHOD(owner="x", method="y"))


async def test_the_hint_of_a_probe_is_for_the_same_host(bus_address: str) -> None:
    host = Host()
    async with serving(host, bus_address):
        running = asyncio.ensure_future(there("probe"))
        host.finish(await host.until_waited(), Result={"probed": []})
        code, _, err = await running
    assert code == errors.MirrorUnreachable.exit_code
    assert "To try another one: dockmgrctl -H web1 probe URL." in err


async def test_version_names_what_differs(bus_address: str) -> None:
    async with serving(Host(version="0.0.1"), bus_address):
        code, out, _ = await there("version")
    assert code == 0
    assert "dockmgrctl on this host and dockmgrd on web1 differ." in " ".join(out.split())


@pytest.mark.parametrize(
    "status",
    [
        {"packages": "x", "installed": True},
        {"problems": ["a"]},
        {"mirrors-configured": 7, "installed": True},
        {"packages": ["a"], "problems": {"a": 1}, "installed": True},
    ],
)
async def test_an_answer_that_is_not_understood(bus_address: str, status: dict[str, Any]) -> None:
    async with serving(Host(status=status), bus_address):
        code, _, err = await there("status")
    assert code in (0, HostUnreachable.exit_code)
    assert "Traceback" not in err


async def test_a_host_without_dockmgrd() -> None:
    code, _, err = await there("status")
    assert code == errors.ServiceUnknown.exit_code
    assert "is not on web1" in err
    assert err.endswith("Install the package dockmgrd on that host.\n")
