# SPDX-License-Identifier: LGPL-2.1-or-later
"""Probes use the engine's proxy, and distinguish its errors from those of a mirror."""

from __future__ import annotations

import json
import socket
import threading
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

import pytest

from bed.limits import HANG_TIMEOUT
from dockmgrd import paths
from dockmgrd.catalog.mirrors import HELLO_WORLD
from dockmgrd.host.engine_answers import EngineFacts, parse_info
from dockmgrd.host.systemd import Systemd
from dockmgrd.host.units import UnitState
from dockmgrd.job.probe import engine_proxies, probe
from dockmgrd.job.probe.proxies import Proxies, Proxy
from dockmgrd.job.probe.registry import Finding, Pull
from dockmgrd.job.probe.trust import Trust
from dockmgrd.job.probe.verdicts import Verdict
from unit.certificates import Pair
from unit.job.probe.test_probe import PATIENCE
from unit.proxy_server import ProxyServer, proxying
from unit.registry_server import Registry, serving

pytestmark = pytest.mark.usefixtures("localhost")

PLAIN, SECURE = "http://mirror.example/", "https://mirror.example/"
RUNNING = UnitState("loaded", "active", "enabled", "/unit", ())


async def tried(facts: EngineFacts, *mirrors: str, timeout: float = HANG_TIMEOUT) -> list[Finding]:
    return await probe.try_all(mirrors, timeout, facts, lambda _: None, Pull(HELLO_WORLD, ""))


def address(url: str) -> tuple[str, int]:
    return "127.0.0.1", urlsplit(url).port or 0


