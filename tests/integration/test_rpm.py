# SPDX-License-Identifier: LGPL-2.1-or-later
"""The RPMs on a host: installation, upgrade with a running daemon, complete removal."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from bed import layers, releases
from bed.api import Api
from bed.fixtures import EVERYWHERE
from bed.host import CommandError
from bed.suites import BULLSEYE
from dockmgrd import names

if TYPE_CHECKING:
    from pathlib import Path

    from bed.host import Host
    from bed.suites import Suite

OWN_SOURCE = "/etc/dockmgrd/sources.d/own.yaml"
LIMITS = "/etc/dockmgrd/dockmgrd.yaml"
# Folders that packages of the distribution own, and that the hosts of the bed lack.
FOLDERS = (
    "/usr/share/dbus-1/interfaces",
    "/usr/share/doc",
    "/usr/share/licenses",
    "/usr/share/locale/zh_CN/LC_MESSAGES",
    "/usr/share/man/man1",
    "/usr/share/man/man5",
    "/usr/share/man/man8",
)
_UNIT_FAILED = "d9b373ed55a64feb8242e02dbe79a49c"  # SD_MESSAGE_UNIT_FAILURE_RESULT
_CALL_FOR_EVER = f"""
while :; do
    busctl --system --quiet --timeout=300 call {names.BUS_NAME} {names.MANAGER_PATH} \\
        {names.MANAGER_INTERFACE} Status && echo answered
done
"""
ACCOUNTS = ("/etc/passwd", "/etc/group", "/etc/gshadow")


@pytest.fixture(scope="session")
def release_before(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """All RPMs of the release before, as release 0 of it: those in dist/ are newer in any case."""
    return releases.build_release_before(tmp_path_factory.mktemp("release-before"))


@pytest.fixture(scope="session")
def present_as_release_0(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return releases.build_as_release_0(releases.ROOT, tmp_path_factory.mktemp("release-0"))


@pytest.fixture
def previous(request: pytest.FixtureRequest, suite: Suite) -> list[Path]:
    """What those in dist/ upgrade: 0.1.0 ran on no host whose dnf is older than 4.14."""
    name = "present_as_release_0" if suite is BULLSEYE else "release_before"
    rpms: list[Path] = request.getfixturevalue(name)
    return rpms


@pytest.fixture
def clean_host(bare_host: Host) -> Host:
    """A host with nothing of ours, and with the folders of other packages."""
    bare_host.run("mkdir", "-p", *FOLDERS)
    return bare_host


def current() -> list[Path]:
    return releases.find_packages(layers.DIST)


def files(host: Host) -> set[str]:
    """All paths where packages put files, without those that a package manager keeps."""
    found = host.run("find", "/usr", "/etc", "/var/lib", "-xdev").stdout.splitlines()
    kept = ("/usr/lib/sysimage/", "/var/lib/dnf/", "/var/lib/rpm/")
    kept_by_us = ("/var/lib/dockmgrd", "/etc/dockmgrd")
    return {path for path in found if not f"{path}/".startswith((*kept, *kept_by_us))}


def daemon_pid(host: Host) -> int:
    """The daemon's process, 0 when it does not run."""
    command = ("systemctl", "show", "--property=MainPID", "--value", "dockmgrd.service")
    return int(host.run(*command).stdout)


def assert_nothing_is_left(host: Host) -> None:
    """No unit, bus name, membership or process of ours, and no unit that failed.

    The group stays, as files may belong to it.
    """
    units = host.run("systemctl", "list-units", "--all", "--no-legend", "dockmgrd*").stdout
    unit_files = host.run("systemctl", "list-unit-files", "--no-legend", "dockmgrd*", check=False)
    assert units + unit_files.stdout == ""
    assert host.run("systemctl", "is-system-running").stdout.strip() == "running"
    bus_names = host.run("busctl", "--system", "--json=short", "list").stdout
    assert names.BUS_NAME not in bus_names
    group = host.run("getent", "group", "dockmgr").stdout
    assert re.fullmatch(r"dockmgr:[x!*]?:[0-9]+:\n", group), "it has no members"
    assert host.run("pgrep", "--full", "dockmgrd", check=False).stdout == ""


