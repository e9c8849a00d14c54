# SPDX-License-Identifier: LGPL-2.1-or-later
"""Packages, signatures, conflicts and mirrors of the test hosts behave like the real ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bed import repositories, sites
from bed.by_hand import DOCKER_CE, REPOSITORY_FILE, install_docker, repository, use_mirrors
from bed.fixtures import EACH_DNF, EVERYWHERE
from bed.host import CommandError
from bed.limits import HANG_TIMEOUT
from bed.suites import ARCH

if TYPE_CHECKING:
    from bed.host import Host
    from bed.suites import Suite


@EVERYWHERE
def test_docker_installs_over_https_and_runs_a_container(bare_host: Host) -> None:
    install_docker(bare_host)
    use_mirrors(bare_host, f"https://{sites.MIRROR}")
    bare_host.run("systemctl", "enable", "--now", "docker")

    assert bare_host.run("docker", "run", "--rm", "tiny").stdout == "hello from the bed\n"

    paths = [request.path for request in bare_host.internet.requests(sites.DOCKER)]
    assert any(path.endswith("/repomd.xml") for path in paths)
    assert bare_host.internet.requests(sites.MIRROR)
    assert "docker:" in bare_host.run("getent", "group", "docker").stdout
    assert bare_host.journal(_SYSTEMD_UNIT="docker.service")


def test_pull_fails_without_a_mirror(bare_host: Host) -> None:
    install_docker(bare_host)
    bare_host.run("systemctl", "start", "docker")
    assert bare_host.run("docker", "pull", "tiny", check=False).returncode != 0


@EACH_DNF
def test_dnf_refuses_packages_without_our_signature(bare_host: Host) -> None:
    for site in (sites.UNSIGNED, sites.STRANGER):
        bare_host.write(REPOSITORY_FILE, repository(bare_host.suite, site))
        with pytest.raises(CommandError):
            bare_host.run("dnf", "-y", "install", DOCKER_CE)
        assert bare_host.run("rpm", "--query", DOCKER_CE, check=False).returncode != 0, site
        bare_host.run("dnf", "clean", "all")


@EACH_DNF
def test_dnf_sees_a_fault_until_it_is_cleared(bare_host: Host) -> None:
    bare_host.write(REPOSITORY_FILE, repository(bare_host.suite))
    refresh = ("dnf", "-y", "makecache", "--repo", "docker-ce-stable", "--setopt=retries=1")
    for kind, value in (("status", 404), ("reset", None), ("truncate", None), ("damage", None)):
        bare_host.internet.fault(sites.DOCKER, kind, prefix="/linux/", value=value)
        assert bare_host.run(*refresh, check=False).returncode != 0, kind

        bare_host.internet.clear()
        bare_host.run(*refresh)
        bare_host.run("dnf", "clean", "all")


def test_mirror_can_serve_an_older_state(bare_host: Host, suite: Suite) -> None:
    past, current, _ = repositories.generations(suite)
    channels = f"/linux/{suite.trees[0]}/{ARCH}"
    bare_host.internet.fault(
        sites.DOCKER, "instead", prefix=f"{channels}/stable", value=f"{channels}/old"
    )
    install_docker(bare_host)
    assert past.engine in bare_host.run("rpm", "--query", DOCKER_CE).stdout
    assert current.engine not in bare_host.run("rpm", "--query", DOCKER_CE).stdout


def test_answers_can_be_slow_or_never_come(bare_host: Host) -> None:
    address = f"https://{sites.BASE}/repodata/repomd.xml"
    script = f"import urllib.request; urllib.request.urlopen('{address}', timeout={{}}).read()"

    bare_host.internet.fault(sites.BASE, "hang")
    assert "timed out" in bare_host.run("python3", "-c", script.format(1), check=False).stderr

    bare_host.internet.clear()
    bare_host.internet.fault(sites.BASE, "slow", value=10000)
    bare_host.run("python3", "-c", script.format(HANG_TIMEOUT))
    assert bare_host.internet.requests(sites.BASE)[-1].seconds > 0.1


@EACH_DNF
def test_upgrade_restarts_docker(bare_host: Host, suite: Suite) -> None:
    past, current, _ = repositories.generations(suite)
    bare_host.write(REPOSITORY_FILE, repository(suite))
    bare_host.run("dnf", "-y", "install", f"{DOCKER_CE}-{past.engine}")
    bare_host.run("systemctl", "start", "docker")
    main_pid = ("systemctl", "show", "--value", "--property=MainPID", "docker")
    before = bare_host.run(*main_pid).stdout

    bare_host.run("dnf", "-y", "upgrade", DOCKER_CE)

    assert current.engine in bare_host.run("rpm", "--query", DOCKER_CE).stdout
    assert bare_host.run(*main_pid).stdout not in (before, "0\n")


@EACH_DNF
@pytest.mark.parametrize("present", ["podman-docker", "moby-engine"])
def test_docker_conflicts_with_the_distribution(bare_host: Host, present: str) -> None:
    bare_host.run("dnf", "-y", "install", present)
    bare_host.write(REPOSITORY_FILE, repository(bare_host.suite))
    assert bare_host.run("dnf", "-y", "install", DOCKER_CE, check=False).returncode != 0
    bare_host.run("dnf", "-y", "install", "--allowerasing", DOCKER_CE)
    assert bare_host.run("rpm", "--query", present, check=False).returncode != 0


def test_removal_stops_docker(bare_host: Host) -> None:
    install_docker(bare_host)
    bare_host.run("systemctl", "enable", "--now", "docker")
    bare_host.run("dnf", "-y", "remove", DOCKER_CE)
    assert bare_host.run("pgrep", "dockerd", check=False).stdout == ""
    assert bare_host.run("systemctl", "cat", "docker", check=False).returncode != 0


def test_names_can_be_taken_away(bare_host: Host) -> None:
    fetch = "import urllib.request; urllib.request.urlopen('https://download.docker.com/linux/')"

    def error() -> str:
        return bare_host.run("python3", "-c", fetch, check=False).stderr

    assert "404" in error()
    bare_host.internet.refuse(sites.DOCKER)
    assert "Connection refused" in error()
    bare_host.internet.unresolvable(sites.DOCKER)
    assert "Temporary failure in name resolution" in error()
    bare_host.internet.clear()
    assert "404" in error()


def test_registry_can_ask_for_a_token(bare_host: Host) -> None:
    install_docker(bare_host)
    use_mirrors(bare_host, f"https://{sites.TOKEN_MIRROR}")
    bare_host.run("systemctl", "start", "docker")
    bare_host.run("docker", "pull", "hello-world")
    statuses = {request.status for request in bare_host.internet.requests(sites.TOKEN_MIRROR)}
    assert {401, 200} <= statuses
