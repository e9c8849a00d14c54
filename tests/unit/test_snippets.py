# SPDX-License-Identifier: LGPL-2.1-or-later
"""Programs that tests and benchmarks run on a host find in our package what they import."""

from __future__ import annotations

import ast
import importlib
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
            for node in ast.walk(ast.parse(path.read_text())):
                text = node.value if isinstance(node, ast.Constant) else None
                if isinstance(text, str) and IMPORT.search(text):
                    place = f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 0)}"
                    yield place, ast.parse(text)


PROGRAMS = dict(programs())


@pytest.mark.parametrize("place", PROGRAMS)
def test_what_a_program_imports_is_there(place: str) -> None:
    for node in ast.walk(PROGRAMS[place]):
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith("dockmgrd"):
            module = importlib.import_module(str(node.module))
            missing = [each.name for each in node.names if not hasattr(module, each.name)]
            assert missing == []
