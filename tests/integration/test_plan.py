# SPDX-License-Identifier: LGPL-2.1-or-later
"""The confirmed plan is applied: plans, digests and conflicts."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from bed import repositories, sites, system
from bed.api import Api, ApiError
from bed.fixtures import EACH_DNF
from bed.suites import ARCH
from bed.workers import MINIMAL

if TYPE_CHECKING:
    from bed.host import Host
    from bed.suites import Suite

pytestmark = EACH_DNF
ERROR = "org.dockmgr1.Error."
TRUE, FALSE = ("b", True), ("b", False)
TINY = "/srv/bed/registry/tiny.tar"


def names_of(entries: list[Any]) -> set[str]:
    """Names of packages, of NEVRAs or of what a plan says of each."""
    nevras = [each if isinstance(each, str) else each["package"] for each in entries]
    return {nevra.rsplit("-", 2)[0] for nevra in nevras}


def texts(messages: list[dict[str, Any]]) -> list[str]:
    """The English sentences of messages."""
    return [each["text"] for each in messages]


def state(host: Host) -> tuple[list[str], list[str]]:
    """All that a plan must not change: packages, and the repositories' files."""
    files = sorted(path.name for path in host.path("/etc/yum.repos.d").iterdir())
    return sorted(host.run("rpm", "-qa").stdout.split()), files


def refused(api: Api, job: str, error: str) -> dict[str, Any]:
    """The Result of a job that ends with the error, and its message under `message`."""
    with pytest.raises(ApiError) as caught:
        api.wait(job)
    assert caught.value.name == ERROR + error, caught.value.text
    result: dict[str, Any] = api.properties(job)["Result"]
    return {**result, "message": caught.value.text}


def test_conflicting_packages_are_removed_as_planned(host: Host) -> None:
    host.run("dnf", "-y", "install", "podman-docker", "runc", "buildah", "toolbox")
    host.run("dnf", "-y", "remove", "crun", check=False)
    api, before = Api(host), state(host)
    plan = api.wait(api.install(dry_run=TRUE, minimal=TRUE))
    assert state(host) == before
    reasons = {each["package"].rsplit("-", 2)[0]: each["reason"]["text"] for each in plan["remove"]}
    assert reasons == {
        "podman-docker": "it conflicts with docker-ce",
        "runc": "containerd.io replaces it",
        "buildah": "it needs runc",
    }
    assert {*MINIMAL, "crun"} <= names_of(plan["install"])
    assert texts(plan["actions"]) == ["enable docker.service", "start docker.service"]
    assert plan["diff"].startswith("--- /dev/null\n+++ /etc/yum.repos.d/docker-ce.repo\n")
    assert plan["download-bytes"] > 30_000_000
    assert plan["disk-bytes"] > plan["download-bytes"]
    assert api.wait(api.install(dry_run=TRUE, minimal=TRUE))["digest"] == plan["digest"]

    conflict = refused(api, api.install(minimal=TRUE), "ConflictingPackages")
    assert conflict["remove"] == plan["remove"]
    assert all(name in conflict["message"] for name in reasons)

    host.run("dnf", "-y", "remove", "buildah")
    agreed = ("s", plan["digest"])
    new = refused(api, api.install(minimal=TRUE, plan=agreed), "PlanChanged")
    assert "it would no longer remove buildah-" in new["message"]
    assert names_of(new["remove"]) == {"podman-docker", "runc"}

    done = api.wait(api.install(minimal=TRUE, plan=("s", new["digest"])))
    assert names_of(done["removed"]) == {"podman-docker", "runc"}
    assert names_of(done["installed"]) == names_of(new["install"])
    assert host.run("rpm", "-q", "podman", "toolbox").returncode == 0, "podman stays"
    assert not api.wait(api.install(minimal=TRUE, dry_run=TRUE))["changed"]

    wish = {"minimal": TRUE, "completion": TRUE}
    assert names_of(api.wait(api.install(**wish))["installed"]) == {"bash-completion"}
    assert host.run("rpm", "-q", "bash-completion").returncode == 0
    assert not api.wait(api.install(**wish))["changed"]


def test_docker_of_the_distribution_goes_as_the_plan_says(host: Host) -> None:
    host.run("dnf", "-y", "install", "moby-engine")
    api = Api(host)
    wish = {"minimal": TRUE, "start": FALSE}
    plan = refused(api, api.install(**wish), "ConflictingPackages")
    assert names_of(plan["remove"]) == {"moby-engine", "docker-cli", "containerd", "runc"}
    done = api.wait(api.install(replace_conflicting=TRUE, **wish))
    assert names_of(done["removed"]) == names_of(plan["remove"])


