# SPDX-License-Identifier: LGPL-2.1-or-later
"""Run the commands of the README and the tutorial on hosts, block after block."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bed import debs, layers, person, repositories, sites
from bed.suites import BOOKWORM
from bed.workers import MINIMAL
from integration.documents import COMMANDS, blocks

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bed.fixtures import NewHost
    from bed.host import Host
    from bed.person import Seen
    from integration.documents import Block

README, TUTORIAL = "README.md", "docs/tutorial.md"
PAGE = Path(__file__).with_name("cockpit_page.js")
HOME = "/root"

_, _CURRENT, _ = repositories.generations(BOOKWORM)


def _containerd(tree: str, version: str) -> str:
    folder = f"https://{sites.DOCKER}/linux/{tree}/x86_64/stable/Packages"
    return f"{folder}/containerd.io-{version}.x86_64.rpm"


# What a reader has to put in place of an example, and what stands for it on a host of the bed.
SUBSTITUTIONS: Mapping[str, str] = {
    "https://mirror.example": f"https://{sites.MIRROR}",
    "https://second.example": f"https://{sites.MIRROR2}",
    _containerd("rhel/8", "VERSION.el8"): _containerd(
        BOOKWORM.trees[0], f"{_CURRENT.containerd}-1.{BOOKWORM.dist}"
    ),
    "3fa2b1": "$(dockmgrctl --json=short jobs | python3 -c 'import json, sys; "
    'print(json.load(sys.stdin)[0]["id"][-6:])\')',
}
# `pip install dbus-next`: the RPM has a copy for itself, which is not to be found otherwise.
DBUS_NEXT = "/usr/lib/python3/dist-packages/dockmgrd/_vendor"
# Somebody would leave a pager by its key; there is none to press for here.
SHELL = {"PAGER": "cat"}
DATA = ("/var/lib/docker/image", "/etc/docker", "/etc/yum.repos.d/docker-ce.repo")


class Reader:
    """Reads a document from top to bottom on a host, and does what it says."""

    def __init__(self, host: Host, document: str) -> None:
        self._host = host
        self._blocks = iter([each for each in blocks(document) if _is_for(each)])

    def until(self, text: str) -> str:
        """Do the blocks up to the one that has the text, it included; what that one showed."""
        for block in self._blocks:
            shown = self._do(block)
            if text in block.text:
                return shown
        raise AssertionError(f"no block is left that has {text!r}")

    def to_the_end(self) -> None:
        """Do the blocks that are left."""
        for block in self._blocks:
            self._do(block)

    def _do(self, block: Block) -> str:
        shown = ""
        for seen in self._runs(block):
            shown += seen.text
            assert seen.status == 0, f"{block.document}:\n{block.text}\n{shown}"
        missing = [line for line in block.shown() if line not in shown]
        assert not missing, f"{block.document}: not to be seen: {missing}\n{shown}"
        return shown

    def _runs(self, block: Block) -> Iterator[Seen]:
        if block.language == "python":
            self._host.write(f"{HOME}/example.py", substituted(block.text))
            command = f"PYTHONPATH={DBUS_NEXT} python3 {HOME}/example.py"
            yield person.run(self._host, command)
        else:
            for script in block.scripts():
                folder = HOME if script.user == "root" else "/"
                text = substituted(script.text)
                yield person.run(self._host, text, user=script.user, folder=folder, env=SHELL)


def _is_for(block: Block) -> bool:
    """Whether it is for somebody on a host. A page of Cockpit is in a browser."""
    return not block.reason and block.language in (*COMMANDS, "python")


def substituted(text: str) -> str:
    for example, real in SUBSTITUTIONS.items():
        text = text.replace(example, real)
    return text


@pytest.fixture
def host_with_rpms(bare_host: Host) -> Host:
    """A host with nothing of ours but all RPMs in root's home, as `make rpm` leaves them."""
    for rpm in layers.DIST.glob("*.rpm"):
        shutil.copy(rpm, bare_host.path(HOME))
    # The packages of the bed are signed by a key of its own.
    bare_host.write(layers.SOURCES_FILE, layers.sources_text())
    return bare_host