async def test_http_in_absolute_form_and_https_by_connect(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = Pair.make(tmp_path, "server")
    server.trust(tmp_path / "certs.d/mirror.example")
    monkeypatch.setattr(probe, "Trust", lambda found: Trust(found, tmp_path / "certs.d"))
    async with serving(Registry()) as [plain], serving(Registry(), tls=server.server()) as [secure]:
        ways = {"mirror.example:80": address(plain), "mirror.example:443": address(secure)}
        proxy = ProxyServer(ways)
        async with proxying(proxy) as url:
            found = await tried(EngineFacts(http_proxy=url, https_proxy=url), PLAIN, SECURE)
            direct = await tried(EngineFacts(http_proxy=url, no_proxy=".example"), PLAIN)
            other = await tried(EngineFacts(http_proxy=url), SECURE)
    assert [each.verdict for each in found] == [Verdict.OK, Verdict.OK]
    assert f"GET {PLAIN}v2/" in proxy.requests
    assert proxy.requests.count("CONNECT mirror.example:443") == 1
    assert direct[0].verdict is other[0].verdict is Verdict.UNRESOLVABLE


async def test_local_addresses_bypass_the_proxy() -> None:
    async with serving(Registry()) as [url]:
        [found] = await tried(EngineFacts(http_proxy="http://no-such-host.invalid:1"), url)
    assert found.verdict is Verdict.OK


@pytest.mark.parametrize("mirror", [PLAIN, SECURE])
@pytest.mark.parametrize(
    ("user", "wanted", "text"),
    [
        ("", "ann:secret", "wants credentials, and Docker Engine has none"),
        ("ann:wrong@", "ann:secret", "rejects the credentials"),
        ("xxxxx:xxxxx@", "ann:secret", "only Docker Engine knows"),
        ("xxxxx:xxxxx@", "", ""),
        ("ann:s%40cret@", "ann:s@cret", ""),
    ],
)
async def test_credentials(mirror: str, user: str, wanted: str, text: str) -> None:
    async with serving(Registry()) as [url]:
        ways = {"mirror.example:80": address(url), "mirror.example:443": address(url)}
        async with proxying(ProxyServer(ways, credentials=wanted)) as proxy:
            through = proxy.replace("//", f"//{user}")
            facts = EngineFacts(http_proxy=through, https_proxy=through)
            [found] = await tried(facts, mirror)
    if text:
        assert found.verdict is Verdict.PROXY
        assert text in str(found.cause)
    else:
        # The registry speaks no TLS: that it is asked at all is what counts.
        assert found.verdict is (Verdict.OK if mirror == PLAIN else Verdict.BROKEN)
    assert "ann" not in str(found.cause)
    assert "wrong" not in str(found.cause)


@pytest.mark.parametrize(
    ("mirror", "refuses", "verdict", "text"),
    [
        (SECURE, 403, Verdict.PROXY, "blocks it (403)"),
        (SECURE, "reset", Verdict.PROXY, "closed the connection early"),
        (SECURE, "noise", Verdict.PROXY, "does not speak HTTP"),
        (SECURE, 0, Verdict.UNREACHABLE, "cannot reach it (502)"),
        (SECURE, "hang", Verdict.TIMEOUT, " seconds through the proxy 127.0.0.1:"),
        (PLAIN, "reset", Verdict.PROXY, "closed the connection early"),
        (PLAIN, 0, Verdict.FAILING, ", or the proxy 127.0.0.1:"),
    ],
)
async def test_a_proxy_that_refuses_is_no_dead_mirror(
    mirror: str, refuses: int | str, verdict: Verdict, text: str
) -> None:
    async with proxying(ProxyServer(refuses=refuses)) as url:
        facts = EngineFacts(http_proxy=url, https_proxy=url)
        for timeout in PATIENCE if refuses == "hang" else (HANG_TIMEOUT,):
            [found] = await tried(facts, mirror, timeout=timeout)
            if text in str(found.cause):
                break
    assert found.verdict is verdict
    assert text in str(found.cause)


@pytest.mark.parametrize("mirror", [PLAIN, SECURE])
async def test_a_proxy_that_is_not_there(mirror: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    over = threading.Event()
    real = socket.getaddrinfo

    def hanging(host: str, *arguments: Any, **more: Any) -> Any:
        if host == "slow.invalid":
            over.wait()
            return []
        return real(host, *arguments, **more)

    monkeypatch.setattr(socket, "getaddrinfo", hanging)
    for proxy, text, timeout in (
        (
            f"127.0.0.1:{port}",
            f"the proxy 127.0.0.1:{port} of Docker Engine refuses connections",
            HANG_TIMEOUT,
        ),
        (
            "ann:pass@no-such-host.invalid:1",
            "proxy no-such-host.invalid:1 of Docker Engine has no address",
            HANG_TIMEOUT,
        ),
        (
            "slow.invalid:1",
            "the proxy slow.invalid:1 of Docker Engine did not answer within 0.2 s",
            0.2,
        ),
        ("socks5://127.0.0.1", "the socks5 proxy 127.0.0.1:1080", HANG_TIMEOUT),
    ):
        facts = EngineFacts(http_proxy=proxy, https_proxy=proxy)
        [found] = await tried(facts, mirror, timeout=timeout)
        assert found.verdict is Verdict.PROXY
        assert text in str(found.cause)
    over.set()


@pytest.mark.parametrize(
    ("exceptions", "direct", "proxied"),
    [
        ("", ["localhost", "127.0.0.1", "127.9.9.9", "::1"], ["a.example", "10.0.0.1"]),
        ("*", ["a.example", "10.0.0.1"], []),
        ("x, * ", ["a.example"], []),
        ("a.example", ["a.example", "b.a.example", "A.EXAMPLE"], ["ba.example", "example"]),
        (".a.example", ["b.a.example"], ["a.example", "ba.example"]),
        ("*.a.example", ["b.a.example", "c.b.a.example"], ["a.example"]),
        ("a.example:443", ["a.example"], []),
        ("a.example:444", [], ["a.example"]),
        ("10.0.0.1", ["10.0.0.1"], ["10.0.0.2", "a.10.0.0.1"]),
        ("10.0.0.1:443,10.0.0.2:80", ["10.0.0.1"], ["10.0.0.2"]),
        ("10.0.0.0/8", ["10.255.0.1"], ["11.0.0.1", "a.example"]),
        ("10.0.0.1/8", ["10.255.0.1"], []),
        ("2001:db8::1", ["2001:db8::1"], ["2001:db8::2"]),
        ("[2001:db8::1]:443", ["2001:db8::1"], ["2001:db8::2"]),
        ("2001:db8::/32", ["2001:db8:1::9"], ["2001:db9::", "10.0.0.1"]),
        (",:443, ,a/b,10.0.0.0/99", [], ["a", "b", "10.0.0.1", "x.example"]),
    ],
)
def test_exceptions_are_those_of_go(exceptions: str, direct: list[str], proxied: list[str]) -> None:
    proxies = Proxies("", "proxy:3128", exceptions)
    assert [host for host in direct if proxies.find_proxy("https", host, 443)] == []
    assert [host for host in proxied if not proxies.find_proxy("https", host, 443)] == []
    assert not any(proxies.find_proxy("http", host, 443) for host in proxied), "none for http"


@pytest.mark.parametrize(
    ("text", "proxy"),
    [
        ("", None),
        ("proxy:3128", Proxy("http", "proxy", 3128)),
        ("http://proxy", Proxy("http", "proxy", 80)),
        ("socks5://proxy", Proxy("socks5", "proxy", 1080)),
        ("https://[::1]:8/x", Proxy("https", "::1", 8)),
        ("http://a:b%2Fc@proxy:1", Proxy("http", "proxy", 1, "a", "b/c")),
        ("a:b@proxy:1", Proxy("http", "proxy", 1, "a", "b")),
        ("http://proxy:99999", None),
        ("http://[proxy", None),
    ],
)
def test_proxies_are_read_as_go_reads_them(text: str, proxy: Proxy | None) -> None:
    assert Proxy.parse(text) == proxy


class Unit:
    """Stands for systemd, of which the unit's command line and environment are asked."""

    def __init__(self, words: tuple[str, ...] = (), environment: tuple[str, ...] = ()) -> None:
        self.values = {
            "ExecStart": [("/usr/bin/dockerd", ["dockerd", *words])],
            "Environment": list(environment),
            "EnvironmentFiles": [],
        }

    async def get_properties(self, unit: str, interface: str, *wanted: str) -> list[Any]:
        return [self.values[name] for name in wanted]


@pytest.mark.parametrize(
    ("words", "file", "environment", "found"),
    [
        ((), {}, ("HTTPS_PROXY=http://ann:pass@proxy:1/",), "ann"),
        ((), {}, ("https_proxy=http://low:pass@proxy:1",), "low"),
        ((), {}, ("HTTPS_PROXY=http://ann:pass@another:1",), "xxxxx"),
        ((), {}, (), "xxxxx"),
        ((), {"https-proxy": "http://json:x@proxy:1"}, ("HTTPS_PROXY=http://a:b@proxy:1",), "json"),
        (("--https-proxy", "http://flag:x@proxy:1"), {}, (), "flag"),
        (("--https-proxy=http://flag:x@proxy:1",), {}, ("HTTPS_PROXY=a:b@proxy:1",), "flag"),
    ],
)
async def test_credentials_are_taken_from_where_the_engine_has_them(
    words: tuple[str, ...],
    file: dict[str, str],
    environment: tuple[str, ...],
    found: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(paths, "DAEMON_JSON", tmp_path / "daemon.json")
    (tmp_path / "daemon.json").write_text(json.dumps({"proxies": file}))
    said = {"HttpProxy": "http://open:1", "HttpsProxy": "http://xxxxx:xxxxx@proxy:1"}
    systemd = cast("Systemd", Unit(words, environment))
    facts = parse_info(said)
    full = await engine_proxies.add_credentials(systemd, RUNNING, facts)
    way = engine_proxies.make_proxies(full).find_proxy("https", "mirror.example", 443)
    assert way is not None
    assert way.user == found
    assert str(way) == "proxy:1"
    assert full.http_proxy == "http://open:1"


def test_the_engine_says_which_proxies_it_uses() -> None:
    facts = parse_info({"HttpProxy": "a", "HttpsProxy": "b", "NoProxy": "c,d"})
    assert (facts.http_proxy, facts.https_proxy, facts.no_proxy) == ("a", "b", "c,d")
