# SPDX-License-Identifier: LGPL-2.1-or-later
"""A host on which the daemon's Python has no bindings, as on EL 8; another one has those of dnf.

The tests of other modules run again on it. They need a Python 3.12 on this machine.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bed import layers
from bed.api import Api
from bed.fixtures import NewHost
from bed.host import Host
from bed.suites import BOOKWORM, Suite
from integration import (
    test_kills,
    test_main_job,
    test_mirrors,
    test_modules,
    test_plan,
    test_uninstall,
    test_unusual_packages,
)
from integration.test_mirrors import engine_host

__all__ = ["engine_host"]

pytestmark = pytest.mark.suites(BOOKWORM.name)
_PYTHONS = sorted(Path.home().glob(".pyenv/versions/3.12*"))
_BINDINGS = ("dnf", "rpm", "systemd")

test_install = test_main_job.test_the_whole_path_by_busctl_alone
test_completed_steps = test_main_job.test_completed_steps_are_skipped
test_killed_daemon = test_main_job.test_the_job_outlives_a_daemon_that_is_killed
test_killed_job = test_main_job.test_a_killed_job_is_interrupted_and_the_next_one_continues
test_cancel = test_main_job.test_a_job_can_be_cancelled_before_rpm_writes
test_journal = test_main_job.test_the_journal_tells_who_asked_for_what_and_how_it_ended
test_kills_before_rpm_writes = test_kills.test_kills_before_rpm_writes_leave_nothing_to_repair
test_killed_while_rpm_writes = test_kills.test_the_death_of_the_job_leaves_rpm_to_its_end
test_killed_writing_worker = test_kills.test_the_death_of_a_worker_that_writes_names_the_way_out
test_plan_with_conflicts = test_plan.test_conflicting_packages_are_removed_as_planned
test_plan_of_removal = test_plan.test_an_uninstallation_is_planned_too
test_plan_of_upgrade = test_plan.test_an_upgrade_is_of_everything_of_dockers
test_mirrors_dry_run = test_mirrors.test_a_dry_run_tells_and_changes_nothing
test_mirrors_drift = test_mirrors.test_drift_from_any_cause_is_reported
test_mirrors_verify = test_mirrors.test_verifying_refuses_a_mirror_that_does_not_work
test_purge = test_uninstall.test_containers_are_stopped_and_all_data_goes_with_consent
test_uninstall_of_old_docker = test_uninstall.test_docker_of_old_tutorials_goes
test_damaged_database = test_unusual_packages.test_a_damaged_rpm_database_is_what_jobs_name
test_hidden_containerd = test_modules.test_a_module_hides_containerd
test_centos_8 = test_modules.test_install_sees_through_a_module


@pytest.fixture(autouse=True)
def split(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hosts with our packages are of this kind."""
    if not _PYTHONS:
        pytest.skip("this machine has no Python 3.12 below ~/.pyenv")
    ours = layers.ours

    def provide(suite: Suite) -> layers.Layers:
        with monkeypatch.context() as patch:
            patch.setattr(layers, "ours", ours)
            return layers.split(suite, _PYTHONS[-1])

    monkeypatch.setattr(layers, "ours", provide)


def test_each_program_runs_on_its_python(host: Host) -> None:
    api = Api(host)
    assert api.status()["packages"] == {}
    pid = host.run("systemctl", "show", "--property=MainPID", "--value", "dockmgrd").stdout.strip()
    assert host.run("readlink", f"/proc/{pid}/exe").stdout.strip() == "/usr/local/bin/python3.12"
    for binding in _BINDINGS:
        done = host.run("/usr/local/bin/python3.12", "-c", f"import {binding}", check=False)
        assert "ModuleNotFoundError" in done.stderr
    # Where the daemon's modules of the worker fail, those of the other Python do their work.
    host.run(
        "sh", "-c", "echo 1/0 >/usr/local/lib/python3.12/site-packages/dockmgrd/worker/plan.py"
    )
    assert api.wait(api.install(dry_run=("b", True)))["changed"]
    log = [entry["MESSAGE"] for entry in host.journal(_SYSTEMD_UNIT="dockmgrd.service")]
    assert not [line for line in log if re.search(r"Traceback|Error", line)]


def test_new_host_is_of_this_kind(new_host: NewHost, suite: Suite) -> None:
    host = new_host(layers.docker(suite))
    assert "docker-ce" in Api(host).status()["packages"]
    assert host.run("dockmgrctl", "status", "--json").stdout
