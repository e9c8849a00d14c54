# SPDX-License-Identifier: LGPL-2.1-or-later
"""The test hosts are real and isolated, and leave nothing behind."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bed import layers, sites
from bed.by_hand import install_docker
from bed.cache import shared
from bed.cgroup import ControlGroup
from bed.fixtures import EVERYWHERE
from bed.host import Host, HostOffError
from bed.limits import HANG_TIMEOUT
from bed.machine import BootError
from bed.suites import CENTOS_STREAM_9, os_release_text

if TYPE_CHECKING:
    from bed.fixtures import NewHost
    from bed.suites import Suite


@EVERYWHERE
def test_host_boots_into_the_stand_in_distribution(bare_host: Host, suite: Suite) -> None:
    assert bare_host.run("systemctl", "is-system-running").stdout == "running\n"
    assert f'ID="{suite.os_release["ID"]}"' in bare_host.read("/etc/os-release")
    assert suite.systemd_version in bare_host.run("rpm", "--query", "systemd").stdout
    assert bare_host.run("dnf", "repolist").stdout.count("base") == 1


@EVERYWHERE
def test_polkit_decides_by_user(bare_host: Host) -> None:
    script = "exec pkcheck --action-id org.freedesktop.systemd1.manage-units --process $$"

    def allowed(user: str | None) -> bool:
        return bare_host.run("sh", "-c", script, user=user, check=False).returncode == 0

    assert allowed(None)
    assert not allowed("alice")


@EVERYWHERE
def test_user_can_have_a_login_session(bare_host: Host) -> None:
    script = 'loginctl show-session "$XDG_SESSION_ID" --property=Name --property=Active; echo $X'
    done = bare_host.run("sh", "-c", script, user="alice", session=True, env={"X": "more"})
    assert sorted(done.stdout.split()) == ["Active=yes", "Name=alice", "more"]


def test_host_may_boot_degraded(bare_host: Host) -> None:
    bare_host.write("/etc/systemd/system/bad.service", "[Service]\nExecStart=false\n")
    bare_host.run("systemctl", "add-wants", "multi-user.target", "bad.service")
    bare_host.poweroff()
    with pytest.raises(BootError, match=r"bad\.service"):
        bare_host.boot()
    bare_host.poweroff()
    bare_host.boot(may_degrade=True)


@EVERYWHERE
def test_disk_outlives_a_power_loss(bare_host: Host) -> None:
    install_docker(bare_host)
    bare_host.run("systemctl", "enable", "--now", "docker")
    bare_host.run("docker", "load", "--input", "/srv/bed/registry/tiny.tar")

    bare_host.kill()
    with pytest.raises(HostOffError):
        bare_host.run("true")
    bare_host.boot()

    assert bare_host.run("docker", "run", "--rm", "tiny", "echo", "again").stdout == "again\n"


def test_docker_works_without_mount_points_for_its_data(new_host: NewHost) -> None:
    host = new_host(data_mounts=False)
    install_docker(host)
    host.run("systemctl", "start", "docker")
    host.run("docker", "load", "--input", "/srv/bed/registry/tiny.tar")
    assert host.run("docker", "run", "--rm", "tiny").stdout == "hello from the bed\n"
    assert not host.path("/var/lib/docker").is_mount()


def test_files_are_there_at_first_boot(new_host: NewHost) -> None:
    rocky = {**CENTOS_STREAM_9, "ID": "rocky", "VERSION_ID": "9.4"}
    host = new_host(files={"/usr/lib/os-release": os_release_text(rocky)})
    assert 'ID="rocky"' in host.read("/etc/os-release")


def test_commands_run_as_any_user_with_a_clean_environment(bare_host: Host) -> None:
    script = 'read line; echo "$(id -un) $HOME ${SECRET-none} $EXTRA $line"'
    os.environ["SECRET"] = "outside"
    try:
        done = bare_host.run(
            "sh", "-c", script, user="alice", input="hello\n", env={"EXTRA": "more"}
        )
    finally:
        del os.environ["SECRET"]
    assert done.stdout == "alice /home/alice none more hello\n"


@pytest.mark.parametrize("user", [None, "alice"])
def test_command_dies_at_its_timeout(bare_host: Host, user: str | None) -> None:
    with pytest.raises(subprocess.TimeoutExpired):
        bare_host.run("sleep", "1000", user=user, timeout=0.5)
    listing = bare_host.run("pgrep", "--exact", "--runstates=RSD", "sleep", check=False)
    assert listing.stdout == ""


def test_paths_do_not_lead_out_of_the_host(bare_host: Host) -> None:
    bare_host.run("ln", "--symbolic", "/run/mark", "/var/tmp/link")
    bare_host.write("/var/tmp/link", "inside")
    assert bare_host.run("cat", "/run/mark").stdout == "inside"
    assert not Path("/run/mark").exists()
    assert bare_host.path("/var/tmp/link").is_symlink()


def test_frozen_layer_is_made_once(suite: Suite) -> None:
    times = []

    def step(host: Host) -> None:
        times.append(host.run("date").stdout)
        host.write("/etc/frozen", "layer")

    mark = os.urandom(8).hex()
    for _ in range(2):
        disk = layers.freeze("test-frozen", suite, layers.bare(suite), [mark], step)
        with Host(suite, disk) as host:
            assert host.read("/etc/frozen") == "layer"
            assert "is-system-running" not in str(host.journal())
    assert len(times) == 1


def test_two_hosts_know_nothing_of_each_other(new_host: NewHost) -> None:
    first, second = new_host(), new_host()
    first.internet.refuse(sites.DOCKER)
    first.write("/etc/only-here", "")
    assert "127.0.0.2" not in second.read("/etc/hosts")
    assert not second.path("/etc/only-here").exists()


def test_nothing_is_left_of_a_closed_host(suite: Suite) -> None:
    with Host(suite) as host:
        install_docker(host)
        host.run("systemctl", "start", "docker")
        name = host.name
        assert ControlGroup.named(name).path.is_dir()
    assert_nothing_left(name)


def test_host_dies_with_its_process(suite: Suite) -> None:
    script = f"""
import sys
from bed.host import Host
from bed.suites import SUITES
with Host(SUITES[{suite.name!r}]) as host:
    print(host.name, host.leader, flush=True)
    sys.stdin.read()
"""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    owner = subprocess.Popen(
        [sys.executable, "-c", script],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert owner.stdout is not None
    name, leader = owner.stdout.readline().split()
    ended = os.pidfd_open(int(leader))
    owner.send_signal(signal.SIGKILL)
    owner.communicate()
    assert select.select([ended], [], [], HANG_TIMEOUT)[0], "the host's systemd still runs"
    os.close(ended)

    with Host(suite):  # removes what dead processes have left on the disk
        assert_nothing_left(name)


def assert_nothing_left(name: str) -> None:
    assert name not in Path("/proc/self/mountinfo").read_text()
    assert not ControlGroup.named(name).path.exists()
    assert not (shared().root / "hosts" / name).exists()
    commands = subprocess.run(
        ["ps", "-eo", "args"], capture_output=True, text=True, check=True
    ).stdout
    assert f"--machine={name}" not in commands
