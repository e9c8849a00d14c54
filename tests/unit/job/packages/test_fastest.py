# SPDX-License-Identifier: LGPL-2.1-or-later
"""Which sources are measured, through which proxy, and which one a plan holds for."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from dockmgrd import paths
from dockmgrd.catalog.platforms import Tree
from dockmgrd.errors import SourceUnreachable
from dockmgrd.host import adminconfig
from dockmgrd.host.adminconfig import Limits
from dockmgrd.job.context import JobContext
from dockmgrd.job.packages import fastest
from dockmgrd.job.packages.dnf_network import read_dnf_network
from dockmgrd.job.probe.packages import Measurement, measure_all
from dockmgrd.job.probe.proxies import Proxies
from dockmgrd.job.probe.verdicts import Verdict
from dockmgrd.messages.text import NOTHING
from unit.certificates import Pair
from unit.registry_server import Registry, serving

TREE = Tree("centos", "9")
FOUND = [
    Measurement("tuna", latency=0.1, throughput=5e6, time=1_790_000_000),
    Measurement("aliyun", latency=0.1, throughput=4e6, time=1_790_000_000),
    Measurement("official", Verdict.REFUSED),
]


@pytest.fixture
def context(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> JobContext:
    limits = Limits(allowed_sources=("official", "aliyun", "tuna"))
    monkeypatch.setattr(paths, "MEASURED_SOURCES", tmp_path / "measured.json")
    monkeypatch.setattr(adminconfig, "load", lambda: (limits, NOTHING))
    notes: list[Any] = []
    nothing = lambda *_: None  # noqa: E731
    fields = SimpleNamespace(add_note=notes.append, report=nothing, notes=notes)
    return cast("JobContext", fields)


def measure(monkeypatch: pytest.MonkeyPatch, found: list[Measurement]) -> list[set[str]]:
    """Have a measurement find this; returns the names of each one that is made."""
    asked: list[set[str]] = []

    async def measure_all(urls: dict[str, str], _: object, **__: object) -> list[Measurement]:
        asked.append(set(urls))
        return found

    monkeypatch.setattr(fastest, "measure_all", measure_all)
    return asked


async def order(context: JobContext, plan: str = "") -> list[str]:
    found = await fastest.order_repositories(context, TREE, "stable", plan)
    return [each.source.name for each in found]


async def test_the_allowed_ones_are_measured_once(
    context: JobContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = measure(monkeypatch, FOUND)
    assert await order(context) == ["tuna", "aliyun"]
    assert await order(context) == ["tuna", "aliyun"]
    assert asked == [{"official", "aliyun", "tuna"}]
    assert "tuna is the fastest of 2 sources: 100 ms, 4883 KiB/s" in str(context.notes[0])


async def test_a_plan_has_its_source(context: JobContext, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = measure(monkeypatch, FOUND)
    monkeypatch.setattr(fastest, "find_plan_result", lambda _: {"source": "aliyun"})
    assert await order(context, plan="digest") == ["aliyun"]
    assert asked == []
    await order(context)
    assert await order(context, plan="digest") == ["aliyun", "tuna"]
    monkeypatch.setattr(fastest, "find_plan_result", lambda _: {"source": "elsewhere"})
    assert await order(context, plan="digest") == ["tuna", "aliyun"]


async def test_when_none_works_each_says_why(
    context: JobContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    measure(monkeypatch, FOUND[2:])
    with pytest.raises(SourceUnreachable, match="official"):
        await order(context)


def test_without_a_list_only_sources_with_tls_are_measured(
    context: JobContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adminconfig, "load", lambda: (Limits(), NOTHING))
    found = fastest.list_repositories(context, TREE, "stable")
    assert "official" in found
    assert not any(name.endswith("-intranet") for name in found)
    allowed = Limits(allowed_sources=("aliyun-intranet",))
    monkeypatch.setattr(adminconfig, "load", lambda: (allowed, NOTHING))
    assert list(fastest.list_repositories(context, TREE, "stable")) == ["aliyun-intranet"]
    monkeypatch.setattr(adminconfig, "load", lambda: (Limits(allowed_sources=("x",)), NOTHING))
    with pytest.raises(SourceUnreachable):
        fastest.list_repositories(context, TREE, "stable")


@pytest.mark.parametrize(
    ("text", "proxy", "header"),
    [
        ("[main]\nproxy=http://p.example:3128\n", "p.example:3128", False),
        ("[main]\nproxy=p.example:1\nproxy_username=a\nproxy_password=%b@\n", "p.example:1", True),
        ("[main]\nproxy=_none_\n", None, False),
        ("[main]\nproxy=\n", None, False),
        ("proxy=http://p.example\n", None, False),
        ("\x00[[[", None, False),
    ],
)
def test_the_proxy_of_dnf(tmp_path: Path, text: str, proxy: str | None, header: bool) -> None:
    path = tmp_path / "dnf.conf"
    path.write_text(text)
    found = read_dnf_network(path).proxies.find_proxy("https", "m.example", 443)
    assert (found and str(found)) == proxy
    assert bool(found and found.headers) is header


@pytest.mark.usefixtures("localhost")
@pytest.mark.parametrize(
    ("settings", "is_trusted"),
    [
        ("", False),
        ("sslcacert={server}\n", True),
        ("sslcacert={stranger}\n", False),
        ("sslcacert=/missing.pem\n", False),
        ("sslverify = False\n", True),
        ("sslverify=1\n", False),
    ],
)
async def test_the_authorities_of_dnf(tmp_path: Path, settings: str, is_trusted: bool) -> None:
    pairs = {name: Pair.make(tmp_path, name) for name in ("server", "stranger")}
    path = tmp_path / "dnf.conf"
    names = {name: each.certificate for name, each in pairs.items()}
    path.write_text("[main]\n" + settings.format(**names))
    context = read_dnf_network(path).make_context
    async with serving(Registry(), tls=pairs["server"].server()) as [url]:
        [found] = await measure_all({"source": url}, Proxies(), tls=context)
    # The server has no packages.
    assert found.verdict is (Verdict.MISSING if is_trusted else Verdict.UNTRUSTED)