def test_another_repository_has_docker_too(host: Host, suite: Suite) -> None:
    """It is newer there; what we install is all of our source."""
    _, current, coming = repositories.generations(suite)
    url = f"https://{sites.ALIYUN}/docker-ce/linux/{suite.trees[0]}/{ARCH}/test"
    text = f"[other]\nname=Other\nbaseurl={url}\ngpgkey=file://{system.KEY_FILE}\n"
    host.write("/etc/yum.repos.d/other.repo", text)
    host.run("dnf", "-y", "install", "docker-ce-cli")
    assert coming.engine in host.run("rpm", "-q", "docker-ce-cli").stdout
    api = Api(host)
    wish = {"minimal": TRUE, "start": FALSE, "version": ("s", current.engine)}
    plan = api.wait(api.install(dry_run=TRUE, **wish))
    changes = [*plan["install"], *plan["downgrade"]]
    ours = {each["package"] for each in changes if each["repository"] == "docker-ce-stable"}
    assert names_of(list(ours)) == set(MINIMAL)
    assert names_of(api.wait(api.install(**wish))["downgraded"]) == {"docker-ce-cli"}


def test_private_file_contents_are_not_in_a_plan(host: Host) -> None:
    host.write("/etc/docker/daemon.json", '{"log-opts": {"token": "secret"}}', mode=0o600)
    api = Api(host)
    plan = api.wait(api.install(dry_run=TRUE, mirrors=("as", ["https://mirror.bed.test"])))
    assert "/etc/docker/daemon.json changes" in plan["diff"]
    assert "secret" not in json.dumps(plan)


def test_a_restart_is_announced_with_its_effect_on_containers(
    docker_host: Host, suite: Suite
) -> None:
    host, api = docker_host, Api(docker_host)
    past, _, _ = repositories.generations(suite)
    older = {"version": ("s", past.engine), "dry_run": TRUE}
    plan = api.wait(api.install(**older))
    assert texts(plan["notes"]) == ["Docker restarts; no container is running."]
    assert texts(plan["actions"]) == ["restart docker.service"]
    assert [each["replaces"] != "" for each in plan["downgrade"]] == [True, True, True]
    host.run("docker", "load", "--input", TINY)
    host.run("docker", "run", "--detach", "--name", "web", "tiny", "sleep", "600")
    [note] = api.wait(api.install(**older))["notes"]
    assert note["id"] == "restart-stops-containers"
    assert note["args"] == {"containers": ["web"]}
    host.write("/etc/docker/daemon.json", '{"live-restore": true}')
    host.run("systemctl", "reload", "docker")
    [note] = api.wait(api.install(**older))["notes"]
    assert note["id"] == "restart-keeps-containers"
    assert note["text"].endswith("live-restore keeps these containers running: web.")


def test_an_uninstallation_is_planned_too(docker_host: Host) -> None:
    host, api = docker_host, Api(docker_host)
    drop_in = "/etc/systemd/system/docker.service.d/proxy.conf"
    host.write(drop_in, "[Service]\nEnvironment=HTTPS_PROXY=http://proxy.lan\n")
    host.run("docker", "load", "--input", TINY)
    run = ("docker", "run", "--detach", "--stop-timeout", "1")
    host.run(*run, "--name", "web", "--volume", "data:/data", "tiny", "sleep", "600")
    before = state(host)
    plan = api.wait(api.uninstall(dry_run=TRUE, purge_data=TRUE))
    assert state(host) == before
    assert host.run("docker", "ps", "--quiet").stdout != ""
    refusal = plan["refusal"]
    assert refusal["name"] == ERROR + "ContainersRunning"
    assert refusal["text"].startswith("Containers are running: web. ")
    assert refusal["args"] == {"containers": ["web"]}
    assert refusal["remedy"]["command"] == "dockmgrctl uninstall --purge-data --force"
    assert (plan["stops"], plan["volumes"]) == (["web"], ["data"])
    assert {"/var/lib/docker", "/var/lib/containerd"} <= set(plan["deletes"])
    assert "docker-ce" in names_of(plan["remove"])
    assert f"--- {drop_in}\n+++ /dev/null\n" in plan["diff"]
    assert "stop docker.socket" in texts(plan["actions"])
    assert host.path(drop_in).exists()

    consent = {"purge_data": TRUE, "force": TRUE, "plan": ("s", plan["digest"])}
    host.run(*run, "--name", "other", "tiny", "sleep", "600")
    changed = refused(api, api.uninstall(**consent), "PlanChanged")
    assert "it would also stop the container other" in changed["message"]
    assert host.run("systemctl", "is-active", "docker").stdout == "active\n"
    host.run("docker", "rm", "--force", "other")
    done = api.wait(api.uninstall(**consent))
    assert names_of(done["removed"]) == names_of(plan["remove"])
    assert drop_in in done["purged"]
    assert not host.path(drop_in).parent.exists()
    assert not api.wait(api.uninstall(dry_run=TRUE, purge_data=TRUE))["changed"]


