# SPDX-License-Identifier: LGPL-2.1-or-later
"""The collection, installed from its archive, against hosts of the bed over real sshd."""

from __future__ import annotations

import json
import shutil
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

from bed import debs, layers, repositories, sites
from bed.host import Host
from bed.suites import BOOKWORM, FORKY, TRIXIE, Suite
from bed.workers import RPM_WRITES, holding
from controller import collection
from controller.environments import NEWEST, OLDEST, run_checked
from controller.runs import Controller, Run
from integration.waiting import until_logged, watching_for_call

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from bed.fixtures import NewHost

# Several runs of a controller each, which a busy machine makes slow.
pytestmark = pytest.mark.timeout(1800)

MANAGER = "org.dockmgr1.Manager"
DAEMON_JSON = '{\n   "log-opts": {"max-size":   "10m"},\n\t"debug": false\n}\n'
ONE, TWO = f"https://{sites.MIRROR}/", f"https://{sites.MIRROR2}/"
FOREIGN = "0" * 64

FLEET = (BOOKWORM, TRIXIE, FORKY)
ENGINE, MIRRORS = "dockmgr.docker.engine", "dockmgr.docker.registry_mirrors"


@pytest.fixture(scope="module")
def collections(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory of collections that holds what the archive for Galaxy holds."""
    path = tmp_path_factory.mktemp("collections")
    collection.install(collection.build_archive(path), path)
    return path


@pytest.fixture(scope="module")
def own_repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dnf repository of our RPMs."""
    path = tmp_path_factory.mktemp("repository")
    for rpm in find_packages():
        shutil.copy(rpm, path)
    run_checked("createrepo_c", "--quiet", path)
    return path


def find_packages() -> list[Path]:
    """Return the RPM files of the daemon, the command line and the rules of polkit."""
    [rules] = layers.DIST.glob("dockmgrd-polkit-rules-*.noarch.rpm")
    return [*layers.own_packages(), rules]


def with_sshd(suite: Suite) -> layers.Layers:
    """Return the layers of a host with sshd and nothing of ours."""
    return debs.with_packages(suite, layers.bare(suite), "openssh-server")


def offer_own_packages(host: Host, repository: Path) -> None:
    """Put our RPMs in a repository of the host, and the bed's key in a file of sources."""
    shutil.copytree(repository, host.path("/srv/ours"))
    text = "[ours]\nname=dockmgrd\nbaseurl=file:///srv/ours\ngpgcheck=0\n"
    host.write("/etc/yum.repos.d/ours.repo", text)
    host.write(layers.SOURCES_FILE, layers.sources_text())


def compile_own_code(host: Host) -> None:
    """Do what the RPMs of a real host bring with them; without it every start compiles."""
    host.run("python3", "-m", "compileall", "-q", "/usr/lib/python3/dist-packages/dockmgrd")


def boot_controlled(
    new_host: NewHost, suite: Suite, work: Path, collections: Path
) -> tuple[Host, Controller]:
    """Boot a host with our packages, and return it with its controller."""
    host = new_host(with_sshd(suite))
    host.write(layers.SOURCES_FILE, layers.sources_text())
    host.install_rpms(find_packages())
    compile_own_code(host)
    controller = Controller(work, collections, {suite.name: host})
    controller.prepare()
    return host, controller


def play(*tasks: Mapping[str, Any], **keywords: Any) -> str:
    """Return a playbook with these tasks; JSON is YAML."""
    document = {"name": "Play", "hosts": "all", "gather_facts": False, **keywords}
    return json.dumps([{**document, "tasks": tasks}]) + "\n"


def task(module: str, **parameters: Any) -> dict[str, Any]:
    """Return a task that is named after its module's last word."""
    return {"name": module.rpartition(".")[2], module: parameters}


def role(**variables: Any) -> str:
    """Return a playbook that applies the role."""
    applied = {"role": ENGINE, "vars": {f"engine_{key}": variables[key] for key in variables}}
    return play(roles=[applied])


def describe(host: Host) -> dict[str, Any]:
    """Return all that a run in check mode must leave alone."""
    folders = ("/etc/yum.repos.d", "/etc/dockmgrd", "/etc/docker")
    files = {
        str(path): path.read_bytes()
        for folder in folders
        for path in host.path(folder).rglob("*")
        if path.is_file()
    }
    return {"packages": sorted(host.run("rpm", "-qa").stdout.split()), "files": files}


def list_jobs(host: Host, kind: str) -> list[dict[str, Any]]:
    """Return the jobs of that kind which were no dry run, the newest first."""
    jobs = json.loads(host.run("dockmgrctl", "--json", "jobs").stdout)
    return [each for each in jobs if each["kind"] == kind and not each["dry-run"]]


def require_failure(run: Run, error: str, code: int) -> Mapping[str, Any]:
    """Return the result of the play's one task, which has failed with that error."""
    [result] = run.results
    assert result.state == "failed", run.output
    assert (result.values["error"], result.values["rc"]) == (error, code), run.output
    return result.values


def test_fleet_from_bare_hosts_on(tmp_path: Path, collections: Path, own_repository: Path) -> None:
    """Three kinds of hosts, and the oldest and the newest Ansible in turn."""
    with ExitStack() as stack:
        hosts = {suite.name: stack.enter_context(Host(suite, with_sshd(suite))) for suite in FLEET}
        for host in hosts.values():
            offer_own_packages(host, own_repository)
            host.write("/etc/docker/daemon.json", DAEMON_JSON)
        controller = Controller(tmp_path, collections, hosts)
        controller.prepare()
        wanted = role(
            source=["aliyun", "official"],
            mirrors=[ONE],
            delegates=["alice"],
            config={"allowed-sources": ["aliyun", "official"]},
        )
        check_hosts_without_dockmgrd(controller, wanted)
        check_hosts_without_docker(controller, wanted)
        converge(controller, wanted)
        change_mirrors_under_a_container(controller)


def check_hosts_without_dockmgrd(controller: Controller, wanted: str) -> None:
    before = {name: describe(host) for name, host in controller.hosts.items()}
    run = controller.run(wanted, "--check").require_success()
    for name, host in controller.hosts.items():
        assert describe(host) == before[name]
        predicted = run.find("Apply the state of the engine", name)
        assert predicted["changed"] is True
        assert "cannot predict" in predicted["warnings"][0]


def check_hosts_without_docker(controller: Controller, wanted: str) -> None:
    packages = {"name": ENGINE, "tasks_from": "node"}
    include = {"name": "Prepare", "ansible.builtin.include_role": packages}
    controller.run(play(include)).require_success()
    for host in controller.hosts.values():
        compile_own_code(host)
    before = {name: describe(host) for name, host in controller.hosts.items()}
    run = controller.run(wanted, "--check", "--diff", core=OLDEST).require_success()
    for name, host in controller.hosts.items():
        assert describe(host) == before[name]
        planned = run.find("Apply the state of the engine", name)
        assert any(step.startswith("install docker-ce-3:") for step in planned["steps"])
        assert "start docker.service" in planned["steps"]
        shown = planned["diff"]["prepared"]
        assert "+++ /etc/yum.repos.d/docker-ce.repo" in shown
        assert shown in run.output
        assert ONE in run.find("Set the registry mirrors", name)["diff"]["prepared"]


def converge(controller: Controller, wanted: str) -> None:
    run = controller.run(wanted).require_success()
    for name, host in controller.hosts.items():
        done = run.find("Apply the state of the engine", name)
        assert done["changed"] is True
        assert done["engine_version"] in host.run("docker", "--version").stdout
        assert "dockmgr" in host.run("id", "--groups", "--name", "alice").stdout.split()
        assert "aliyun" in host.read("/etc/dockmgrd/dockmgrd.yaml")
        assert ONE in host.read("/etc/docker/daemon.json")
    again = controller.run(wanted, core=OLDEST).require_success()
    assert not any(again.count("changed").values()), again.output


def change_mirrors_under_a_container(controller: Controller) -> None:
    before = {}
    for name, host in controller.hosts.items():
        host.run("docker", "load", "--input", "/srv/bed/registry/tiny.tar")
        host.run("docker", "run", "--detach", "--name", "web", "tiny", "sleep", "infinity")
        before[name] = (find_processes(host), host.read("/etc/docker/daemon.json"))
    tasks = (
        task(MIRRORS, mirrors=[TWO]),
        task("dockmgr.docker.engine_info"),
        task("dockmgr.docker.engine_version_info"),
        task("dockmgr.docker.registry_mirror_info", mirrors=[ONE, TWO]),
    )
    defaults = {"group/dockmgr.docker.dockmgr": {"source": ["aliyun"]}}
    run = controller.run(play(*tasks, module_defaults=defaults), "--diff").require_success()
    for name, host in controller.hosts.items():
        processes, text = before[name]
        assert run.find("registry_mirrors", name)["changed"] is True
        assert find_processes(host) == processes
        assert host.read("/etc/docker/daemon.json") == text.replace(ONE, TWO)
        info = run.find("engine_info", name)
        assert info["engine"]["mirrors_active"] == [TWO]
        assert info["permissions"]["purge_data"] == "yes"
        assert run.find("engine_version_info", name)["source"] == "aliyun"
        tested = run.find("registry_mirror_info", name)
        assert {each["mirror"]: each["verdict"] for each in tested["mirrors"]} == {
            ONE: "ok",
            TWO: "ok",
        }
        assert tested["best"] in (ONE, TWO)


def find_processes(host: Host) -> tuple[str, str]:
    """Return the process ids of the engine and of the container."""
    engine = host.run("systemctl", "show", "-P", "MainPID", "docker.service").stdout
    return engine, host.run("docker", "inspect", "--format", "{{.State.Pid}}", "web").stdout


@pytest.mark.suites("bookworm")
def test_the_reviewed_plan_is_applied(
    new_host: NewHost, suite: Suite, tmp_path: Path, collections: Path
) -> None:
    host, controller = boot_controlled(new_host, suite, tmp_path, collections)
    host.run("dnf", "-y", "install", "podman-docker")
    before = describe(host)
    fail_alike_over_a_conflict(controller)
    past, current, _ = repositories.generations(suite)
    variables = {
        "fleet_plans": str(tmp_path / "plans"),
        "engine_minimal": True,
        "engine_replace_conflicting": True,
        "engine_version": past.engine,
    }
    arguments = ("--extra-vars", json.dumps(variables))
    review = controller.run("dockmgr.docker.review", *arguments).require_success()
    assert describe(host) == before
    saved = json.loads((tmp_path / "plans" / f"{suite.name}.json").read_text())
    assert any(step.startswith("remove podman-docker-") for step in saved["steps"])
    assert all(step in review.output for step in saved["steps"])
    assert review.output.count(saved["digest"]) == 1, "each plan is shown once"

    for core in (NEWEST, OLDEST):
        done = controller.run("dockmgr.docker.apply", *arguments, core=core).require_success()
        assert done.count("changed")[suite.name] == (core != OLDEST), done.output
    assert past.engine in host.run("rpm", "-q", "docker-ce").stdout
    assert host.run("rpm", "-q", "podman-docker", check=False).returncode != 0

    latest = play(task(ENGINE, state="latest", minimal=True))
    assert controller.run(latest).require_success().count("changed")[suite.name] == 1
    assert current.engine in host.run("rpm", "-q", "docker-ce").stdout
    assert controller.run(latest).require_success().count("changed")[suite.name] == 0
    remove_under_a_container(host, controller)


def fail_alike_over_a_conflict(controller: Controller) -> None:
    conflict = play(task(ENGINE, minimal=True))
    foreign = play(task(ENGINE, minimal=True, plan=FOREIGN))
    plans = []
    for arguments in (("--check",), (), ("--diff",)):
        plan = require_failure(controller.run(conflict, *arguments), "ConflictingPackages", 12)
        assert "podman-docker-" in plan["msg"]
        plans.append([each["package"] for each in plan["plan"]["remove"]])
        require_failure(controller.run(foreign, *arguments), "PlanChanged", 32)
    assert plans[0] == plans[1] == plans[2] != []


def remove_under_a_container(host: Host, controller: Controller) -> None:
    host.run("docker", "load", "--input", "/srv/bed/registry/tiny.tar")
    host.run("docker", "run", "--detach", "--name", "web", "tiny", "sleep", "infinity")
    absent = play(task(ENGINE, state="absent"))
    for arguments in (("--check",), ()):
        require_failure(controller.run(absent, *arguments), "ContainersRunning", 29)
    purge = play(task(ENGINE, state="absent", force=True, purge_data=True))
    assert controller.run(purge).require_success().count("changed")[host.suite.name] == 1
    assert host.run("rpm", "-q", "docker-ce", check=False).returncode != 0
    assert controller.run(purge).require_success().count("changed")[host.suite.name] == 0


@pytest.mark.suites("trixie")
def test_users_without_root_share_a_host(
    new_host: NewHost, suite: Suite, tmp_path: Path, collections: Path
) -> None:
    """alice is in group dockmgr and her controller dies; bob is in no group."""
    host, controller = boot_controlled(new_host, suite, tmp_path, collections)
    host.run("usermod", "--append", "--groups", "dockmgr", "alice")
    as_alice, as_bob = ("--user", "alice"), ("--user", "bob")
    install = play(task(ENGINE, source=["official"], minimal=True, lock_wait=3600))
    mirrors = play(task(MIRRORS, mirrors=[ONE]))

    controller.run(mirrors, *as_bob, "--check").require_success()  # reads what everybody may read
    for playbook, arguments in ((mirrors, ()), (install, ("--check",)), (install, ())):
        refused = controller.run(playbook, *as_bob, *arguments)
        result = require_failure(refused, "InteractiveAuthorizationRequired", 4)
        assert "Set 'become: true'" in result["msg"]
    info = controller.run(play(task("dockmgr.docker.engine_info")), *as_bob).require_success()
    assert info.find("engine_info")["permissions"]["install"] == "auth"

    # The job runs until it would write packages, and no further.
    with holding(host, RPM_WRITES):
        first = controller.start(install, *as_alice)
        until_logged(host, "started", "DOCKMGR_ACTION=install", "DOCKMGR_RESULT=started")
        first.kill()
        at_once = play(task(MIRRORS, mirrors=[ONE], wait_busy=0))
        require_failure(controller.run(at_once, *as_alice), "Busy", 10)
        with watching_for_call(host, MANAGER, "Install") as joined:
            second = controller.start(install, *as_alice)
            joined()
        with watching_for_call(host, MANAGER, "SetMirror") as refused_once:
            waiting = controller.start(mirrors, *as_alice)
            refused_once()
    done = second.wait().require_success().find("engine")
    changed = waiting.wait().require_success().find("registry_mirrors")
    assert done["changed"] is True
    assert done["engine_version"]
    assert changed["mirrors"] == [ONE]

    [job] = list_jobs(host, "install")
    assert job["id"] == done["job"]
    assert job["initiator-uid"] == int(host.run("id", "--user", "alice").stdout)
    assert ONE in host.read("/etc/docker/daemon.json")
    for playbook in (install, mirrors):
        again = controller.run(playbook, *as_alice).require_success()
        assert again.count("changed") == {suite.name: 0}
