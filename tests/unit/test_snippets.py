# SPDX-License-Identifier: LGPL-2.1-or-later
"""Programs that tests and benchmarks run on hosts import only what dockmgrd has."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
IMPORT = re.compile(r"^from dockmgrd\S* import ", re.MULTILINE)


def programs() -> Iterator[tuple[str, ast.Module]]:
    """Texts in modules that are programs which import from our package."""
    for folder in ("bench", "tests"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            for line, text in texts_of(ast.parse(path.read_text())):
                if IMPORT.search(text):
                    yield f"{path.relative_to(ROOT)}:{line}", ast.parse(text)


def texts_of(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Line and text of every string; the fields of an f-string are read as zeros."""
    parts = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            parts |= {id(each) for each in node.values}
            text = "".join(
                str(each.value) if isinstance(each, ast.Constant) else "0" for each in node.values
            )
            yield node.lineno, text
        elif isinstance(node, ast.Constant) and id(node) not in parts:
            yield node.lineno, str(node.value)


PROGRAMS = dict(programs())


@pytest.mark.parametrize("place", PROGRAMS)
def test_imported_modules_are_installed(place: str) -> None:
    for node in ast.walk(PROGRAMS[place]):
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith("dockmgrd"):
            module = importlib.import_module(str(node.module))
            missing = [
                each.name
                for each in node.names
                if not hasattr(module, each.name)
                and importlib.util.find_spec(f"{node.module}.{each.name}") is None
            ]
            assert missing == []
