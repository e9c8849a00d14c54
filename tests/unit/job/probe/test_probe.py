# SPDX-License-Identifier: LGPL-2.1-or-later
"""A probe uses a mirror as the engine does, and distinguishes the kinds of failure."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from bed.limits import HANG_TIMEOUT
from dockmgrd.catalog import mirrors as candidates
from dockmgrd.errors import InvalidArgs
from dockmgrd.host.engine_answers import EngineFacts
from dockmgrd.job.probe.documents import find_bearer_challenge, parse_token
from dockmgrd.job.probe.probe import make_pull, rank_findings, try_all
from dockmgrd.job.probe.registry import Finding, Pull
from dockmgrd.job.probe.verdicts import Verdict
from unit.registry_server import Registry, digest, serving

HUB = Pull(candidates.HELLO_WORLD, "")
PATIENCE = (0.5, 2.0, 8.0, 32.0)
"""Seconds for a test in which one thing never comes, and others must within the same time."""


async def tried(
    mirrors: Sequence[str],
    timeout: float = HANG_TIMEOUT,
    facts: EngineFacts | None = None,
    registry: str = "docker.io",
) -> list[Finding]:
    facts = facts or EngineFacts()
    pull = make_pull(candidates.load(), registry, facts)
    return await try_all(mirrors, timeout, facts, lambda _: None, pull)


async def test_a_mirror_that_works() -> None:
    registry = Registry()
    async with serving(registry) as urls:
        started = time.monotonic()
        [found] = await tried(urls)
        seconds = time.monotonic() - started
    assert (found.verdict, found.step, str(found.cause)) == (Verdict.OK, "", "")
    assert found.digest == digest(registry.index)
    assert 0 < found.latency <= found.seconds <= seconds
    assert found.throughput > 0
    assert registry.queries() == [], "dockerd's own store gives no ns="


async def test_the_containerd_store_gives_the_namespace() -> None:
    registry = Registry()
    async with serving(registry) as urls:
        await tried(urls, facts=EngineFacts(containerd_store=True))
    assert registry.queries() == [{"ns": ["docker.io"]}] * 3


@pytest.mark.parametrize(
    ("name", "repository", "tag"),
    [
        ("ghcr.io", "containerd/busybox", "1.28"),
        ("quay.io", "podman/hello", "latest"),
        ("registry.k8s.io", "pause", "3.8"),
        ("mcr.microsoft.com", "oss/kubernetes/pause", "3.6"),
    ],
)
@pytest.mark.parametrize("token", ["", "secret"])
async def test_a_mirror_of_another_registry(
    name: str, repository: str, tag: str, token: str
) -> None:
    registry = Registry(root=f"/v2/{repository}/", tag=tag, token=token)
    async with serving(registry) as urls:
        [found] = await tried(urls, registry=name)
    assert (found.verdict, str(found.cause)) == (Verdict.OK, "")
    assert {"ns": [name]} in registry.queries()
    scope = {"scope": [f"repository:{repository}:pull"], "service": ["s"]}
    assert (scope in registry.queries()) is bool(token)


@pytest.mark.parametrize("path", ["/proxy/ghcr", "/proxy/ghcr/v2", "/v2/ghcr"])
@pytest.mark.parametrize("token", ["", "secret"])
async def test_a_mirror_of_another_registry_below_a_path(path: str, token: str) -> None:
    api = path if "/v2" in path else f"{path}/v2"
    repository = "containerd/busybox"
    registry = Registry(root=f"{api}/{repository}/", tag="1.28", token=token, api=f"{api}/")
    async with serving(registry) as urls:
        [found] = await tried([f"{url.rstrip('/')}{path}/" for url in urls], registry="ghcr.io")
    assert (found.verdict, str(found.cause)) == (Verdict.OK, "")
    assert found.latency > 0


async def test_a_registry_of_which_no_image_is_known() -> None:
    with pytest.raises(InvalidArgs, match="No small image of own"):
        await tried([], registry="own.example:5000")


async def test_a_mirror_that_wants_a_token() -> None:
    registry = Registry(token="secret")
    async with serving(registry) as urls:
        [found] = await tried(urls)
    assert found.verdict is Verdict.OK
    assert {"scope": ["repository:library/hello-world:pull"], "service": ["s"]} in (
        registry.queries()
    )


@pytest.mark.parametrize(
    ("fault", "verdict", "step", "text"),
    [
        (("v2", 503), Verdict.FAILING, "v2", "503"),
        (("v2", 404), Verdict.NOT_A_REGISTRY, "v2", "not a registry"),
        (("v2", "page"), Verdict.NOT_A_REGISTRY, "v2", "web page"),
        (("v2", "noise"), Verdict.NOT_A_REGISTRY, "v2", "not HTTP"),
        (("v2", 403), Verdict.DENIED, "v2", "403"),
        (("v2", 429), Verdict.RATE_LIMITED, "v2", "too many requests"),
        (("v2", "reset"), Verdict.BROKEN, "v2", "closed the connection early"),
        (("v2", "circle"), Verdict.BROKEN, "v2", "in a circle"),
        (("v2", "astray"), Verdict.BROKEN, "v2", "an address that is not valid"),
        (("v2", "far"), Verdict.BROKEN, "v2", "an address that is not valid"),
        (("v2", "hang"), Verdict.TIMEOUT, "v2", " seconds"),
        (("token", 403), Verdict.DENIED, "token", "403"),
        (("token", 429), Verdict.RATE_LIMITED, "token", "too many"),
        (
            ("manifest", 404),
            Verdict.MISSING,
            "manifest",
            "does not have the image library/hello-world",
        ),
        (("manifest", "damage"), Verdict.NOT_A_REGISTRY, "manifest", "is not valid"),
        (("manifest", "endless"), Verdict.NOT_A_REGISTRY, "manifest", "far larger"),
        (("blob", 403), Verdict.DENIED, "blob", "allow-list"),
        (("blob", 429), Verdict.RATE_LIMITED, "blob", "too many requests"),
        (("blob", "damage"), Verdict.CORRUPT, "blob", "does not have the digest"),
        (("blob", "hang"), Verdict.TIMEOUT, "blob", " seconds"),
        (("blob", "chunked"), Verdict.OK, "", ""),
        (("blob", "unframed"), Verdict.OK, "", ""),
        (("blob", "redirect"), Verdict.OK, "", ""),
    ],
)
async def test_failures_are_distinguished(
    fault: tuple[str, str | int], verdict: Verdict, step: str, text: str
) -> None:
    registry = Registry(fault=fault, token="secret" if fault[0] == "token" else "")
    async with serving(registry) as urls:
        for timeout in PATIENCE if fault[1] == "hang" else (HANG_TIMEOUT,):
            [found] = await tried(urls, timeout=timeout)
            if found.step == step:
                break
    assert (found.verdict, found.step) == (verdict, step)
    assert text in str(found.cause)


async def test_nobody_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    mirrors = [f"http://127.0.0.1:{port}/", "http://no-such-host.invalid/"]
    refused, unknown = await tried(mirrors)
    assert refused.verdict is Verdict.REFUSED
    assert unknown.verdict is Verdict.UNRESOLVABLE


async def test_plain_text_is_not_mistaken_for_tls() -> None:
    async with serving(Registry()) as [url]:
        [found] = await tried([url.replace("http:", "https:")])
    assert found.verdict is Verdict.BROKEN
    assert "TLS" in str(found.cause)


async def test_the_digest_is_compared_among_the_answers() -> None:
    fresh = [Registry(), Registry(), Registry(image=b"of the attacker")]
    async with serving(*fresh) as urls:
        found = rank_findings(await tried(urls))
    assert [each.differs for each in found] == [False, False, True]
    assert found[2].mirror == urls[2]
    assert "differs" in str(found[2].cause)


async def test_two_at_odds_are_both_left_in_doubt() -> None:
    async with serving(Registry(), Registry(image=b"x" * 10)) as urls:
        found = rank_findings(await tried(urls))
    assert [each.differs for each in found] == [False, False]


async def test_two_hundred_with_half_of_them_dead_end_with_the_deadline() -> None:
    registries = [Registry(fault=("v2", "hang" if number % 2 else "")) for number in range(200)]
    counts: list[int] = []
    async with serving(*registries) as urls:
        started = time.monotonic()
        await try_all(urls[::2], HANG_TIMEOUT, EngineFacts(), lambda _: None, HUB)
        deadline = max(3.0, 3 * (time.monotonic() - started))
        started = time.monotonic()
        found = await try_all(
            urls, deadline, EngineFacts(), lambda findings: counts.append(len(findings)), HUB
        )
        seconds = time.monotonic() - started
    verdicts = [each.verdict for each in found]
    assert verdicts.count(Verdict.OK) == 100
    assert verdicts.count(Verdict.TIMEOUT) == 100
    assert seconds < 2 * deadline, "the dead have one deadline, and not one after another"
    assert counts == sorted(counts)
    assert counts[-1] == 200


async def test_lookups_that_hang_hold_nothing_up(monkeypatch: pytest.MonkeyPatch) -> None:
    real = socket.getaddrinfo
    answered = threading.Event()

    def slow(host: str, *arguments: object, **more: object) -> object:
        if host.endswith(".dead.example"):
            answered.wait()  # for a name server that does not
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
        return real(host, *arguments, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    dead = [f"http://m{number}.dead.example/" for number in range(60)]
    async with serving(Registry()) as [url]:
        try:
            for timeout in PATIENCE:
                found = await tried([*dead, url], timeout=timeout)
                if found[-1].verdict is Verdict.OK:
                    break
        finally:
            answered.set()
    assert found[-1].verdict is Verdict.OK
    assert {each.verdict for each in found[:-1]} == {Verdict.TIMEOUT}


async def test_a_probe_that_is_cancelled_leaves_nothing_running() -> None:
    registry = Registry(fault=("v2", "hang"))
    async with serving(registry) as urls:
        before = asyncio.all_tasks()
        task = asyncio.ensure_future(tried(urls))
        await asyncio.wait_for(registry.asked.wait(), HANG_TIMEOUT)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await registry.left.wait()
        assert asyncio.all_tasks() == before


def test_candidates_are_data_with_a_date_and_a_source() -> None:
    known = candidates.load(admin=Path("/nonexistent")).known
    assert known
    for each in known:
        assert each.url.startswith("https://")
        assert each.checked
        assert each.source


def test_candidates_and_images_by_registry(tmp_path: Path) -> None:
    package = candidates.load(admin=Path("/nonexistent"))
    assert package.mirrors == package.list_mirrors("docker.io")
    for name in {each.registry for each in package.known}:
        assert package.list_mirrors(name)
        assert name in package.images
    (tmp_path / "1.yaml").write_text(
        "images: {'own.example:5000': {image: team/tiny:1.0}}\n"
        "mirrors: {'https://m.example': {registry: 'own.example:5000'}}"
    )
    (tmp_path / "2.yaml").write_text("images: {ghcr.io: {image: '../x:1'}}")
    (tmp_path / "3.yaml").write_text("images: {ghcr.io: {image: x}}")
    (tmp_path / "4.yaml").write_text("images: {GHCR.io: {image: 'x:1'}}")
    (tmp_path / "5.yaml").write_text("mirrors: {'https://x.example': {registry: a/b}}")
    (tmp_path / "6.yaml").write_text("images: {ghcr.io: {name: x}}")
    found = candidates.load(admin=tmp_path)
    assert found.list_mirrors("own.example:5000") == ("https://m.example/",)
    assert str(found.images["own.example:5000"]) == "team/tiny:1.0"
    assert found.images["ghcr.io"] == package.images["ghcr.io"]
    problems = list(map(str, found.problems))
    assert len(problems) == 5
    assert sum("REPOSITORY:TAG" in each for each in problems) == 2


def test_the_admin_adds_changes_and_takes_away_candidates(tmp_path: Path) -> None:
    package, admin = tmp_path / "data", tmp_path / "mirrors.d"
    package.mkdir()
    admin.mkdir()
    (package / "mirrors.yaml").write_text(
        "mirrors: {'https://a.example': {title: A}, 'https://b.example/': {region: cn}}"
    )
    (admin / "1.yaml").write_text(
        "mirrors: {'https://B.example': {title: B}, 'https://a.example/': {enabled: false}}"
    )
    (admin / "2.yaml").write_text("mirrors: {'http://own.example:5000': {notes: ours}}")
    (admin / "3.yaml").write_text("mirrors: {'ftp://x': {}}")
    (admin / "4.yaml").write_text("mirrors: {'https://x.example': {name: x}}")
    found = candidates.load(package, admin)
    assert [(each.url, each.title, each.region) for each in found.known] == [
        ("https://b.example/", "B", "cn"),
        ("http://own.example:5000/", "http://own.example:5000/", ""),
    ]
    wrong_url, wrong_field = map(str, found.problems)
    assert "3.yaml, line 1" in wrong_url
    assert "'name' is not one of" in wrong_field


# Shapes that no registry sends, and what they are for us.
_ODD_MANIFESTS = [
    b"[" * 200_000,
    b"null",
    b'{"manifests": 5}',
    b'{"manifests": [1, 2]}',
    b'{"manifests": {"a": 1}}',
    b'{"manifests": [{"platform": "x", "digest": 5}]}',
    b'{"config": "text"}',
    b'{"layers": 5}',
    b'{"layers": [{"size": "5"}]}',
    b'{"layers": [{"size": true, "digest": "sha256:0"}]}',
    b'{"layers": [{"size": 1e400, "digest": "sha256:0"}]}',
    b'{"layers": [null, [], {"digest": []}]}',
]


@pytest.mark.parametrize("body", _ODD_MANIFESTS, ids=lambda body: body[:20].decode())
async def test_an_odd_manifest_is_a_verdict_about_its_mirror_alone(body: bytes) -> None:
    async with serving(Registry(manifest=body), Registry()) as urls:
        odd, good = await tried(urls)
    assert odd.verdict is Verdict.NOT_A_REGISTRY
    assert good.verdict is Verdict.OK


@pytest.mark.parametrize(
    ("header", "realm"),
    [
        ('Bearer realm="https://a/token",service="s"', "https://a/token"),
        ('Basic realm="b", Bearer realm="https://a/token",service="s"', "https://a/token"),
        ('Bearer realm="https://a/token",service="s", Basic realm="b"', "https://a/token"),
        ('bearer realm="https://a/token"', "https://a/token"),
        ('Basic realm="b"', None),
        ("Bearer", None),
        ("Bearer realm=", None),
        ("", None),
        ("Negotiate, Basic", None),
        ("Bearer " + "a" * 60_000, None),
        ("Bearer " + ", " * 30_000, None),
    ],
)
def test_the_bearer_challenge_is_found_among_others(header: str, realm: str | None) -> None:
    challenge = find_bearer_challenge(header)
    assert (challenge and challenge["realm"]) == realm


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b'{"token": 5}',
        b'{"token": "a\\r\\nX-Header: b"}',
        b'{"token": ""}',
        b'{"token": "' + b"x" * 100_000 + b'"}',
        b"[" * 100_000,
    ],
)
def test_invalid_header_values_are_not_tokens(body: bytes) -> None:
    assert parse_token(body) is None
