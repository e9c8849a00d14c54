# SPDX-License-Identifier: LGPL-2.1-or-later
"""Mirrors of several registries: which server a pull reaches, and whose files survive a change."""

from __future__ import annotations

import json
import random
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bed.api import Api, ApiError
from bed.soaking import rounds
from integration import front
from integration.mirror_hosts import MIRROR, MIRROR2, TOKEN, UNTRUSTED, engine_host, set_mirror
from integration.registry_hosts import (
    CERTS,
    GHCR,
    HOSTS,
    HUB,
    QUAY,
    pull,
    serve,
    servers,
    set_for,
    use_containerd_store,
)
from unit.certificates import Pair

if TYPE_CHECKING:
    from bed.host import Host

__all__ = ["engine_host"]

# Docker 26.1, which trixie has, takes no notice of hosts.toml files.
FORKY = pytest.mark.suites("forky")

OURS = "org.dockmgr1.Error."
FOREIGN = '# mine\nserver = "https://ghcr.io"\n\n[host."https://mirror2.bed.test"]\n'


@pytest.fixture
def host(engine_host: Host) -> Host:
    """A host whose engine has the containerd image store."""
    use_containerd_store(engine_host)
    return engine_host


@FORKY
def test_each_registry_has_mirrors_of_its_own(host: Host) -> None:
    api = Api(host)
    assert [pull(host, image) for image in (GHCR, QUAY, HUB)] == [False, False, False]
    result = set_for(host, "ghcr.io", MIRROR)
    assert f'+[host."{MIRROR.rstrip("/")}"]' in result.pop("diff").splitlines()
    assert result == {
        "changed": True,
        "registry": "ghcr.io",
        "mirrors": [MIRROR],
        "active": True,
        "notes": [],
    }
    set_for(host, "quay.io", MIRROR2)
    api.wait(set_mirror(api, TOKEN))
    assert servers(host, GHCR) == {"mirror.bed.test"}
    assert servers(host, QUAY) == {"mirror2.bed.test"}
    assert servers(host, HUB) == {"token.bed.test"}
    shown = [(each["registry"], each["mirrors"]) for each in api.status()["registries"]]
    assert shown == [("ghcr.io", [MIRROR]), ("quay.io", [MIRROR2])]
    set_for(host, "ghcr.io")
    assert pull(host, GHCR) is False
    assert servers(host, QUAY) == {"mirror2.bed.test"}
    assert host.run("ls", "-A", CERTS).stdout.split() == ["quay.io"]
    assert [each["registry"] for each in api.status()["registries"]] == ["quay.io"]


@FORKY
def test_the_second_mirror_is_used_when_the_first_one_fails(host: Host) -> None:
    set_for(host, "ghcr.io", MIRROR, MIRROR2)
    host.internet.refuse("mirror.bed.test")
    assert servers(host, GHCR) == {"mirror2.bed.test"}


@FORKY
def test_a_mirror_without_tls(host: Host) -> None:
    set_for(host, "ghcr.io", "http://mirror.bed.test")
    host.internet.forget_requests()
    assert pull(host, GHCR)
    assert {each.secure for each in host.internet.requests("mirror.bed.test")} == {False}


@FORKY
@pytest.mark.parametrize("prefix", ["/proxy/ghcr/v2", "/v2/ghcr-proxy"])
def test_a_mirror_below_a_path(host: Host, prefix: str) -> None:
    serve(host, 8443, prefix)
    set_for(host, "ghcr.io", f"https://mirror.bed.test:8443{prefix.removesuffix('/v2')}")
    assert pull(host, GHCR)
    paths = host.read(front.LOG).splitlines()
    assert paths
    assert all(path.startswith(f"{prefix}/library/tiny/") for path in paths), paths


@FORKY
def test_certificates_of_clients_keep_working(host: Host, tmp_path: Path) -> None:
    client = Pair.make(tmp_path, "client")
    registry = "mirror.bed.test:8443"
    host.write("/srv/client.pem", client.certificate.read_text())
    serve(host, 8443, "/v2", "/srv/client.pem")
    image = f"{registry}/library/tiny"
    assert not pull(host, image)
    host.write(f"{CERTS}/{registry}/client.cert", client.certificate.read_text())
    host.write(f"{CERTS}/{registry}/client.key", client.key.read_text(), mode=0o600)
    assert pull(host, image), "as it was before dockmgrd"
    host.internet.refuse("mirror2.bed.test")
    set_for(host, registry, MIRROR2)
    assert pull(host, image), "the mirror is gone, and the registry knows its client"
    set_for(host, "ghcr.io", f"https://{registry}")
    assert pull(host, GHCR), "a mirror that wants the client's certificate"
    set_for(host, registry)
    assert pull(host, image)
    left = host.run("ls", "-A", f"{CERTS}/{registry}").stdout.split()
    assert left == ["client.cert", "client.key"]


