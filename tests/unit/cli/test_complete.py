# SPDX-License-Identifier: LGPL-2.1-or-later
"""`dockmgrctl complete`, which shells call: its values, and no output on errors."""

from __future__ import annotations

from unit.cli_service import Host, cli, serving

ONE, TWO, THREE = "https://one.example/", "https://two.example/", "https://three.example/"


async def _listed(address: str, host: Host, *words: str) -> list[str]:
    async with serving(host, address):
        code, out, err = await cli(address, "complete", *words)
    assert (code, err) == (0, "")
    return out.splitlines()


async def test_sources(bus_address: str) -> None:
    assert await _listed(bus_address, Host(), "sources", "install") == [
        "fastest\tthe fastest of them",
        "aliyun\tAlibaba Cloud",
    ]


async def test_jobs_and_those_that_run(bus_address: str) -> None:
    host = Host()
    ended, running = host.add_job("probe"), host.add_job()
    host.finish(ended)
    both = [f"{running}\tinstall, running", f"{ended}\tprobe, done"]
    assert await _listed(bus_address, host, "jobs", "follow") == both
    assert await _listed(bus_address, host, "running-jobs", "cancel") == both[:1]


async def test_versions_are_those_that_were_listed_last(bus_address: str) -> None:
    host = Host()
    assert await _listed(bus_address, host, "versions", "install") == []
    old, last, failed = host.add_job("versions"), host.add_job("versions"), host.add_job("versions")
    host.finish(old, Result={"versions": [{"version": "26.0.0"}]})
    rows = [{"version": "28.5.1", "built": "2025-10-08", "installed": True}, {"version": "27.0.1"}]
    host.finish(last, Result={"versions": rows})
    host.finish(failed, "failed")
    listed = await _listed(bus_address, host, "versions", "install", "--version")
    assert listed == ["28.5.1\t2025-10-08, installed", "27.0.1\t"]
    assert host.calls == []


async def test_mirrors_are_those_configured_and_those_probed(bus_address: str) -> None:
    host = Host()
    configured = [f"{ONE}\tconfigured", f"{TWO}\tconfigured"]
    assert await _listed(bus_address, host, "mirrors", "set-mirror") == configured
    probe = host.add_job("probe")
    probed = [
        {"mirror": THREE, "verdict": "ok", "latency": 0.035},
        {"mirror": TWO, "verdict": "dns", "text": "no such host"},
    ]
    host.finish(probe, Result={"probed": probed})
    known = [f"{ONE}\tconfigured", f"{TWO}\tno such host", f"{THREE}\tworks, 35 ms"]
    assert await _listed(bus_address, host, "mirrors", "set-mirror") == known
    given = ("set-mirror", ONE.rstrip("/"), THREE)
    assert await _listed(bus_address, host, "mirrors", *given) == known[1:2]
    assert await _listed(bus_address, host, "mirrors", "set-mirror", "--remove") == configured


async def test_nothing_that_a_shell_would_run_or_expand(bus_address: str) -> None:
    host = Host()
    host.status["mirrors-configured"] = ["https://$(id)/", "https://a/ b", "https://`id`/", ONE]
    listed = await _listed(bus_address, host, "mirrors", "probe")
    assert listed == [f"{ONE}\tconfigured"]


async def test_nothing_of_this_host_for_another(bus_address: str) -> None:
    assert await _listed(bus_address, Host(), "sources", "-H", "web", "install") == []
    assert await _listed(bus_address, Host(), "sources", "--host=web", "install") == []


async def test_silence_where_there_is_no_answer(bus_address: str) -> None:
    assert await cli("unix:path=/nowhere", "complete", "sources") == (0, "", "")
    assert await cli(bus_address, "complete", "sources") == (0, "", "")
    assert await cli(bus_address, "complete", "nonsense") == (0, "", "")
    assert await cli(bus_address, "complete") == (0, "", "")
