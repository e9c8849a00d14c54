# SPDX-License-Identifier: LGPL-2.1-or-later
"""The module dockmgr.docker.engine: its command lines, its plans, its failures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from controller.environments import NEWEST, OLDEST
from unit.ansible.ansible_answers import Answer, fail

if TYPE_CHECKING:
    from unit.ansible.ansible_answers import RunModule

STEPS = ["install docker-ce", "write /etc/x with the digest 0", "start docker.service"]
NOTE = "Docker is restarted; no container runs."
DIGEST, FOREIGN = "a" * 64, "b" * 64


def refuse(name: str, text: str) -> dict[str, Any]:
    """Return a refusal as a dry run has it."""
    return {"name": f"org.dockmgr1.Error.{name}", "id": "x", "text": text, "args": {}}


PLAN = {
    "changed": True,
    "digest": DIGEST,
    "install": [{"package": "docker-ce-3:28.5.1-1.el9.x86_64", "download-bytes": 5}],
    "steps": [{"id": "x", "text": text, "args": {"a": 1}} for text in STEPS],
    "diff": "--- /dev/null\n+++ /etc/x\n",
    "notes": [{"id": "x", "text": NOTE, "args": {}}],
    "a-key-of-a-later-release": 1,
}
CONFLICT = {
    **PLAN,
    "remove": [{"package": "podman-docker-4", "reason": "it conflicts with docker-ce"}],
    "refusal": refuse("ConflictingPackages", "podman-docker-4 is in the way."),
}
DONE = {"changed": True, "installed": ["docker-ce"], "engine-version": "28.5.1"}
SATISFIED = {"changed": False, "digest": FOREIGN, "steps": [], "diff": ""}
PROGRESS = '{"job": "20260131T120000_3fa2b1", "state": "done"}\n'


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({}, ["install", "--yes"]),
        (
            {"source": ["aliyun", "tuna"], "channel": "test"},
            ["install", "--source=aliyun,tuna", "--channel=test", "--yes"],
        ),
        (
            {"version": "28.5.1", "platform": "rhel/9", "lock_wait": 0, "minimal": True},
            ["install", "--platform=rhel/9", "--version=28.5.1", "--minimal", "--lock-wait=0"],
        ),
        (
            {"repo_url": "https://r.example/", "containerd_rpm": "https://r.example/c.rpm"},
            ["--repo-url=https://r.example/", "--containerd-rpm=https://r.example/c.rpm"],
        ),
        (
            {"start": False, "enable": False, "completion": True, "replace_conflicting": True},
            ["--completion", "--replace-conflicting", "--no-start", "--no-enable"],
        ),
        ({"plan": DIGEST}, ["install", "--yes", f"--plan={DIGEST}"]),
        ({"state": "absent", "purge_data": True}, ["uninstall", "--purge-data", "--yes"]),
        (
            {"state": "absent", "keep_config": True, "force": True},
            ["uninstall", "--keep-config", "--force"],
        ),
    ],
)
def test_command_line(run_module: RunModule, parameters: dict[str, Any], words: list[str]) -> None:
    answers = {"install": Answer(DONE), "uninstall": Answer(DONE)}
    outcome = run_module("engine", parameters, answers=answers)
    [call] = outcome.words
    assert [word for word in call if word in words] == words
    assert outcome.result["changed"] is True


def test_result_of_a_change(run_module: RunModule) -> None:
    done = Answer({**DONE, "notes": ["Look."]}, err=f"noise\n{PROGRESS}")
    outcome = run_module("engine", answers={"install": done})
    result = outcome.result
    assert result["engine_version"] == "28.5.1"
    assert result["job"] == "20260131T120000_3fa2b1"
    assert result["installed"] == ["docker-ce"]
    assert outcome.warnings == ["Look."]
    assert "diff" not in result


def test_job_of_the_document_wins(run_module: RunModule) -> None:
    done = Answer({**DONE, "job": "J", "diff": "--- text", "steps": ["a"]}, err=PROGRESS)
    result = run_module("engine", answers={"install": done}).result
    assert result["job"] == "J"
    assert "diff" not in result, "Ansible would take a text for a malformed diff"


@pytest.mark.parametrize("core", [OLDEST, NEWEST])
def test_check_mode_returns_the_plan(run_module: RunModule, core: str) -> None:
    answers = {"install --dry-run": Answer(PLAN, err=PROGRESS)}
    outcome = run_module("engine", answers=answers, check=True, diff=True, core=core)
    assert outcome.words == [["install", "--dry-run"]]
    result = outcome.result
    assert result["changed"] is True
    assert result["digest"] == DIGEST
    assert result["steps"] == STEPS
    assert result["install"][0]["download_bytes"] == 5
    assert outcome.warnings == [NOTE]
    shown = "install docker-ce\nstart docker.service\n--- /dev/null\n+++ /etc/x\n"
    assert result["diff"] == {"prepared": shown}


def test_diff_mode_does_what_it_shows(run_module: RunModule) -> None:
    answers = {"install --dry-run": Answer(PLAN), "install": Answer(DONE, err=PROGRESS)}
    outcome = run_module("engine", answers=answers, diff=True)
    assert outcome.words == [["install", "--dry-run"], ["install", "--yes", f"--plan={DIGEST}"]]
    assert outcome.result["steps"] == STEPS
    assert "+++ /etc/x" in outcome.result["diff"]["prepared"]
    assert outcome.warnings == [NOTE], "each note once"


def test_diff_mode_with_nothing_to_do(run_module: RunModule) -> None:
    outcome = run_module("engine", answers={"install --dry-run": Answer(SATISFIED)}, diff=True)
    assert outcome.words == [["install", "--dry-run"]]
    assert outcome.result["changed"] is False


@pytest.mark.parametrize(("check", "diff"), [(True, False), (False, True), (True, True)])
def test_conflict_fails_before_anything_is_agreed_to(
    run_module: RunModule, *, check: bool, diff: bool
) -> None:
    answers = {"install --dry-run": Answer(CONFLICT, err=PROGRESS)}
    outcome = run_module("engine", answers=answers, check=check, diff=diff)
    assert outcome.words == [["install", "--dry-run"]]
    result = outcome.result
    assert result["failed"] is True
    assert (result["error"], result["rc"]) == ("ConflictingPackages", 12)
    assert result["msg"] == "podman-docker-4 is in the way."
    assert result["plan"]["remove"] == CONFLICT["remove"]
    assert result["job"] == "20260131T120000_3fa2b1"


def test_conflict_that_the_user_reviewed(run_module: RunModule) -> None:
    answers = {"install --dry-run": Answer(CONFLICT), "install": Answer(DONE)}
    for check in (True, False):
        parameters = {"plan": DIGEST}
        outcome = run_module("engine", parameters, answers=answers, check=check, diff=True)
        assert outcome.result["changed"] is True
    assert outcome.words[-1] == ["install", "--yes", f"--plan={DIGEST}"]


@pytest.mark.parametrize(
    ("state", "verb", "error", "code"),
    [
        ("absent", "uninstall --dry-run", "ContainersRunning", 29),
        ("present", "install --dry-run", "KernelModuleMissing", 28),
        ("present", "install --dry-run", "ErrorOfALaterRelease", 1),
    ],
)
def test_refusal_of_the_plan_fails_check_mode(
    run_module: RunModule, state: str, verb: str, error: str, code: int
) -> None:
    """Also where the plan was reviewed: that agrees to removals and to nothing else."""
    answers = {verb: Answer({**PLAN, "refusal": refuse(error, "It would be refused.")})}
    for parameters in ({"state": state}, {"state": state, "plan": DIGEST}):
        result = run_module("engine", parameters, answers=answers, check=True).result
        assert result["failed"] is True
        found = (result["msg"], result["error"], result["rc"])
        assert found == ("It would be refused.", error, code)


def test_removal_is_what_absent_is_for(run_module: RunModule) -> None:
    removal = {key: value for key, value in CONFLICT.items() if key != "refusal"}
    answers = {"uninstall --dry-run": Answer(removal)}
    result = run_module("engine", {"state": "absent"}, answers=answers, check=True).result
    assert result["changed"] is True


def test_foreign_plan_fails_check_mode(run_module: RunModule) -> None:
    answers = {"install --dry-run": Answer(PLAN)}
    result = run_module("engine", {"plan": FOREIGN}, answers=answers, check=True).result
    assert (result["failed"], result["error"], result["rc"]) == (True, "PlanChanged", 32)
    assert result["plan"]["digest"] == DIGEST


def test_foreign_plan_fails(run_module: RunModule) -> None:
    changed = fail("PlanChanged", 32, "It would also install a.", changed=True, digest=DIGEST)
    result = run_module("engine", {"plan": FOREIGN}, answers={"install": changed}).result
    assert (result["failed"], result["error"], result["rc"]) == (True, "PlanChanged", 32)


@pytest.mark.parametrize("check", [True, False])
def test_plan_that_is_done_already(run_module: RunModule, *, check: bool) -> None:
    answers = {
        "install --dry-run": Answer(SATISFIED),
        "install": fail("PlanChanged", 32, changed=False),
    }
    result = run_module("engine", {"plan": DIGEST}, answers=answers, check=check).result
    assert "failed" not in result
    assert result["changed"] is False


@pytest.mark.parametrize("name", ["AccessDenied", "InteractiveAuthorizationRequired"])
def test_refused_user_learns_what_to_set(run_module: RunModule, name: str) -> None:
    result = run_module("engine", answers={"install": fail(name, 4, "Not authorized.")}).result
    assert result["error"] == name
    assert result["msg"].startswith("Not authorized. Set 'become: true', or let polkit")


def test_failure_has_all_that_dockmgrctl_tells(run_module: RunModule) -> None:
    answers = {"install": fail("TransactionFailed", 17, "rpm failed.", **{"disk-bytes": 7})}
    result = run_module("engine", answers=answers).result
    assert (result["msg"], result["error"], result["rc"]) == (
        "rpm failed.",
        "TransactionFailed",
        17,
    )
    assert result["plan"] == {"disk_bytes": 7}
    assert result["job"] == "20260131T120000_3fa2b1"


@pytest.mark.parametrize(
    ("out", "err", "message"),
    [
        ("", "Killed\n", "Killed"),
        ("no JSON", "", "no JSON"),
        ("", "", "dockmgrctl exited with code 5 and printed nothing."),
        ("[]", "", "dockmgrctl install did not print a JSON object."),
    ],
)
def test_answer_that_is_no_document(
    run_module: RunModule, out: str, err: str, message: str
) -> None:
    result = run_module("engine", answers={"install": Answer(out, 5, err)}).result
    assert (result["failed"], result["msg"], result["rc"]) == (True, message, 5)


def test_busy_is_waited_out(run_module: RunModule) -> None:
    answers: dict[str, Answer | list[Answer]] = {
        "install": [fail("Busy", 10), fail("Busy", 10), Answer(DONE)],
        "status": Answer({"active-job": "/org/dockmgr1/job/other"}),
        "follow": [Answer({}), fail("UnknownObject", 8)],
    }
    outcome = run_module("engine", answers=answers)
    verbs = [words[0] for words in outcome.words if words[0] != "--quiet"]
    assert verbs.count("install") == 3
    assert [words for words in outcome.words if "follow" in words] == [
        ["--quiet", "follow", "other"]
    ] * 2
    assert outcome.result["changed"] is True


def test_busy_fails_at_once_where_nobody_waits(run_module: RunModule) -> None:
    outcome = run_module("engine", {"wait_busy": 0}, answers={"install": fail("Busy", 10)})
    assert len(outcome.words) == 1
    assert (outcome.result["error"], outcome.result["rc"]) == ("Busy", 10)


def test_node_without_dockmgrctl(run_module: RunModule) -> None:
    predicted = run_module("engine", check=True)
    assert predicted.result["changed"] is True
    assert "cannot predict" in predicted.warnings[0]
    failed = run_module("engine").result
    assert failed["failed"] is True
    assert "dockmgrctl" in failed["msg"]


def test_latest(run_module: RunModule) -> None:
    answers = {"install": Answer(DONE)}
    outcome = run_module("engine", {"state": "latest", "source": ["tuna"]}, answers=answers)
    assert outcome.words == [["install", "--source=tuna", "--version=latest", "--yes"]]


@pytest.mark.parametrize(
    "parameters",
    [
        {"state": "latest", "version": "28.5.1"},
        {"state": "latest", "repo_url": "https://r.example/"},
        {"source": ["tuna"], "repo_url": "https://r.example/"},
    ],
)
def test_options_that_exclude_each_other(run_module: RunModule, parameters: dict[str, Any]) -> None:
    outcome = run_module("engine", parameters, answers={})
    assert outcome.result["failed"] is True
    assert "mutually exclusive" in outcome.result["msg"]
    assert outcome.calls == []