@FORKY
@pytest.mark.parametrize("registry", ["untrusted.bed.test", "mirror.bed.test:5000"])
def test_registries_that_are_used_without_checks_stay_so(host: Host, registry: str) -> None:
    """One has a certificate for other names, and the other one speaks no TLS."""
    image = f"{registry}/library/tiny"
    assert not pull(host, image)
    use_containerd_store(host, **{"insecure-registries": [registry]})
    assert pull(host, image), "as it was before dockmgrd"
    host.internet.refuse("mirror2.bed.test")
    set_for(host, registry, MIRROR2)
    assert pull(host, image)
    set_for(host, registry)
    assert pull(host, image)


@FORKY
def test_mirrors_are_tried_with_an_image_of_the_registry(host: Host) -> None:
    images = "images: {ghcr.io: {image: 'library/hello-world:latest'}}\n"
    candidates = f"mirrors: {{{TOKEN!r}: {{registry: ghcr.io}}}}\n"
    host.write("/etc/dockmgrd/mirrors.d/bed.yaml", images + candidates)
    serve(host, 8443, "/v2/ghcr-proxy")
    below = "https://mirror.bed.test:8443/v2/ghcr-proxy/"
    command = ["dockmgrctl", "--json", "probe", "--registry", "ghcr.io"]
    probed = json.loads(host.run(*command, below, MIRROR, TOKEN, UNTRUSTED).stdout)["probed"]
    verdicts = {each["mirror"]: each["verdict"] for each in probed}
    assert verdicts == {below: "ok", MIRROR: "ok", TOKEN: "ok", UNTRUSTED: "untrusted"}
    assert any("ns=ghcr.io" in each.path for each in host.internet.requests("mirror.bed.test"))
    host.run("dockmgrctl", "set-mirror", "--registry", "ghcr.io", "--verify", below)
    with pytest.raises(ApiError, match="MirrorUnreachable"):
        set_for(host, "ghcr.io", UNTRUSTED, verify=("b", True))
    with pytest.raises(ApiError, match="No small image of own"):
        set_for(host, "own.example:5000", MIRROR, verify=("b", True))
    assert pull(host, GHCR)
    host.run("dockmgrctl", "set-mirror", "--registry", "ghcr.io", "--fastest", MIRROR, UNTRUSTED)
    [shown] = Api(host).status()["registries"]
    assert shown["mirrors"] == [MIRROR]


@FORKY
def test_files_of_another_hand_stay(host: Host) -> None:
    host.write(HOSTS, FOREIGN)
    for mirrors in ([MIRROR], []):
        with pytest.raises(ApiError) as caught:
            set_for(host, "ghcr.io", *mirrors)
        assert caught.value.name == OURS + "ConfigConflict"
        assert HOSTS in caught.value.text
    assert host.read(HOSTS) == FOREIGN
    assert servers(host, GHCR) == {"mirror2.bed.test"}
    [shown] = Api(host).status()["registries"]
    assert shown == {"registry": "ghcr.io", "mirrors": [], "file": HOSTS, "managed": False}


@pytest.mark.suites("trixie")
def test_an_old_engine_is_refused_whatever_its_store(host: Host) -> None:
    with pytest.raises(ApiError) as caught:
        set_for(host, "ghcr.io", MIRROR)
    assert caught.value.name == "org.freedesktop.DBus.Error.InvalidArgs"
    assert "Docker 26.1" in caught.value.text
    assert "Upgrade to Docker 28" in caught.value.text
    assert host.run("test", "-e", CERTS, check=False).returncode == 1
    result = set_for(host, "ghcr.io", MIRROR, allow_unused=("b", True))
    assert (result["changed"], result["active"]) == (True, False)
    assert not pull(host, GHCR), "what the refusal says is true"
    [problem] = Api(host).status()["problems"]
    assert problem["id"] == "engine-without-hosts-files"
    set_for(host, "ghcr.io")
    assert Api(host).status()["problems"] == []


@FORKY
def test_the_classic_store_is_refused(engine_host: Host) -> None:
    host = engine_host
    with pytest.raises(ApiError) as caught:
        set_for(host, "ghcr.io", MIRROR)
    assert caught.value.name == "org.freedesktop.DBus.Error.InvalidArgs"
    assert "classic image store" in caught.value.text
    assert "containerd-snapshotter" in caught.value.text
    assert host.run("test", "-e", CERTS, check=False).returncode == 1
    result = set_for(host, "ghcr.io", MIRROR, allow_unused=("b", True))
    assert (result["changed"], result["active"]) == (True, False)
    assert "classic image store" in result["notes"][0]["text"]
    assert not pull(host, GHCR), "what the refusal says is true"
    assert [each["id"] for each in Api(host).status()["problems"]] == ["classic-image-store"]
    use_containerd_store(host)
    assert servers(host, GHCR) == {"mirror.bed.test"}
    assert Api(host).status()["problems"] == []