def installed(host: Host, *packages: str) -> bool:
    return host.run("rpm", "--query", *packages, check=False).returncode == 0


def assert_docker_is_gone(host: Host) -> None:
    assert not any(installed(host, package) for package in MINIMAL)
    assert not any(host.path(path).exists() for path in DATA)


@pytest.mark.suites("bookworm", "forky")
def test_readme(host_with_rpms: Host) -> None:
    host = host_with_rpms
    reader = Reader(host, README)
    reader.until("dnf install ./dockmgrd-[0-9]")
    assert installed(host, "dockmgrd", "dockmgrctl")
    assert not installed(host, "dockmgrd-polkit-rules"), "nobody has asked for it"

    shown = reader.until("dockmgrctl uninstall --purge-data")
    assert f"https://{sites.MIRROR}/ (in use)" not in shown, "status comes before set-mirror"
    assert "hello from the bed" in shown, "a container has run"
    assert_docker_is_gone(host)
    assert installed(host, "bash-completion")

    allowed = reader.until("usermod --append --groups dockmgr alice")
    assert "yes" in allowed
    reader.until("busctl")
    assert installed(host, *MINIMAL)
    assert f"https://{sites.MIRROR}/" in reader.until("import asyncio")
    shown = host.run("docker", "info", "--format", "{{.RegistryConfig.Mirrors}}").stdout
    assert shown == f"[https://{sites.MIRROR}/]\n"
    reader.to_the_end()


def test_tutorial(host_with_rpms: Host) -> None:
    host = host_with_rpms
    reader = Reader(host, TUTORIAL)
    reader.until("dockmgrctl install --source aliyun,tuna")
    assert installed(host, *MINIMAL)
    for state in ("is-active", "is-enabled"):
        host.run("systemctl", state, "docker.service")
    started = host.run("systemctl", "show", "-P", "ExecMainStartTimestampMonotonic", "docker")

    reader.until("dockmgrctl set-mirror https://mirror.example")
    assert json.loads(host.read("/etc/docker/daemon.json")) == {
        "registry-mirrors": [f"https://{sites.MIRROR}/"]
    }
    shown = reader.until("docker run")
    assert f"https://{sites.MIRROR}/ (in use)" in shown
    assert "hello from the bed" in shown

    assert not installed(host, "bash-completion")
    reader.until("--completion")
    assert installed(host, "bash-completion")
    assert host.path("/usr/share/bash-completion/completions/docker").exists()
    reader.until("--containerd-rpm")
    again = host.run("systemctl", "show", "-P", "ExecMainStartTimestampMonotonic", "docker")
    assert again.stdout == started.stdout, "the engine was not restarted for any of this"

    host.write("/etc/systemd/system/docker.service.d/own.conf", "[Service]\n")
    reader.until("dockmgrctl uninstall --purge-data")
    assert_docker_is_gone(host)
    assert not host.path("/etc/systemd/system/docker.service.d/own.conf").exists()
    reader.to_the_end()


def test_page_of_cockpit(new_host: NewHost) -> None:
    """Cockpit's own library and bridge; only the browser around them is not real."""
    [example] = [each for each in blocks(README) if each.language == "js"]
    ours = layers.ours(BOOKWORM)
    host = new_host(debs.with_packages(BOOKWORM, ours, "cockpit-bridge", "nodejs"))
    host.write(f"{HOME}/page.js", PAGE.read_text())
    host.write(f"{HOME}/example.js", substituted(example.text))
    done = host.run("node", f"{HOME}/page.js", f"{HOME}/example.js")
    lines = done.stdout.splitlines()
    assert lines[-1].startswith("installed: 2"), done
    assert any(line.startswith("downloading 0.") for line in lines), done
    assert installed(host, *MINIMAL)
