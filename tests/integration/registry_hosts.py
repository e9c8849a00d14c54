# SPDX-License-Identifier: LGPL-2.1-or-later
"""Hosts for tests of registries other than Docker Hub, and what tests do on them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bed.api import Api
from integration import front
from integration.mirror_hosts import DAEMON_JSON, set_mirror

if TYPE_CHECKING:
    from bed.host import Host

CERTS = "/etc/docker/certs.d"
HOSTS = f"{CERTS}/ghcr.io/hosts.toml"
GHCR, QUAY, HUB = "ghcr.io/library/tiny", "quay.io/library/tiny", "docker.io/library/tiny"


def use_containerd_store(host: Host, **settings: Any) -> None:
    """Have the engine use the containerd image store, and these settings of daemon.json."""
    values = {"features": {"containerd-snapshotter": True}, **settings}
    host.write(DAEMON_JSON, json.dumps(values))
    host.run("systemctl", "restart", "docker")


def set_for(host: Host, registry: str, *mirrors: str, **more: tuple[str, Any]) -> dict[str, Any]:
    """Set the mirrors of the registry; the result of the job."""
    api = Api(host)
    result: dict[str, Any] = api.wait(set_mirror(api, *mirrors, registry=("s", registry), **more))
    return result


def pull(host: Host, image: str) -> bool:
    """Whether the image can be pulled; it is removed again."""
    pulled = host.run("docker", "pull", image, check=False).returncode == 0
    if pulled:
        host.run("docker", "rmi", image)
    return pulled


def servers(host: Host, image: str) -> set[str]:
    """The servers that a pull of the image asks with success."""
    host.internet.forget_requests()
    assert pull(host, image)
    return {each.host for each in host.internet.requests() if each.status == 200}


def serve(host: Host, port: int, prefix: str, *authority: str) -> None:
    """Serve the registry of the host at another port and place."""
    host.write("/srv/front.py", Path(front.__file__).read_text())
    command = ["python3", "/srv/front.py", str(port), prefix, *authority]
    host.run("systemd-run", f"--unit=front-{port}", "--service-type=notify", *command)