@EVERYWHERE
def test_install_upgrade_remove(clean_host: Host, previous: list[Path]) -> None:
    host = clean_host
    before, accounts = files(host), [host.read(path) for path in ACCOUNTS]

    host.install_rpms(previous)
    assert host.run("rpm", "--verify", "dockmgrd", "dockmgrctl").stdout == ""
    listing = host.run("busctl", "--system", "introspect", names.BUS_NAME, names.MANAGER_PATH)
    assert ".Install" in listing.stdout, "the first call starts the daemon"
    host.run("usermod", "--append", "--groups", "dockmgr", "alice")
    host.write(OWN_SOURCE, "sources: {}\n")

    old = daemon_pid(host)
    host.install_rpms(current())
    assert daemon_pid(host) not in (0, old), "the upgrade restarts the daemon that runs"
    assert Api(host, "alice").status()["installed"] is False
    releases = host.run("rpm", "--query", "--queryformat=%{release} ", "dockmgrd", "dockmgrctl")
    assert "0" not in [release.partition(".")[0] for release in releases.stdout.split()]
    assert "alice" in host.run("getent", "group", "dockmgr").stdout

    host.run("dnf", "--assumeyes", "remove", "dockmgrd")
    assert_nothing_is_left(host)
    assert files(host) - before == set()
    assert before - files(host) == set()
    assert [
        re.sub(r"^dockmgr:.*\n", "", host.read(path), flags=re.M) for path in ACCOUNTS
    ] == accounts
    assert host.read(OWN_SOURCE) != "", "what the admin wrote stays"
    assert not host.journal(MESSAGE_ID=_UNIT_FAILED), "the daemon stops without a failure"


def test_remove_while_a_user_keeps_calling(clean_host: Host) -> None:
    host = clean_host
    host.install_rpms(current())
    caller = host.popen("sh", "-c", _CALL_FOR_EVER, user="alice")
    assert caller.stdout is not None
    assert caller.stdout.readline() == "answered\n"
    host.run("dnf", "--assumeyes", "remove", "dockmgrd")
    caller.kill()
    caller.communicate()
    assert_nothing_is_left(host)


def test_a_daemon_that_does_not_run_is_not_started_by_an_upgrade(
    clean_host: Host, previous: list[Path]
) -> None:
    clean_host.install_rpms(previous)
    clean_host.install_rpms(current())
    assert daemon_pid(clean_host) == 0
    assert Api(clean_host).status()["installed"] is False


@EVERYWHERE
def test_a_job_survives_an_upgrade(clean_host: Host, previous: list[Path]) -> None:
    host, api = clean_host, Api(clean_host)
    host.install_rpms(previous)
    job, job_process = downloading_job(host, rate=10_000_000)
    old = daemon_pid(host)
    upgrade(host, current())
    assert daemon_pid(host) not in (0, old)
    assert job_pid(host) == job_process
    assert api.wait(job)["changed"] is True
    assert api.properties(job)["State"] == "done"
    host.run("dnf", "--assumeyes", "remove", "dockmgrd")
    assert_nothing_is_left(host)


@EVERYWHERE
def test_history_and_configuration_go_up_and_down(clean_host: Host, previous: list[Path]) -> None:
    """The same for a downgrade: each daemon reads what the other has written."""
    host = clean_host
    host.install_rpms(previous)
    host.write(layers.SOURCES_FILE, layers.sources_text())
    host.write(LIMITS, "# The administrator's\nallowed-sources: [official]\n")
    assert install(host)["changed"] is True
    first = history(host)
    engine, configuration = started(host, "docker.service"), host.read(LIMITS)

    change(host, "upgrade", current())
    assert history(host) == first
    assert install(host)["changed"] is False, "the engine of the older one is known"
    with pytest.raises(CommandError, match="is not allowed on this host"):
        install(host, "--source", "aliyun")
    both = history(host)

    for verb, rpms in (("downgrade", previous), ("upgrade", current())):
        change(host, verb, rpms)
        assert history(host) == both
        assert json.loads(host.run("dockmgrctl", "--json=short", "status").stdout)["installed"]
    assert len(both) == 2
    assert set(both.values()) == {"done"}
    assert both.items() > first.items()
    assert started(host, "docker.service") == engine, "Docker was not touched"

    host.run("dnf", "--assumeyes", "remove", "dockmgrd")
    assert host.read(LIMITS) == configuration
    assert host.run("find", "/var/lib/dockmgrd", "-type", "f").stdout != "", "the records stay"
    assert_nothing_is_left(host)


