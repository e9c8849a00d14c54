# SPDX-License-Identifier: LGPL-2.1-or-later
"""Run modules of the collection as on a node, with a stand-in for dockmgrctl."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from controller import collection
from controller.environments import NEWEST, find_environment
from unit.ansible.ansible_answers import Answer, Outcome, RunModule

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_STAND_IN = """\
#!/usr/bin/python3 -IS
import json, pathlib, sys
here = pathlib.Path(__file__).parent
words = sys.argv[1:]
with (here / "calls").open("a") as calls:
    calls.write(json.dumps(words) + "\\n")
file = here / "answers.json"
answers = json.loads(file.read_text())
verb = next(each for each in words if not each.startswith("-"))
key = f"{verb} --dry-run" if "--dry-run" in words else verb
first, *rest = answers[key]
if rest:
    answers[key] = rest
    file.write_text(json.dumps(answers))
sys.stderr.write(first["err"])
sys.stdout.write(first["out"])
sys.exit(first["code"])
"""


@pytest.fixture(scope="session")
def collections_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory that holds the collection's source."""
    path = tmp_path_factory.mktemp("collections")
    collection.copy_source(path)
    return path


@pytest.fixture
def run_module(collections_path: Path, tmp_path: Path) -> RunModule:
    """Return a function that runs a module with its parameters and returns what comes of it."""

    def run(
        name: str,
        parameters: Mapping[str, Any] | None = None,
        *,
        answers: Mapping[str, Answer | Sequence[Answer]] | None = None,
        check: bool = False,
        diff: bool = False,
        core: str = NEWEST,
    ) -> Outcome:
        if answers is not None:
            _write_stand_in(tmp_path, answers)
        modes = {"_ansible_check_mode": check, "_ansible_diff": diff}
        document = {"ANSIBLE_MODULE_ARGS": {**(parameters or {}), **modes}}
        module = f"ansible_collections.dockmgr.docker.plugins.modules.{name}"
        done = subprocess.run(
            [find_environment(core) / "bin" / "python", "-m", module],
            input=json.dumps(document),
            env={
                "PATH": f"{tmp_path}{os.pathsep}{os.defpath}",
                "PYTHONPATH": str(collections_path),
                "LANG": "C.UTF-8",
            },
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.stderr == ""
        calls = tmp_path / "calls"
        lines = calls.read_text().splitlines() if calls.exists() else []
        return Outcome(json.loads(done.stdout), [json.loads(line) for line in lines])

    return run


def _write_stand_in(folder: Path, answers: Mapping[str, Answer | Sequence[Answer]]) -> None:
    program = folder / "dockmgrctl"
    program.write_text(_STAND_IN)
    program.chmod(0o755)
    queues = {
        verb: [each.to_json() for each in ([queue] if isinstance(queue, Answer) else queue)]
        for verb, queue in answers.items()
    }
    (folder / "answers.json").write_text(json.dumps(queues))
