# SPDX-License-Identifier: LGPL-2.1-or-later
"""A job continues and its result arrives if the daemon, the bus or dockmgrctl fails."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import pytest

from dockmgrd import errors
from unit.cli_service import (
    DONE,
    Host,
    cli,
    private_bus,
    serving,
    start_cli,
    untimed,
)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
async def test_signal_leaves_the_job_running(bus_address: str, number: signal.Signals) -> None:
    host = Host()
    async with serving(host, bus_address):
        process = await start_cli(bus_address, "install")
        job_id = await host.until_waited()
        process.send_signal(number)
        out, err = await process.communicate()
        assert host.jobs[job_id]["State"] == "running"
        assert [call[0] for call in host.calls] == ["install"]
        assert (process.returncode, out) == (128 + number, b"")
        assert untimed(err.decode()) == (
            f"preparing\ndockmgrctl: Job {job_id} keeps running in the background. "
            "To watch it: dockmgrctl follow abc001. To stop it: dockmgrctl cancel abc001.\n"
        )


async def test_interrupt_before_the_answer_says_where_to_look(bus_address: str) -> None:
    host = Host(never_reply=True)
    async with serving(host, bus_address):
        process = await start_cli(bus_address, "install")
        await host.until_called()
        process.send_signal(signal.SIGINT)
        out, err = await process.communicate()
    assert (process.returncode, out) == (130, b"")
    assert b"To see whether the job has started: dockmgrctl jobs." in err


async def test_daemon_that_vanishes_and_comes_back(bus_address: str) -> None:
    host = Host()
    async with serving(host, bus_address) as daemon:
        running = asyncio.ensure_future(cli(bus_address, "install"))
        job_id = await host.until_waited()
        host.move(job_id, Stage="downloading", Progress=0.3)
        await daemon.tell()
        daemon.vanish()
    host.move(job_id, Stage="installing", Progress=0.6)
    host.waits = 0
    async with serving(host, bus_address):
        await host.until_waited()
        host.finish(job_id, Result=DONE)
        code, out, err = await running
    assert code == 0
    assert "docker-ce-3:28.5.1" in out
    assert err == "preparing\ndownloading\ninstalling\n"


async def test_job_that_ends_while_no_daemon_is_there(bus_address: str) -> None:
    host = Host()
    async with serving(host, bus_address) as daemon:
        running = asyncio.ensure_future(cli(bus_address, "install"))
        job_id = await host.until_waited()
        daemon.vanish()
    host.finish(job_id, Result=DONE)
    async with serving(host, bus_address):
        code, out, _ = await running
    assert code == 0
    assert "docker-ce-3:28.5.1" in out


async def test_reply_that_is_lost_with_the_daemon(bus_address: str) -> None:
    host = Host(lose_reply=True)
    async with serving(host, bus_address):
        running = asyncio.ensure_future(cli(bus_address, "install"))
        while not host.jobs or host.daemon is not None:
            await host.until_called()
            await asyncio.sleep(0)
    async with serving(host, bus_address):
        host.finish(await host.until_waited(), Result=DONE)
        code, out, _ = await running
    assert code == 0
    assert "docker-ce-3:28.5.1" in out
    assert len(host.jobs) == 1


async def test_wait_that_is_refused_is_not_asked_again(bus_address: str) -> None:
    host = Host(refuse_wait=errors.LimitsExceeded("Too many wait."))
    async with serving(host, bus_address):
        running = asyncio.ensure_future(cli(bus_address, "install"))
        job_id = await host.until_waited()
        host.move(job_id, Stage="installing", Progress=0.5)
        host.finish(job_id, Result=DONE)
        code, _, err = await running
    assert (code, err) == (0, "preparing\ninstalling\n")
    assert host.waits == 1


async def test_bus_that_goes_away_leaves_the_job(tmp_path: Path) -> None:
    host = Host()
    async with private_bus(tmp_path) as (bus, address), serving(host, address):
        running = asyncio.ensure_future(cli(address, "install"))
        job_id = await host.until_waited()
        bus.kill()
        code, out, err = await running
        host.daemon = None
    assert (code, out) == (errors.NoReply.exit_code, "")
    assert err == (
        "preparing\n"
        "dockmgrctl: The connection to the system bus ended. The job keeps running in the unit "
        f"dockmgrd-job@{job_id}.service. Look at the state of the unit.\n"
        f"  systemctl status dockmgrd-job@{job_id}.service\n"
    )