@FORKY
def test_names_that_are_no_registry(host: Host) -> None:
    for registry in (
        *("../../tmp/x", "ghcr.io/..", "..", "_default", "", "GHCR.io", "a_5000_", "ghcr.io\n"),
        *("[::1]/..", "gh cr.io", "https://ghcr.io", "ghcr.io:0", "\u2025", "ghcr"),
    ):
        with pytest.raises(ApiError) as caught:
            set_for(host, registry, MIRROR)
        assert caught.value.name == "org.freedesktop.DBus.Error.InvalidArgs", registry
        assert host.run("test", "-e", CERTS, check=False).returncode == 1, registry


@FORKY
def test_names_with_ports_addresses_and_other_letters(host: Host) -> None:
    for registry in ("localhost:5000", "[2001:db8::1]:5000", "xn--bcher-kva.example"):
        assert set_for(host, registry, MIRROR)["registry"] == registry
    assert set_for(host, "b\u00fccher.example", MIRROR)["changed"] is False
    assert servers(host, "xn--bcher-kva.example/library/tiny") == {"mirror.bed.test"}
    assert servers(host, "localhost:5000/library/tiny") == {"mirror.bed.test"}


@FORKY
def test_urls_cannot_say_more_than_a_url(host: Host) -> None:
    for url in (
        'https://m.example/x"]\n[host."https://e.example',
        'https://m.example/x"]',
        "https://m.example/a\\",
    ):
        with pytest.raises(ApiError) as caught:
            set_for(host, "ghcr.io", url)
        assert caught.value.name == "org.freedesktop.DBus.Error.InvalidArgs", url


@pytest.mark.suites("bookworm", "forky")
def test_links_are_not_followed(host: Host) -> None:
    host.run("mkdir", "-p", "/srv/elsewhere", "/etc/docker")
    host.run("ln", "-s", "/srv/elsewhere", CERTS)
    with pytest.raises(ApiError) as caught:
        set_for(host, "ghcr.io", MIRROR, allow_unused=("b", True))
    assert caught.value.name == OURS + "UnsafePath"
    assert f"{CERTS} is a symbolic link to /srv/elsewhere" in caught.value.text
    host.run("rm", CERTS)
    host.run("mkdir", "-p", CERTS)
    host.run("ln", "-s", "/srv/elsewhere", f"{CERTS}/ghcr.io")
    with pytest.raises(ApiError, match="symbolic link"):
        set_for(host, "ghcr.io", MIRROR, allow_unused=("b", True))
    host.run("rm", f"{CERTS}/ghcr.io")
    host.run("mkdir", f"{CERTS}/ghcr.io")
    host.run("ln", "-s", "/etc/shadow", HOSTS)
    with pytest.raises(ApiError) as caught:
        set_for(host, "ghcr.io", MIRROR, allow_unused=("b", True))
    assert caught.value.name.endswith((".UnsafePath", ".ConfigConflict"))
    assert host.run("readlink", HOSTS).stdout.strip() == "/etc/shadow"
    assert host.run("ls", "-A", "/srv/elsewhere").stdout == ""


@FORKY
@pytest.mark.soak
def test_kills_lose_nothing_of_others(host: Host) -> None:
    """Changes of one registry, killed at any moment, beside files of others."""
    others = {f"{CERTS}/ghcr.io/ca.crt": "theirs", f"{CERTS}/quay.io/hosts.toml": FOREIGN}
    for path, text in others.items():
        host.write(path, text)
    chance = random.Random(17)  # the same moments in every run
    api = Api(host)
    lists: tuple[list[str], ...] = ([MIRROR], [MIRROR2, MIRROR], [])
    for number in range(rounds(10, 200)):
        before = host.read(HOSTS)
        job = set_mirror(api, *lists[number % 3], registry=("s", "ghcr.io"))
        time.sleep(chance.uniform(0, 0.3))  # nothing tells how far it is within a step
        unit = f"dockmgrd-job@{job.rpartition('/')[2]}.service"
        host.run("systemctl", "kill", "--signal=KILL", unit, check=False)
        with suppress(ApiError):  # Interrupted, if the kill was in time
            api.wait(job)
        after = host.read(HOSTS)
        if after != before:
            shown = {each["registry"]: each for each in api.status()["registries"]}
            assert shown.get("ghcr.io", {}).get("mirrors", []) == lists[number % 3]
        for path, text in others.items():
            assert host.read(path) == text
    set_for(host, "ghcr.io", MIRROR)
    assert host.run("ls", "-A", CERTS).stdout.split() == ["ghcr.io", "quay.io"]
    assert host.run("ls", "-A", f"{CERTS}/ghcr.io").stdout.split() == ["ca.crt", "hosts.toml"]
