# SPDX-License-Identifier: LGPL-2.1-or-later
"""Messages: their ids, the arguments at each call, and their encoding on the bus."""

from __future__ import annotations

import ast
import importlib
import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from dockmgrd.bus.variants import to_plain, to_variants
from dockmgrd.errors import Busy, redact
from dockmgrd.messages import catalog
from dockmgrd.messages.text import Template, Text, fields_of, foreign_text, from_plain

PACKAGE = Path(__file__).parents[2] / "dockmgrd"
FOLDER = PACKAGE / "messages"
HELLO = Template("hello", "{name} says {what} to {others}.")
WORLD = Template("world", "hello")
WAY_OUT = Template("way-out", "Run it for {name}.")


def _modules() -> Iterator[ModuleType]:
    for path in sorted(FOLDER.glob("*.py")):
        if path.stem not in ("__init__", "text", "catalog"):
            yield importlib.import_module(f"dockmgrd.messages.{path.stem}")


def _templates() -> list[Template]:
    return [
        each
        for module in _modules()
        for value in vars(module).values()
        for each in (value.values() if isinstance(value, dict) else [value])
        if isinstance(each, Template)
    ]


def test_ids_are_unique_and_known_to_clients() -> None:
    templates = _templates()
    counts = Counter(each.id for each in templates)
    assert [name for name, count in counts.items() if count > 1] == []
    assert catalog.load().keys() == counts.keys()
    assert [name for name in counts if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name)] == []


def test_fields_have_names() -> None:
    for template in _templates():
        fields = fields_of(template.english)
        assert all(re.fullmatch(r"[a-z][a-z_]*", name) for name in fields), template


def _calls() -> Iterator[tuple[str, Template, set[str]]]:
    """Where a template is called, and with which arguments."""
    for path in sorted(PACKAGE.rglob("*.py")):
        tree = ast.parse(path.read_text())
        aliases, names = _imported_names(tree)
        for node in ast.walk(tree):
            template = _called_template(node, aliases, names)
            if template is not None and isinstance(node, ast.Call):
                place = f"{path.relative_to(PACKAGE)}:{node.lineno}"
                assert not node.args, f"{place}: arguments have names"
                if all(each.arg for each in node.keywords):  # not **mapping
                    yield place, template, {str(each.arg) for each in node.keywords}


def _imported_names(tree: ast.Module) -> tuple[dict[str, ModuleType], dict[str, Template]]:
    """The modules of messages and the templates that a module imports, by their names there."""
    by_module = {module.__name__: module for module in _modules()}
    aliases: dict[str, ModuleType] = {}
    names: dict[str, Template] = {}
    imports = [each for each in ast.walk(tree) if isinstance(each, ast.ImportFrom) and each.module]
    for node in imports:
        for alias in node.names:
            bound = alias.asname or alias.name
            full = f"{node.module}.{alias.name}"
            value = getattr(by_module.get(str(node.module)), alias.name, None)
            if full in by_module:
                aliases[bound] = by_module[full]
            elif isinstance(value, Template):
                names[bound] = value
    return aliases, names


def _called_template(
    node: ast.AST, aliases: dict[str, ModuleType], names: dict[str, Template]
) -> Template | None:
    if not isinstance(node, ast.Call):
        return None
    function = node.func
    if isinstance(function, ast.Name):
        return names.get(function.id)
    if isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name):
        value = getattr(aliases.get(function.value.id), function.attr, None)
        return value if isinstance(value, Template) else None
    return None


def test_every_call_gives_the_arguments_of_its_template() -> None:
    calls = list(_calls())
    assert len(calls) > 100
    wrong = [
        f"{place}: {template.id} takes {sorted(fields_of(template.english))}"
        for place, template, given in calls
        if given != fields_of(template.english)
    ]
    assert wrong == []


def make_text() -> Text:
    text = HELLO(name="{ann}", what=WORLD(), others=["bob", WORLD(), "https://u:p@host/"])
    return text.with_remedy(WAY_OUT(name="é"), "run it")


def test_a_message_travels_over_json_and_the_bus() -> None:
    text = make_text()
    english = "{ann} says hello to bob, hello, https://u:p@host/. Run it for é."
    assert str(text) == english
    plain = text.to_plain()
    assert plain["text"] == english
    assert plain["remedy"]["command"] == "run it"
    for travelled in (json.loads(json.dumps(plain)), to_plain(to_variants(plain))):
        back = from_plain(travelled)
        assert str(back) == english
        assert back.to_plain() == plain


def test_values_can_be_redacted_wherever_they_are() -> None:
    text = make_text().map_values(redact)
    assert "u:p" not in json.dumps(text.to_plain())
    assert "u:p" not in str(text)


def test_a_foreign_sentence_stays_verbatim() -> None:
    text = foreign_text("100 % of {this} is {}")
    assert str(text) == "100 % of {this} is {}"
    assert str(from_plain(text.to_plain())) == str(text)
    assert Busy(text).message == str(text)


@pytest.mark.parametrize("args", [{}, {"name": "x"}, {"name": "x", "more": "y"}])
def test_wrong_arguments_are_a_fault_of_the_program(args: dict[str, str]) -> None:
    if args.keys() == {"name"}:
        assert str(WAY_OUT(name="x")) == "Run it for x."
    else:
        with pytest.raises(TypeError, match="way-out takes"):
            WAY_OUT(**args)
