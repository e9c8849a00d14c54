# SPDX-License-Identifier: LGPL-2.1-or-later
"""Hosts with an engine for tests of mirrors, on every suite."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from bed import by_hand, layers
from bed.api import Api
from bed.suites import Suite

if TYPE_CHECKING:
    from bed.fixtures import NewHost
    from bed.host import Host

DAEMON_JSON = "/etc/docker/daemon.json"
MIRROR, MIRROR2 = "https://mirror.bed.test/", "https://mirror2.bed.test/"
TOKEN, UNTRUSTED = "https://token.bed.test/", "https://untrusted.bed.test/"


@pytest.fixture
def engine_host(new_host: NewHost, suite: Suite) -> Host:
    """A host with our packages and a running Docker, however it was installed."""
    if not suite.dnf5:
        return new_host(layers.docker(suite))

    def install(host: Host) -> None:
        by_hand.install_docker(host)
        host.run("systemctl", "enable", "--now", "docker.service")

    return new_host(layers.freeze("docker-by-hand", suite, layers.ours(suite), [], install))


def set_mirror(api: Api, *mirrors: str, **options: tuple[str, Any]) -> str:
    """Return the path of the job."""
    keys = {key.replace("_", "-"): pair for key, pair in options.items()}
    return str(api.call("SetMirror", "asa{sv}", list(mirrors), keys))


def probe(api: Api, *mirrors: str, **options: tuple[str, Any]) -> str:
    """Return the path of the job."""
    return str(api.call("ProbeMirrors", "asa{sv}", list(mirrors), options))


def info(host: Host) -> dict[str, Any]:
    """Return what the engine says of its registries."""
    output = host.run("docker", "info", "--format", "{{json .RegistryConfig}}").stdout
    answer: dict[str, Any] = json.loads(output)
    return answer


def active(host: Host) -> list[str]:
    """Return the mirrors that the engine uses."""
    return list(info(host)["Mirrors"] or [])
