# SPDX-License-Identifier: LGPL-2.1-or-later
"""A probe uses the certificates under certs.d as the engine does, and reports the same errors."""

from __future__ import annotations

import ssl
import subprocess
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from dockmgrd.catalog.mirrors import HELLO_WORLD
from dockmgrd.host.engine_answers import EngineFacts
from dockmgrd.job.probe import probe
from dockmgrd.job.probe.http import Answer
from dockmgrd.job.probe.registry import Finding, Pull
from dockmgrd.job.probe.trust import Trust
from dockmgrd.job.probe.verdicts import Step, Verdict, judge_status
from unit.certificates import Pair, shaking_hands
from unit.registry_server import Registry, serving

pytestmark = pytest.mark.usefixtures("localhost")

SERVER, CLIENT, STRANGER = "server", "client", "stranger"


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Pair]:
    directory = tmp_path_factory.mktemp("pairs")
    return {name: Pair.make(directory, name) for name in (SERVER, CLIENT, STRANGER)}


@pytest.fixture
def certificates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The certs.d that is looked at."""
    monkeypatch.setattr(probe, "Trust", lambda found: Trust(found, tmp_path))
    return tmp_path


async def tried(url: str, *insecure: str) -> Finding:
    facts = EngineFacts(insecure=frozenset(insecure))
    [found] = await probe.try_all([url], 5.0, facts, lambda _: None, Pull(HELLO_WORLD, ""))
    return found


async def test_a_mirror_that_wants_a_client_certificate(
    pairs: dict[str, Pair], certificates: Path
) -> None:
    tls = pairs[SERVER].server(client=pairs[CLIENT])
    with shaking_hands(tls) as url:
        directory = certificates / urlsplit(url).netloc
        pairs[SERVER].trust(directory)
        without = await tried(url)
        pairs[STRANGER].put(directory)
        stranger = await tried(url)
    async with serving(Registry(), tls=tls) as [url]:
        directory = certificates / urlsplit(url).netloc
        pairs[SERVER].trust(directory)
        pairs[CLIENT].put(directory)
        right = await tried(url)
        pairs[STRANGER].put(directory, "other")
        first = await tried(url)
    assert (without.verdict, without.step) == (Verdict.DENIED, "v2")
    assert "client certificate" in str(without.cause)
    assert stranger.verdict is Verdict.DENIED
    assert right.verdict is Verdict.OK
    assert first.verdict is Verdict.OK, "the first one by name is shown"


async def test_registries_without_checks_have_no_certificates_either(
    pairs: dict[str, Pair], certificates: Path
) -> None:
    with shaking_hands(pairs[SERVER].server(client=pairs[CLIENT])) as url:
        netloc = urlsplit(url).netloc
        pairs[CLIENT].put(certificates / netloc)
        assert (await tried(url)).verdict is Verdict.UNTRUSTED
        assert (await tried(url, netloc)).verdict is Verdict.DENIED


async def test_the_authority_of_the_mirror_holds_where_it_sends_us_on_to(
    pairs: dict[str, Pair], certificates: Path
) -> None:
    registry = Registry(token="secret")
    async with serving(registry, tls=pairs[SERVER].server()) as [url]:
        pairs[SERVER].trust(certificates / urlsplit(url).netloc)
        registry.url = url.replace("localhost", "127.0.0.1")
        assert (await tried(url)).verdict is Verdict.OK
    assert any("/token" in target for target, _ in registry.requests)


def test_nginx_says_in_a_page_that_it_wants_a_certificate() -> None:
    page = b"<html><head><title>400 No required SSL certificate was sent</title></head></html>"
    assert (
        judge_status(Answer(400, {}, page, 0.1), Step.API, "mirror.lab", "x:1").verdict
        is Verdict.DENIED
    )
    assert (
        judge_status(Answer(400, {}, b"", 0.1), Step.API, "mirror.lab", "x:1").verdict
        is Verdict.NOT_A_REGISTRY
    )


def encrypt(directory: Path) -> None:
    key = directory / "client.key"
    subprocess.run(
        ["openssl", "pkcs8", "-topk8", "-in", key, "-out", directory / "new", "-passout", "pass:x"],
        check=True,
    )
    (directory / "new").rename(key)


def damage(directory: Path) -> None:
    (directory / "client.cert").write_text("no certificate")


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda at: (at / "client.key").unlink(), "/client.cert has no key client.key beside it"),
        (
            lambda at: (at / "client.cert").unlink(),
            "/client.key has no client certificate client.c",
        ),
        (damage, "/client.cert and client.key are not a certificate and its key"),
        (encrypt, "/client.cert and client.key are not a certificate and its key"),
    ],
)
async def test_files_for_which_the_engine_would_not_even_try(
    change: Callable[[Path], None], text: str, pairs: dict[str, Pair], certificates: Path
) -> None:
    directory = certificates / "localhost:1"
    pairs[CLIENT].put(directory)
    change(directory)
    found = await tried("https://localhost:1/")
    assert (found.verdict, found.step) == (Verdict.MISCONFIGURED, "v2")
    assert str(found.cause).startswith(f"{directory}{text}")


def test_malformed_authorities_are_ignored(pairs: dict[str, Pair], tmp_path: Path) -> None:
    pairs[SERVER].trust(tmp_path / "mirror")
    (tmp_path / "mirror/a.crt").write_text("no certificate")
    context = Trust(certificates=tmp_path).context("mirror")
    assert context.verify_mode is ssl.CERT_REQUIRED
    subjects = [each["subject"] for each in context.get_ca_certs()]
    assert ((("commonName", "server"),),) in subjects
