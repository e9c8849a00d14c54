# SPDX-License-Identifier: LGPL-2.1-or-later
"""Package sources are measured side by side, and what is hostile or broken comes last."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import pytest

from dockmgrd.cli.view.probe import has_usable_source
from dockmgrd.job.probe.packages import Measurement, measure_all, rank
from dockmgrd.job.probe.proxies import Proxies
from dockmgrd.job.probe.repodata import find_package, parse_repomd
from dockmgrd.job.probe.verdicts import Verdict

NOW = 1_790_000_000
DAY = 86400
HUGE = b"x" * (5 << 20)
PACKAGE = b"\xed\xab\xee\xdb" + bytes(400_000)
PRIMARY = gzip.compress(
    b'<metadata><package><location href="Packages/containerd.io-2.rpm"/></package>'
    b'<package><location href="Packages/docker-ce-3:28.5.1-1.x86_64.rpm"/></package></metadata>'
)


def make_repomd(primary: bytes = PRIMARY, made: int = NOW) -> bytes:
    digest = hashlib.sha256(primary).hexdigest()
    return (
        f"<repomd><revision>{made}</revision><data type='other'><location href='o.gz'/></data>"
        f'<data type="primary"><checksum type="sha256">{digest}</checksum>'
        f'<location href="repodata/primary.xml.gz"/><timestamp>{made}</timestamp></data></repomd>'
    ).encode()


def make_files(made: int = NOW, package: bytes = PACKAGE) -> dict[str, bytes]:
    return {
        "repodata/repomd.xml": make_repomd(made=made),
        "repodata/primary.xml.gz": PRIMARY,
        "Packages/docker-ce-3:28.5.1-1.x86_64.rpm": package,
    }


@asynccontextmanager
async def serve(files: Mapping[str, bytes], seconds: float = 0.0) -> AsyncIterator[str]:
    """A server of the files, which waits so long before each answer; yields its URL."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := await reader.readuntil(b"\r\n\r\n"):
            body = files.get(head.split()[1].decode().lstrip("/"))
            await asyncio.sleep(seconds)
            status = "404 Not Found" if body is None else "200 OK"
            writer.write(
                f"HTTP/1.1 {status}\r\nContent-Length: {len(body or b'')}\r\n\r\n".encode()
            )
            writer.write(body or b"")

    tasks: set[asyncio.Task[None]] = set()

    async def serve_quietly(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            await answer(reader, writer)
        except (OSError, EOFError, asyncio.CancelledError):
            pass
        finally:
            tasks.discard(task)
            writer.transport.abort()

    server = await asyncio.start_server(serve_quietly, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for task in set(tasks):
            task.cancel()
        await asyncio.gather(*tasks)


async def measure(*servers: tuple[str, Mapping[str, bytes]]) -> dict[str, Measurement]:
    async with _serve_all(dict(servers)) as urls:
        return {each.source: each for each in await measure_all(urls, Proxies())}


@asynccontextmanager
async def _serve_all(servers: Mapping[str, Mapping[str, bytes]]) -> AsyncIterator[dict[str, str]]:
    if not servers:
        yield {}
        return
    [(name, files), *others] = servers.items()
    async with serve(files) as url, _serve_all(dict(others)) as urls:
        yield {name: url, **urls}


async def test_the_order() -> None:
    damaged = make_files(package=b"<html>" + bytes(400_000))
    missing: dict[str, bytes] = {}
    found = await measure(
        *(("missing", missing), ("damaged", damaged)),
        *(("stale", make_files(NOW - 1)), ("good", make_files())),
    )
    assert list(found)[:2] == ["good", "stale"]
    assert found["good"].throughput > 0
    assert found["good"].latency > 0
    assert found["stale"].stale
    verdicts = {name: each.verdict for name, each in found.items()}
    assert verdicts["damaged"] is Verdict.CORRUPT
    assert verdicts["missing"] is Verdict.MISSING


@pytest.mark.parametrize(
    ("measurement", "usable"),
    [
        (Measurement("fast", Verdict.OK, time=NOW), True),
        (Measurement("slow", Verdict.TIMEOUT, time=NOW), True),
        (Measurement("stale", Verdict.OK, time=NOW, stale=True), True),
        (Measurement("silent", Verdict.TIMEOUT), False),
        (Measurement("damaged", Verdict.CORRUPT, time=NOW), False),
    ],
)
def test_the_table_and_an_installation_take_the_same_sources(
    measurement: Measurement,
    usable: bool,
) -> None:
    assert measurement.is_usable is usable
    assert has_usable_source({"measured": [measurement.to_plain()]}) is usable


async def test_one_that_is_late_keeps_its_figures() -> None:
    async with serve(make_files(), seconds=3600) as silent, serve(make_files()) as good:
        urls = {"silent": silent, "good": good, "dead": "http://127.0.0.1:1"}
        found = await measure_all(urls, Proxies(), timeout=2)
    assert found[0].source == "good"
    verdicts = {each.source: each.verdict for each in found}
    assert verdicts["silent"] is Verdict.TIMEOUT
    assert verdicts["dead"] is Verdict.REFUSED
    assert [each.source for each in found if each.is_usable] == ["good"]


@pytest.mark.parametrize(
    "files",
    [
        {"repodata/repomd.xml": b""},
        {"repodata/repomd.xml": b"<repomd>" * 100_000},
        {"repodata/repomd.xml": b"<repomd>" + b"<data " * 40_000},
        {"repodata/repomd.xml": b"<repomd>" + b'<data type="primary"' * 20_000 + bytes(9 << 20)},
        {"repodata/repomd.xml": make_repomd(b"another list"), "repodata/primary.xml.gz": PRIMARY},
        {
            "repodata/repomd.xml": make_repomd(b"x" * (5 << 20)),
            "repodata/primary.xml.gz": b"x" * (5 << 20),
        },
        {"repodata/repomd.xml": make_repomd().replace(b"repodata/", b"../../../")},
        {"repodata/repomd.xml": make_repomd().replace(b"repodata/", b"https://elsewhere/")},
    ],
    ids=["empty", "deep", "data", "huge", "digest", "large-list", "climbing", "elsewhere"],
)
async def test_a_hostile_answer_costs_little(files: Mapping[str, bytes]) -> None:
    started = time.process_time()
    found = await measure(("hostile", files), ("good", make_files()))
    assert next(iter(found)) == "good"
    assert found["hostile"].verdict in (Verdict.CORRUPT, Verdict.BROKEN)
    assert time.process_time() - started < 3


def test_the_list_of_packages() -> None:
    assert find_package(PRIMARY).startswith("Packages/docker-ce-3:28.5.1")
    bomb = gzip.compress(bytes(64 << 20))
    for each in (
        b"",
        b"(\xb5/\xfd",
        PRIMARY[:20],
        bomb,
        gzip.compress(b'<location href="../x.rpm"/>'),
    ):
        assert find_package(each) == ""


def test_repomd_without_a_list_is_none() -> None:
    assert parse_repomd(make_repomd()) is not None
    assert parse_repomd(b"<repomd><revision>5</revision></repomd>") is None
    assert parse_repomd(b"<html></html>") is None


def test_ranks() -> None:
    def measured(
        name: str, made: int, throughput: float, verdict: Verdict = Verdict.OK
    ) -> Measurement:
        return Measurement(name, verdict, latency=0.1, throughput=throughput, time=made)

    found = [
        measured("dead", 0, 0, Verdict.REFUSED),
        measured("future", NOW + 2 * DAY, 9e9),
        measured("old", NOW - DAY, 9e9),
        measured("late", NOW, 9e9, Verdict.TIMEOUT),
        measured("slow", NOW, 1e4),
        measured("quick", NOW, 1e6),
    ]
    ranked = rank(found, NOW)
    assert [each.source for each in ranked[:3]] == ["quick", "slow", "late"]
    assert {each.source for each in ranked[3:5]} == {"old", "future"}
    assert ranked[5].source == "dead"
    assert [each.source for each in ranked if each.stale] == [each.source for each in ranked[3:5]]
