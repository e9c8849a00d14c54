# SPDX-License-Identifier: LGPL-2.1-or-later
"""The reasons to refuse an install or uninstall, and the notes about leftovers."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from dockmgrd.enums import Kind
from dockmgrd.errors import (
    ConflictingPackages,
    TransactionFailed,
    UnsupportedPlatform,
    WriteFailed,
)
from dockmgrd.host import installed_packages
from dockmgrd.host.engine import Engine
from dockmgrd.host.obstacles import Mount
from dockmgrd.host.processes import HostProcess
from dockmgrd.host.systemd import Systemd
from dockmgrd.job.context import JobContext
from dockmgrd.job.packages import (
    install_checks,
    installed_engine,
    leftovers,
    purge,
    removal,
    writable_host,
)
from dockmgrd.job.packages.containerd_data import ForeignData
from dockmgrd.job.packages.purge import Purge
from dockmgrd.job.packages.repofile import Repository
from dockmgrd.job.plan import Plan
from dockmgrd.messages.dnf import CONFLICTS_WITH
from dockmgrd.messages.packages import METADATA_UNKNOWN
from dockmgrd.model import JobRequest
from dockmgrd.options.packages import InstallOptions, UninstallOptions
from dockmgrd.worker.protocol import Change

DOCKER = Change("remove", "docker-ce-3:28.5.1-1.el9.x86_64")
CONTAINERD = Change("remove", "containerd.io-2.2.0-1.el9.x86_64")
PODMAN = Change(
    "remove", "podman-docker-4:5.4.0-1.el9.noarch", reason=CONFLICTS_WITH(package="docker-ce")
)
PLUGIN = Change("remove", "docker-compose-plugin-2.40.0-1.el9.x86_64")


@pytest.fixture
def context() -> JobContext:
    request = JobRequest("20260101T000000_abcdef", Kind.INSTALL, {}, 0, 0)
    return JobContext(request, cast("Systemd", None), Engine())


async def test_a_damaged_database_refuses_before_anything_else(
    context: JobContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = (sys.executable, "-c", "raise SystemExit('damaged')")
    monkeypatch.setattr(installed_packages, "_COMMAND", program)
    with pytest.raises(TransactionFailed, match="cannot be read: damaged"):
        await install_checks.find_refusal(context, InstallOptions(), cast("Repository", None))
    with pytest.raises(TransactionFailed, match="cannot be read: damaged"):
        await removal.examine_host(context, UninstallOptions())


def test_an_image_based_host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mark = tmp_path / "ostree-booted"
    monkeypatch.setattr(writable_host, "_OSTREE_MARK", mark)
    assert writable_host.find_packages_refusal() is None
    mark.touch()
    assert isinstance(writable_host.find_packages_refusal(), UnsupportedPlatform)


@pytest.mark.parametrize("read_only", ["_PROGRAMS", "_DATABASES"])
def test_a_read_only_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, read_only: str) -> None:
    place, real = tmp_path / "place", os.statvfs
    place.mkdir()
    monkeypatch.setattr(writable_host, "_OSTREE_MARK", tmp_path / "none")
    monkeypatch.setattr(writable_host, read_only, place if read_only == "_PROGRAMS" else (place,))
    monkeypatch.setattr(
        os,
        "statvfs",
        lambda path: SimpleNamespace(f_flag=os.ST_RDONLY) if path == place else real(path),
    )
    monkeypatch.setattr(writable_host, "find_mount", lambda _: Mount(Path("/mnt"), read_only=True))
    refusal = writable_host.find_packages_refusal()
    assert isinstance(refusal, WriteFailed)
    assert refusal.text.args == {"path": str(place), "mount": "/mnt"}
    assert refusal.text.remedy is not None
    assert refusal.text.remedy.command == "mount -o remount,rw /mnt"


def test_removals_need_consent() -> None:
    plan = Plan(changes=(PODMAN, Change("install", "docker-ce-3:28.5.1-1.el9.x86_64")))
    assert install_checks.find_plan_refusal(plan, allow_removals=True) is None
    assert install_checks.find_plan_refusal(Plan(), allow_removals=False) is None
    refusal = install_checks.find_plan_refusal(plan, allow_removals=False)
    assert isinstance(refusal, ConflictingPackages)
    assert "podman-docker-4:5.4.0-1.el9.noarch (it conflicts with docker-ce)" in refusal.message
    assert refusal.details["digest"] == plan.digest


ALL = dict.fromkeys(("docker-ce", "docker-ce-cli", "containerd.io"), "1-1")


@pytest.mark.parametrize(
    ("options", "installed", "names"),
    [
        ({"minimal": True}, {}, {*ALL}),
        ({"minimal": True, "upgrade": True}, {}, {*ALL}),
        ({"upgrade": True}, ALL, {*ALL}),
        (
            {"upgrade": True, "minimal": True},
            {**ALL, "docker-model-plugin": "1-1"},
            {*ALL, "docker-model-plugin"},
        ),
        ({"upgrade": True, "minimal": True}, {"docker-ce-cli": "1-1"}, {*ALL}),
    ],
)
def test_packages_of_an_installation(
    options: dict[str, bool], installed: dict[str, str], names: set[str]
) -> None:
    assert set(install_checks.list_packages(InstallOptions(**options), installed)) == names  # type: ignore[arg-type]


def test_the_latest_version_is_an_upgrade() -> None:
    assert InstallOptions.parse({"version": "latest"}) == InstallOptions(upgrade=True)
    assert not InstallOptions.parse({"version": "28.5.1"}).upgrade


def test_only_units_of_removed_packages_stop() -> None:
    assert installed_engine.list_units([DOCKER, CONTAINERD, PODMAN]) == (
        "docker.socket",
        "docker.service",
        "containerd.service",
    )
    assert installed_engine.list_units([PLUGIN, PODMAN]) == ()
    assert installed_engine.list_units([CONTAINERD]) == ("containerd.service",)
    legacy = Change("remove", "docker-engine-17.05-1.el7.x86_64")
    assert installed_engine.list_units([legacy]) == ("docker.socket", "docker.service")
    assert installed_engine.list_units([Change("upgrade", DOCKER.package)]) == ()


@pytest.mark.parametrize(
    ("flags", "socket"),
    [
        ((), "/run/docker.sock"),
        (("-H", "unix:///run/other.sock"), "/run/other.sock"),
        (("--host=tcp://127.0.0.1:2375",), "/run/docker.sock"),
    ],
)
def test_the_socket_of_an_engine(flags: tuple[str, ...], socket: str) -> None:
    engine = HostProcess(1, ("/usr/local/bin/dockerd", *flags), "")
    assert installed_engine._find_socket(engine) == Path(socket)


def test_data_of_others_is_left_out() -> None:
    everything = Purge(purge.list_paths([], keep_config=False))
    assert removal.without_foreign_data(everything, ForeignData()) == (everything, [])
    for foreign in (
        ForeignData(("k8s.io",)),
        ForeignData(unreadable=METADATA_UNKNOWN(file="meta.db")),
    ):
        rest, [note] = removal.without_foreign_data(everything, foreign)
        assert Path("/var/lib/containerd") not in rest.paths
        assert Path("/run/containerd") not in rest.paths
        assert Path("/var/lib/docker") in rest.paths
        assert "/var/lib/containerd was kept" in str(note)


RULES = """\
*filter
:INPUT ACCEPT [0:0]
:FORWARD DROP [0:0]
:DOCKER - [0:0]
-A FORWARD -j DOCKER
COMMIT
"""


def test_rules_that_stay() -> None:
    notes = list(leftovers._find_rules("iptables", RULES))
    assert [each.remedy.command if each.remedy else "" for each in notes] == [
        "iptables-save | grep -v -e DOCKER -e docker0 | iptables-restore",
        "iptables -P FORWARD ACCEPT",
    ]
    assert list(leftovers._find_rules("iptables", "*filter\n:FORWARD ACCEPT [0:0]\n")) == []


async def test_a_firewall_that_is_not_there() -> None:
    assert await leftovers._save_rules("nosuchtables") == ""


def test_bridges_and_homes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    networks = tmp_path / "net"
    for name in ("docker0", "br-0123456789ab", "br-lan", "eth0"):
        (networks / name / "bridge").mkdir(parents=True)
    (networks / "br-0123456789ac").mkdir()
    monkeypatch.setattr(leftovers, "_NETWORKS", networks)
    assert [each.args["bridge"] for each in leftovers._find_bridges()] == [
        "br-0123456789ab",
        "docker0",
    ]
    users = tmp_path / "passwd"
    home = tmp_path / "b o b"
    (home / ".docker").mkdir(parents=True)
    users.write_text(f"bob:x:1000:1000::{home}:/bin/sh\nodd\nnobody:x:1:1::relative:/bin/sh\n")
    monkeypatch.setattr(leftovers, "_USERS", users)
    [note] = leftovers._find_client_folders()
    assert note.remedy is not None
    assert note.remedy.command == f"rm -r '{home}/.docker'"