def test_an_upgrade_is_of_everything_of_dockers(docker_host: Host, suite: Suite) -> None:
    host, api = docker_host, Api(docker_host)
    _, current, coming = repositories.generations(suite)
    host.run("docker", "load", "--input", TINY)
    host.run("docker", "run", "--detach", "--name", "web", "tiny", "sleep", "600")
    host.run("dnf", "-y", "remove", "docker-buildx-plugin", check=False)
    assert not api.wait(api.install(upgrade=TRUE, dry_run=TRUE))["changed"], "all is the newest"
    wish = {"upgrade": TRUE, "channel": ("s", "test")}
    plan = api.wait(api.install(dry_run=TRUE, **wish))
    assert "install" not in plan, "what is not there is not upgraded"
    assert {"docker-ce", "docker-ce-cli", "containerd.io"} <= names_of(plan["upgrade"])
    assert {"restart docker.service", "restart containerd.service"} <= {*texts(plan["actions"])}
    [note] = plan["notes"]
    assert (note["id"], note["args"]) == ("restart-stops-containers", {"containers": ["web"]})
    done = api.wait(api.install(plan=("s", plan["digest"]), **wish))
    assert names_of(done["upgraded"]) == names_of(plan["upgrade"])
    assert (done["steps"], done["digest"]) == (plan["steps"], plan["digest"])
    assert coming.engine in host.run("rpm", "-q", "docker-ce").stdout
    assert coming.containerd in host.run("rpm", "-q", "containerd.io").stdout
    assert not api.wait(api.install(**wish))["changed"]
    assert not api.wait(api.install(upgrade=TRUE))["downgraded"], "what is newer stays"
    assert current.engine not in host.run("rpm", "-q", "docker-ce").stdout
    assert api.wait(api.install(version=("s", "latest"), dry_run=TRUE, channel=("s", "test")))


def test_a_dry_run_says_what_it_would_be_refused_for(host: Host) -> None:
    host.run("dnf", "-y", "install", "podman-docker")
    api = Api(host)
    plan = api.wait(api.install(dry_run=TRUE, minimal=TRUE))
    assert plan["refusal"]["name"] == ERROR + "ConflictingPackages"
    assert "podman-docker-" in plan["refusal"]["text"]
    assert "refusal" not in api.wait(
        api.install(dry_run=TRUE, minimal=TRUE, replace_conflicting=TRUE)
    )
    host.write("/etc/docker/daemon.json", "{,}")
    mirrors = ("as", ["https://mirror.bed.test"])
    refusal = api.wait(api.install(dry_run=TRUE, mirrors=mirrors))["refusal"]
    assert refusal["name"] == ERROR + "ConfigInvalid"
    refused(api, api.install(mirrors=mirrors), "ConfigInvalid")
    host.run("rm", "/etc/docker/daemon.json")
    host.run("mkdir", "/etc/docker/daemon.json", "/etc/yum.repos.d/docker-ce.repo")
    for options in ({"mirrors": mirrors}, {"minimal": TRUE}):
        shown = api.wait(api.install(dry_run=TRUE, **options))["refusal"]
        with pytest.raises(ApiError) as caught:
            api.wait(api.install(**options))
        assert (shown["name"], shown["text"]) == (caught.value.name, caught.value.text)


def test_a_refusal_is_shown_even_if_no_plan_can_be_made(docker_host: Host) -> None:
    """The job is refused before it would find out the rest."""
    host, api = docker_host, Api(docker_host)
    host.write("/etc/dnf/protected.d/test.conf", "containerd.io\n")
    host.run("ctr", "--namespace", "k8s.io", "images", "import", "/srv/bed/registry/tiny.tar")
    shown = api.wait(api.uninstall(dry_run=TRUE))
    assert (shown["refusal"]["name"], shown["steps"]) == (ERROR + "ConflictingPackages", [])
    refused(api, api.uninstall(), "ConflictingPackages")
    host.run("systemctl", "stop", "docker", "docker.socket")
    host.run("systemd-run", "--unit=by-hand", "--property=Type=notify", "/usr/bin/dockerd")
    host.internet.refuse(sites.DOCKER)
    host.run("sh", "-c", "rm -rf /etc/yum.repos.d/docker-ce.repo /var/cache/dnf /var/cache/libdnf5")
    shown = api.wait(api.install(dry_run=TRUE, upgrade=TRUE))
    assert (shown["refusal"]["name"], shown["steps"]) == (ERROR + "ServiceFailed", [])
    refused(api, api.install(upgrade=TRUE), "ServiceFailed")
