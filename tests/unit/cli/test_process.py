# SPDX-License-Identifier: LGPL-2.1-or-later
"""dockmgrctl as a process: its calls, output and exit codes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from dockmgrd import __version__, errors, names
from dockmgrd.errors import DockmgrError
from unit.cli_service import (
    DONE,
    STATUS,
    Host,
    cli,
    run_job,
    serving,
)


@pytest.mark.parametrize(
    ("arguments", "kind", "sent"),
    [
        ("install", "install", {}),
        (
            (
                "install --source aliyun --channel test --version 28.5.1 --minimal "
                "--mirror https://a --mirror https://b --replace-conflicting --no-start --no-enable"
            ),
            "install",
            {
                "source": "aliyun",
                "channel": "test",
                "version": "28.5.1",
                "minimal": True,
                "mirrors": ["https://a", "https://b"],
                "replace-conflicting": True,
                "start": False,
                "enable": False,
            },
        ),
        ("set-mirror https://a https://b", "set-mirror", (["https://a", "https://b"], {})),
        ("set-mirror --clear", "set-mirror", ([], {})),
        ("uninstall", "uninstall", {}),
        (
            "uninstall --purge-data --keep-config --force",
            "uninstall",
            {"purge-data": True, "keep-config": True, "force": True},
        ),
    ],
)
async def test_options_are_sent_as_given(
    bus_address: str, arguments: str, kind: str, sent: Any
) -> None:
    host = Host()
    await run_job(bus_address, *arguments.split(), ends={"Result": DONE}, host=host)
    assert host.calls == [(kind, sent, False)]


async def test_result_is_on_stdout_and_progress_on_stderr(bus_address: str) -> None:
    code, out, err = await run_job(bus_address, "install", ends={"Result": DONE})
    assert code == 0
    assert out == ("Docker Engine is installed.\n Installed: docker-ce-3:28.5.1-1.el9.x86_64\n")
    assert err == "preparing\n"


async def test_json_is_the_result_and_nothing_else(bus_address: str) -> None:
    code, out, _ = await run_job(bus_address, "--json", "install", ends={"Result": DONE})
    assert code == 0
    assert json.loads(out) == {"job": "20260131T120001_abc001", **DONE}


async def test_quiet_says_nothing(bus_address: str) -> None:
    assert await run_job(bus_address, "-q", "install", ends={"Result": DONE}) == (0, "", "")


@pytest.mark.parametrize("error", [errors.Internal, errors.RolledBack, errors.NoReply])
async def test_job_error_is_exit_code_and_sentence(
    bus_address: str, error: type[DockmgrError]
) -> None:
    message = "It went wrong; do this."
    ends = {"state": "failed", "ErrorName": error.dbus_name, "ErrorMessage": message}
    code, out, err = await run_job(bus_address, "uninstall", "--json", ends=ends)
    assert code == error.exit_code
    job = "20260131T120001_abc001"
    assert json.loads(out) == {"error": {"name": error.dbus_name, "message": message, "job": job}}
    *progress, sentence = err.splitlines()
    assert [json.loads(line)["state"] for line in progress] == ["running", "failed"]
    assert sentence == f"dockmgrctl: {message}"


@pytest.mark.parametrize("command", ["install", "set-mirror --clear", "uninstall"])
async def test_refusal_is_exit_code_and_sentence(bus_address: str, command: str) -> None:
    host = Host(refusal=errors.Busy("Job 1 runs; 'dockmgrctl follow 1' shows it."))
    async with serving(host, bus_address):
        answer = await cli(bus_address, *command.split())
    assert answer == (10, "", "dockmgrctl: Job 1 runs; 'dockmgrctl follow 1' shows it.\n")


async def test_unknown_error_keeps_its_name(bus_address: str) -> None:
    name = names.ERROR_PREFIX + "OfTheFuture"
    ends = {"state": "failed", "ErrorName": name, "ErrorMessage": "Not yet."}
    code, out, err = await run_job(bus_address, "install", "--json", ends=ends)
    assert code == 1
    job = "20260131T120001_abc001"
    assert json.loads(out) == {"error": {"name": name, "message": "Not yet.", "job": job}}
    assert f"dockmgrctl: {name}: Not yet.\n" in err


async def test_no_service_is_one_sentence(bus_address: str) -> None:
    code, out, err = await cli(bus_address, "status")
    assert (code, out) == (errors.ServiceUnknown.exit_code, "")
    assert err == (
        "dockmgrctl: The service org.dockmgr1 is not on this host. "
        "Install the package dockmgrd.\n  dnf install dockmgrd\n"
    )


@pytest.mark.parametrize("address", ["unix:path=/nonexistent/socket", "nonsense", "unix:x=y"])
async def test_no_bus_is_one_sentence(address: str) -> None:
    code, out, err = await cli(address, "status", "--json")
    assert code == errors.ServiceUnknown.exit_code
    assert json.loads(out)["error"]["name"] == errors.ServiceUnknown.dbus_name
    assert err.startswith("dockmgrctl: The system bus cannot be reached: ")
    assert err.count("\n") == 1


@pytest.mark.parametrize("command", ["help nonsense", "install --zzz", "set-mirror"])
async def test_usage_error(command: str) -> None:
    code, out, err = await cli("", *command.split())
    assert (code, out) == (errors.InvalidArgs.exit_code, "")
    assert err.startswith("dockmgrctl: ")
    assert "'dockmgrctl" in err
    assert "--help'.\n" in err
    assert err.count("\n") == 1


async def test_no_command_shows_all_of_them() -> None:
    code, out, err = await cli("")
    assert (code, out) == (errors.InvalidArgs.exit_code, "")
    first, *_, last = err.splitlines()
    assert first == "dockmgrctl [OPTION…] COMMAND …"
    assert last == "For options and examples: dockmgrctl help COMMAND"
    assert err.count("\n") < 24


async def test_help_needs_no_service() -> None:
    code, out, err = await cli("", "help", "install")
    assert (code, err) == (0, "")
    assert out == (await cli("", "install", "--help"))[1]
    assert out.startswith("dockmgrctl install [OPTION…]\n")
    code, out, err = await cli("", "--version")
    assert (code, out, err) == (0, f"dockmgrctl {__version__}\n", "")


async def test_versions_of_both(bus_address: str) -> None:
    code, out, err = await cli(bus_address, "version")
    assert (code, err) == (0, "")
    assert out.splitlines()[0] == f"dockmgrctl {__version__}"
    assert "is not on this host" in out
    async with serving(Host(version=__version__), bus_address):
        assert await cli(bus_address, "version") == (
            *(0, f"dockmgrctl {__version__}\ndockmgrd   {__version__}\n", ""),
        )
    async with serving(Host(version="0.0"), bus_address):
        _, out, _ = await cli(bus_address, "version")
        assert "try-restart" in out
        answer = json.loads((await cli(bus_address, "version", "--json"))[1])
    assert (answer["dockmgrctl"], answer["dockmgrd"]) == (__version__, "0.0")


async def test_forms_of_json(bus_address: str) -> None:
    async with serving(Host(), bus_address):
        _, short, _ = await cli(bus_address, "status", "--json=short")
        _, pretty, _ = await cli(bus_address, "--json=pretty", "status")
        _, off, _ = await cli(bus_address, "status", "--json=off")
    assert json.loads(short) == json.loads(pretty) == STATUS
    assert short.count("\n") == 1
    assert pretty.count("\n") > 10
    assert off.startswith("● Docker Engine")


async def test_usage_error_as_json() -> None:
    code, out, _ = await cli("", "--json", "nonsense")
    assert code == errors.InvalidArgs.exit_code
    assert json.loads(out)["error"]["name"] == errors.InvalidArgs.dbus_name


async def test_status_as_json(bus_address: str) -> None:
    async with serving(Host(), bus_address):
        code, out, err = await cli(bus_address, "status", "--json")
    assert (code, err) == (0, "")
    assert json.loads(out) == STATUS
    assert out.count("\n") == 1


async def test_status_of_a_bare_host(bus_address: str) -> None:
    bare = {key: type(value)() for key, value in STATUS.items()} | {"active-job": "/"}
    async with serving(Host(status=bare), bus_address):
        code, out, err = await cli(bus_address, "status")
    assert (code, err) == (0, "")
    assert out == "○ Docker is not installed. To install it: dockmgrctl install\n"


async def test_sources(bus_address: str) -> None:
    async with serving(Host(), bus_address):
        code, out, _ = await cli(bus_address, "sources")
        _, as_json, _ = await cli(bus_address, "sources", "--json")
    assert code == 0
    assert out == (
        "NAME    REGION  PREFIX                                TITLE\n"
        "aliyun  cn      https://mirrors.aliyun.com/docker-ce  Alibaba Cloud\n"
        "aliyun: For machines in this cloud only.\n"
        "aliyun: Quick.\n"
    )
    assert json.loads(as_json)[0]["name"] == "aliyun"


async def test_jobs_are_listed_newest_first(bus_address: str) -> None:
    host = Host()
    host.add_job(CreatedAt=1_000_000, State="failed", ErrorMessage="No space.", InitiatorUid=0)
    host.add_job("set-mirror", CreatedAt=2_000_000, InitiatorUid=4_000_000_000)
    async with serving(host, bus_address):
        code, out, _ = await cli(bus_address, "jobs")
        _, as_json, _ = await cli(bus_address, "jobs", "--json")
    assert code == 0
    assert out == (
        "ID      KIND        STATE    WHEN              USER\n"
        "abc002  set-mirror  running  1970-01-01 00:00  4000000000\n"
        "abc001  install     failed   1970-01-01 00:00  root\n"
        "        No space.\n"
    )
    assert [job["state"] for job in json.loads(as_json)] == ["running", "failed"]


async def test_follow_takes_an_unambiguous_ending(bus_address: str) -> None:
    host = Host()
    for _ in range(2):
        job_id = host.add_job(State="done", Stage="finished")
    async with serving(host, bus_address):
        assert await cli(bus_address, "follow", "002") == (
            0,
            "Docker Engine is installed.\n",
            "",
        )
        assert (await cli(bus_address, "follow", job_id))[0] == 0
        assert (await cli(bus_address, "follow"))[0] == 0
        assert (await cli(bus_address, "follow", "3"))[0] == errors.UnknownObject.exit_code
    host.add_job()
    host.jobs["20260131T120003_abd002"] = {**host.jobs[job_id], "Id": "20260131T120003_abd002"}
    async with serving(host, bus_address):
        code, _, err = await cli(bus_address, "follow", "002")
    assert code == errors.InvalidArgs.exit_code
    assert "The ids of several jobs end in '002'" in err


async def test_cancel_waits_for_the_end(bus_address: str) -> None:
    host = Host()
    job_id = host.add_job()
    async with serving(host, bus_address):
        answer = await cli(bus_address, "cancel", "001")
    assert answer == (0, f"Job {job_id} is canceled.\n", "")


async def test_cancel_that_is_refused(bus_address: str) -> None:
    host = Host()
    host.add_job(Cancellable=False)
    async with serving(host, bus_address):
        code, out, err = await cli(bus_address, "cancel", "001")
    assert (code, out) == (errors.NotCancellable.exit_code, "")
    assert err == "dockmgrctl: Job is installing and must not be stopped half-way.\n"
