# SPDX-License-Identifier: LGPL-2.1-or-later
"""The modules for registry mirrors, and the read-only modules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from controller.environments import NEWEST, OLDEST
from unit.ansible.ansible_answers import Answer, fail

if TYPE_CHECKING:
    from unit.ansible.ansible_answers import RunModule

ONE, TWO = "https://mirror.example", "https://second.example"
SET = {"changed": True, "mirrors": [f"{ONE}/"], "active": True, "notes": []}


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"mirrors": [ONE, TWO]}, ["set-mirror", "--", ONE, TWO]),
        ({"mirrors": []}, ["set-mirror", "--clear"]),
        ({"mirrors": [ONE], "mode": "append"}, ["set-mirror", "--append", "--", ONE]),
        (
            {"mirrors": [ONE], "mode": "remove", "verify": True},
            ["set-mirror", "--verify", "--remove", "--", ONE],
        ),
        ({"mirrors": [], "mode": "append"}, ["status"]),
        ({"mirrors": [], "mode": "append", "registry": "ghcr.io"}, ["status"]),
        ({"mirrors": [ONE], "registry": "docker.io"}, ["set-mirror", "--", ONE]),
        (
            {"mirrors": [ONE], "registry": "ghcr.io", "allow_unused": True},
            ["set-mirror", "--allow-unused", "--registry=ghcr.io", "--", ONE],
        ),
        (
            {"mirrors": [], "registry": "ghcr.io"},
            ["set-mirror", "--registry=ghcr.io", "--clear"],
        ),
    ],
)
def test_command_line_of_mirrors(
    run_module: RunModule, parameters: dict[str, Any], words: list[str]
) -> None:
    status = {
        "mirrors-configured": [ONE],
        "registries": [{"registry": "ghcr.io", "mirrors": [TWO], "managed": True}],
    }
    answers = {"set-mirror": Answer(SET), "status": Answer(status)}
    outcome = run_module("registry_mirrors", parameters, answers=answers)
    assert outcome.words == [words]
    assert outcome.result["changed"] is (words[0] == "set-mirror")
    assert outcome.result["mirrors"]


@pytest.mark.parametrize("core", [OLDEST, NEWEST])
def test_check_and_diff_of_mirrors(run_module: RunModule, core: str) -> None:
    plan = {**SET, "diff": "--- a\n+++ b\n", "actions": ["reload docker.service"]}
    answers = {"set-mirror --dry-run": Answer(plan), "set-mirror": Answer(SET)}
    parameters = {"mirrors": [ONE]}
    outcome = run_module("registry_mirrors", parameters, answers=answers, check=True, diff=True)
    assert outcome.words == [["set-mirror", "--dry-run", "--", ONE]]
    shown = {"prepared": "reload docker.service\n--- a\n+++ b\n"}
    assert outcome.result["diff"] == shown
    real = run_module("registry_mirrors", parameters, answers=answers, diff=True, core=core)
    assert real.words[-1] == ["set-mirror", "--", ONE]
    assert real.result["diff"] == shown


def test_mirrors_wait_for_another_job(run_module: RunModule) -> None:
    answers: dict[str, Answer | list[Answer]] = {
        "set-mirror": [fail("Busy", 10), Answer(SET)],
        "status": Answer({"active-job": "/org/dockmgr1/job/other"}),
        "follow": Answer({}),
    }
    outcome = run_module("registry_mirrors", {"mirrors": [ONE]}, answers=answers)
    assert ["--quiet", "follow", "other"] in outcome.words
    assert outcome.result["changed"] is True


def test_refusal_of_mirrors_fails_check_mode(run_module: RunModule) -> None:
    refusal = {"name": "org.dockmgr1.Error.ConfigInvalid", "text": "The file is not valid."}
    answers = {"set-mirror --dry-run": Answer({**SET, "refusal": refusal})}
    result = run_module("registry_mirrors", {"mirrors": [ONE]}, answers=answers, check=True).result
    assert (result["failed"], result["error"], result["rc"]) == (True, "ConfigInvalid", 18)


def test_mirrors_that_the_engine_rejects(run_module: RunModule) -> None:
    answers = {"set-mirror": fail("RolledBack", 22, "It was undone.")}
    result = run_module("registry_mirrors", {"mirrors": [ONE]}, answers=answers).result
    assert (result["failed"], result["error"], result["rc"]) == (True, "RolledBack", 22)


@pytest.mark.parametrize("core", [OLDEST, NEWEST])
def test_engine_info(run_module: RunModule, core: str) -> None:
    answers = {
        "status": Answer(
            {
                "engine-version": "28.5.1",
                "packages": {"docker-ce": "28"},
                "problems": [
                    {"id": "a", "text": "One.", "args": {}},
                    {"id": "b", "text": "Two.", "args": {}, "remedy": {"id": "c", "command": "x"}},
                ],
            }
        ),
        "can": Answer({"set-mirror": "yes"}),
    }
    result = run_module("engine_info", answers=answers, core=core).result
    assert result["engine"] == {
        "engine_version": "28.5.1",
        "packages": {"docker-ce": "28"},
        "problems": [{"text": "One.", "remedy": ""}, {"text": "Two.", "remedy": "x"}],
    }
    assert result["permissions"] == {"set_mirror": "yes"}
    assert result["changed"] is False


def test_engine_version_info(run_module: RunModule) -> None:
    rows = [{"version": "28.5.1", "release": "1.el9"}]
    answers = {"versions": Answer({"changed": True, "source": "tuna", "versions": rows})}
    parameters = {"source": ["aliyun", "tuna"], "channel": "test", "platform": "rhel/9"}
    outcome = run_module("engine_version_info", parameters, answers=answers)
    options = ["--source=aliyun,tuna", "--channel=test", "--platform=rhel/9"]
    assert outcome.words == [["versions", *options]]
    assert outcome.result["versions"] == rows
    assert (outcome.result["source"], outcome.result["changed"]) == ("tuna", False)


@pytest.mark.parametrize(
    ("probed", "code", "best"),
    [
        ([{"mirror": TWO, "verdict": "ok"}, {"mirror": ONE, "verdict": "refused"}], 0, TWO),
        ([{"mirror": ONE, "verdict": "refused"}], 20, ""),
        ([], 20, ""),
    ],
)
def test_registry_mirror_info(
    run_module: RunModule, probed: list[dict[str, str]], code: int, best: str
) -> None:
    answer = Answer({"probed": probed}, code, "None of the mirrors works.\n")
    parameters = {"mirrors": [ONE, TWO], "timeout": 5}
    outcome = run_module("registry_mirror_info", parameters, answers={"probe": answer})
    assert outcome.words == [["probe", "--timeout=5", "--", ONE, TWO]]
    assert outcome.result["mirrors"] == probed
    assert outcome.result["best"] == best
    parameters = {"mirrors": [ONE], "registry": "ghcr.io"}
    other = run_module("registry_mirror_info", parameters, answers={"probe": answer})
    assert other.words[-1] == ["probe", "--registry=ghcr.io", "--", ONE]
    assert "failed" not in outcome.result


@pytest.mark.parametrize(
    ("name", "empty"),
    [
        ("engine_info", {"engine": {}, "permissions": {}}),
        ("engine_version_info", {"versions": [], "source": ""}),
        ("registry_mirror_info", {"mirrors": [], "best": ""}),
    ],
)
def test_readers_on_a_node_without_dockmgrctl(
    run_module: RunModule, name: str, empty: dict[str, Any]
) -> None:
    outcome = run_module(name, check=True)
    assert outcome.result.items() >= {**empty, "changed": False}.items()
    assert "dockmgrctl is not installed" in outcome.warnings[0]
    assert run_module(name).result["failed"] is True


@pytest.mark.parametrize(
    ("name", "verb"),
    [
        ("engine_info", "status"),
        ("engine_version_info", "versions"),
        ("registry_mirror_info", "probe"),
    ],
)
def test_readers_fail_with_the_error(run_module: RunModule, name: str, verb: str) -> None:
    result = run_module(name, answers={verb: fail("ServiceUnknown", 6, "It is gone.")}).result
    assert (result["failed"], result["error"], result["rc"]) == (True, "ServiceUnknown", 6)
    assert result["msg"] == "It is gone."