def install(host: Host, *arguments: str) -> dict[str, Any]:
    """The result of installing the engine, by the command line of whichever release is there."""
    done = host.run("dockmgrctl", "--json=short", "install", "--yes", *arguments)
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def started(host: Host, unit: str) -> str:
    """When the unit's process was started, on the clock that never goes back."""
    return host.run("systemctl", "show", "-P", "ExecMainStartTimestampMonotonic", unit).stdout


def change(host: Host, verb: str, rpms: list[Path]) -> None:
    """Have dnf upgrade or downgrade to these packages."""
    folder = host.path("/var/tmp")
    for rpm in rpms:
        (folder / rpm.name).write_bytes(rpm.read_bytes())
    host.run("dnf", "--assumeyes", verb, *[f"/var/tmp/{rpm.name}" for rpm in rpms], timeout=120)


def history(host: Host) -> dict[str, str]:
    """The state of each job that the daemon knows."""
    listed = json.loads(host.run("dockmgrctl", "--json=short", "jobs").stdout)
    return {each["id"]: each["state"] for each in listed}


@EVERYWHERE
def test_a_job_survives_the_removal_of_dockmgrd(clean_host: Host) -> None:
    host = clean_host
    host.install_rpms(current())
    _, job_process = downloading_job(host, rate=10_000_000)
    host.run("rpm", "--erase", "dockmgrctl", "dockmgrd-polkit-rules", "dockmgrd")
    assert daemon_pid(host) == 0
    assert job_pid(host) == job_process
    host.run("tail", f"--pid={job_process}", "--follow", "/dev/null")
    assert host.run("systemctl", "is-active", "docker.service").stdout == "active\n"
    assert_nothing_is_left(host)


def downloading_job(host: Host, rate: int) -> tuple[str, int]:
    """Start a job that downloads packages with `rate` bytes per second; its path and process."""
    host.write(layers.SOURCES_FILE, layers.sources_text())
    host.internet.fault("download.docker.com", "slow", prefix="/linux/", value=rate)
    client = host.popen("dockmgrctl", "install")
    assert client.stderr is not None
    assert any("downloading" in line for line in client.stderr)
    client.kill()
    client.communicate()
    # Not by Api, whose program on the host is of the modules that this checkout has.
    manager = (names.BUS_NAME, names.MANAGER_PATH, names.MANAGER_INTERFACE)
    shown = host.run("busctl", "--system", "get-property", *manager, "ActiveJob").stdout
    return shown.split('"')[1], job_pid(host)


def job_pid(host: Host) -> int:
    """The main process of the one job that runs."""
    units = host.run("systemctl", "list-units", "--plain", "--no-legend", "dockmgrd-job@*").stdout
    [unit] = [line.split()[0] for line in units.splitlines()]
    pid = int(host.run("systemctl", "show", "--property=MainPID", "--value", unit).stdout)
    assert pid != 0
    return pid


def upgrade(host: Host, rpms: list[Path]) -> None:
    """Upgrade by rpm alone: dnf would wait for the lock that the job's package worker holds."""
    folder = host.path("/var/tmp")
    for rpm in rpms:
        (folder / rpm.name).write_bytes(rpm.read_bytes())
    host.run("rpm", "--upgrade", *[f"/var/tmp/{rpm.name}" for rpm in rpms])
