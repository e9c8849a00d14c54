# SPDX-License-Identifier: LGPL-2.1-or-later
"""The tests that docs/security.md names exist, and its table is complete."""

from __future__ import annotations

import ast
import re
from pathlib import Path

TESTS = Path(__file__).parents[1]
CHAPTER = Path(__file__).parents[2] / "docs" / "security.md"
ATTACKS = TESTS / "integration" / "test_attacks.py"
LESSONS = 24


def _lessons() -> dict[int, str]:
    """What the table says of each finding elsewhere: how it is here."""
    rows = re.findall(r"^\| (\d+) \| .+? \| (.+) \|$", CHAPTER.read_text(), re.M)
    return {int(number): here for number, here in rows}


def _tests() -> set[str]:
    """Names of all test functions and of the files that hold them."""
    files = [*TESTS.glob("unit/**/test_*.py"), *TESTS.glob("integration/test_*.py")]
    functions = {
        node.name
        for path in files
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
    }
    return functions | {path.name for path in files}


def test_every_lesson_has_its_row() -> None:
    assert list(_lessons()) == list(range(1, LESSONS + 1))
    assert all(_lessons().values())


def test_the_tests_that_are_named_exist() -> None:
    named = set(re.findall(r"`(?:tests/\w+/)?(test_\w+(?:\.py)?)`", CHAPTER.read_text()))
    assert len(named) > 10
    assert named - _tests() == set()


def test_the_attacks_that_are_named_are_made() -> None:
    made = ATTACKS.read_text()
    named = {label for here in _lessons().values() for label in re.findall('"([^"]+)"', here)}
    assert len(named) > 5
    assert {label for label in named if f'"{label}"' not in made} == set()
