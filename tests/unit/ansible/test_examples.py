# SPDX-License-Identifier: LGPL-2.1-or-later
"""Plays and tasks in documents are valid, and all their parameters exist."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from controller.environments import NEWEST, ROOT, find_environment, run_checked
from integration.documents import blocks

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PREFIX = "dockmgr.docker."
DOCUMENTS = (
    "README.md",
    "README.zh_CN.md",
    "docs/fleet.md",
    "ansible/README.md",
    "ansible/roles/engine/README.md",
)
MODULES = sorted(path.stem for path in (ROOT / "ansible/plugins/modules").glob("*.py"))
SPECS = ROOT / "ansible/roles/engine/meta/argument_specs.yml"
PLAY_VARIABLES = frozenset(("engine_result", "engine_packages_result"))


def read_examples(name: str) -> list[Any]:
    """Return the tasks in the EXAMPLES of a module."""
    text = (ROOT / f"ansible/plugins/modules/{name}.py").read_text()
    [found] = re.findall(r'^EXAMPLES = r"""\n(.*?)"""', text, re.M | re.S)
    examples: list[Any] = yaml.safe_load(found)
    return examples


def read_documents() -> list[tuple[str, Any]]:
    """Return each YAML block of the documents with its place."""
    return [
        (f"{name}: {block.first_line}", yaml.safe_load(block.text))
        for name in DOCUMENTS
        for block in blocks(name)
        if block.language == "yaml"
    ]


BLOCKS = [*read_documents(), *((name, read_examples(name)) for name in MODULES)]
IDS = [place for place, _ in BLOCKS]


def find_tasks(value: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the name and the parameters of each task of ours, however deep."""
    for each in value if isinstance(value, list) else [value]:
        for key, inner in each.items() if isinstance(each, dict) else ():
            if key.startswith(PREFIX):
                yield key[len(PREFIX) :], inner or {}
            elif isinstance(inner, list):
                yield from find_tasks(inner)


def read_parameters(module: str) -> set[str]:
    text = (ROOT / f"ansible/plugins/modules/{module}.py").read_text()
    return set(re.findall(r'^            "(\w+)": \{"type": ', text, re.M))


@pytest.mark.parametrize(("place", "document"), BLOCKS, ids=IDS)
def test_parameters_exist(place: str, document: Any) -> None:
    for module, parameters in find_tasks(document):
        assert module in MODULES, place
        assert parameters.keys() <= read_parameters(module), place


def test_variables_of_the_role_exist() -> None:
    known = yaml.safe_load(SPECS.read_text())["argument_specs"]["main"]["options"].keys()
    folder = ROOT / "ansible"
    files = [*(ROOT / name for name in DOCUMENTS), *folder.glob("playbooks/*.yml")]
    files += folder.glob("roles/engine/*/*.yml")
    named = {
        name for path in files for name in re.findall(r"(?<![\w./])engine_\w+", path.read_text())
    }
    assert named - PLAY_VARIABLES - set(MODULES) <= known
    tasks = "".join(path.read_text() for path in folder.glob("roles/engine/tasks/*.yml"))
    assert not [name for name in known if name not in tasks], "a variable does nothing"
    engine = read_parameters("engine")
    assert {f"engine_{name}" for name in engine} <= known


def test_ansible_understands_them(collections_path: Path, tmp_path: Path) -> None:
    playbooks = []
    for number, (place, document) in enumerate(BLOCKS):
        if not isinstance(document, list):
            continue  # variables, or an inventory
        plays = document
        if "hosts" not in document[0]:
            plays = [{"name": place, "hosts": "all", "tasks": document}]
        playbook = tmp_path / f"{number}.yml"
        playbook.write_text(yaml.safe_dump(plays))
        playbooks.append(playbook)
    assert playbooks
    command = find_environment(NEWEST) / "bin" / "ansible-playbook"
    env = {"ANSIBLE_COLLECTIONS_PATH": str(collections_path), "ANSIBLE_HOME": str(tmp_path)}
    run_checked(command, "--syntax-check", "-i", "localhost,", *playbooks, cwd=tmp_path, env=env)
