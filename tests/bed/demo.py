# SPDX-License-Identifier: LGPL-2.1-or-later
"""`make demo`: the main job on a disposable host, each command printed with what it says."""

from __future__ import annotations

import json
import shutil
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bed import layers
from bed.host import Host
from bed.suites import SUITES, Suite

if TYPE_CHECKING:
    from collections.abc import Sequence

MIRROR = "https://mirror.bed.test"
SECOND_MIRROR = "https://mirror2.bed.test"
PURGED = (
    "/var/lib/docker/image",
    "/var/lib/containerd/io.containerd.metadata.v1.bolt",
    "/etc/docker",
    "/etc/yum.repos.d/docker-ce.repo",
)


class DemoError(Exception):
    """What the demo shows did not happen. The message says what was expected."""


@dataclass(frozen=True)
class Demo:
    """Runs commands on the host, and shows them as a person would see them there."""

    host: Host

    def show(self, command: str, *, fails: bool = False) -> str:
        """Print and run a command; return its output.

        Raises DemoError when it fails and should not, or the other way round.
        """
        print(f"\n\033[1m# {command}\033[0m", flush=True)
        done = self.host.run("sh", "-c", f"exec {command} 2>&1", check=False)
        print(done.stdout, end="", flush=True)
        if (done.returncode != 0) is not fails:
            expected = "fail" if fails else "succeed"
            raise DemoError(f"{command!r} ended with {done.returncode}, but should {expected}")
        return done.stdout

    def say(self, text: str) -> None:
        print(f"\n\033[36m{text}\033[0m", flush=True)


def run(suite: Suite) -> None:
    """Show the main job from a host without Docker back to a host without Docker."""
    started = time.monotonic()
    with Host(suite, layers.bare(suite)) as host:
        demo = Demo(host)
        demo.say(f"A host that stands for {suite.os_release['PRETTY_NAME']} has booted.")
        _install(demo)
        _mirrors(demo)
        demo.show("dockmgrctl status")
        _uninstall(demo)
    print(f"\nThe demo took {time.monotonic() - started:.0f} s.")


def _install(demo: Demo) -> None:
    demo.say("Our packages, by dnf; then the Docker Engine from Aliyun's mirror.")
    for rpm in layers.own_packages():
        shutil.copy(rpm, demo.host.path("/root"))
    demo.show("dnf -y install /root/dockmgrd-*.noarch.rpm /root/dockmgrctl-*.noarch.rpm")
    demo.host.write(layers.SOURCES_FILE, layers.sources_text())
    demo.show("dockmgrctl install --source aliyun")
    demo.show("systemctl is-active docker.service")


def _mirrors(demo: Demo) -> None:
    demo.say("Docker Hub cannot be reached from here, so a pull needs a registry mirror.")
    demo.show("docker pull tiny", fails=True)
    demo.show(f"dockmgrctl set-mirror {MIRROR}")
    demo.show("docker pull tiny")
    demo.say("A container keeps running while the mirrors change.")
    demo.show("docker run --detach --name runs-on tiny sleep 600")
    before = _container(demo)
    demo.show(f"dockmgrctl set-mirror {SECOND_MIRROR} {MIRROR}")
    if _container(demo) != before:
        raise DemoError("the container is not the same process after the change of mirrors")
    demo.show("cat /etc/docker/daemon.json")


def _container(demo: Demo) -> tuple[int, str]:
    """The process of the container, and since when it runs."""
    state = json.loads(demo.show("docker inspect --format '{{json .State}}' runs-on"))
    if not state["Running"]:
        raise DemoError("the container has stopped")
    return state["Pid"], state["StartedAt"]


def _uninstall(demo: Demo) -> None:
    demo.say("And off again, with all data.")
    demo.show("docker rm --force runs-on")
    demo.show("dockmgrctl uninstall --purge-data")
    demo.show("rpm -q docker-ce docker-ce-cli containerd.io", fails=True)
    left = [path for path in PURGED if demo.host.path(path).exists()]
    if left:
        raise DemoError(f"left behind: {', '.join(left)}")


def main(arguments: Sequence[str]) -> int:
    try:
        run(SUITES[arguments[0] if arguments else "bookworm"])
    except DemoError as error:
        print(f"\nThe demo stopped: {error}.", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
