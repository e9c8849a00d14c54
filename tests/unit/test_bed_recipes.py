# SPDX-License-Identifier: LGPL-2.1-or-later
"""Items in the cache of the test hosts are named by the code that builds them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

BED = Path(__file__).parents[1] / "bed"


def _in_functions(tree: ast.Module) -> Iterator[ast.AST]:
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield from ast.walk(node)


def test_a_module_reads_its_text_while_it_is_loaded() -> None:
    """Later the file may be another than the one whose code runs."""
    late = {
        path.name
        for path in BED.glob("*.py")
        for node in _in_functions(ast.parse(path.read_text()))
        if isinstance(node, ast.Name) and node.id in ("__file__", "text_of")
    }
    assert late == set()
    assert "text_of(__file__)" in (BED / "repositories.py").read_text()
