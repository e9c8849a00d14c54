# SPDX-License-Identifier: LGPL-2.1-or-later
"""The messages in the source: what a person may read, as msgids with {0}, {1} … for values.

Most messages travel over the bus as finished English sentences, and dockmgrctl finds the msgid
that a sentence was made of. So every literal that looks like prose is one, unless it is known to
reach nobody: a new sentence needs no mark, and cannot be forgotten.
"""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from po import exceptions

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "dockmgrd"

_FIELD = re.compile(r"\{[^{}]*\}")
_WORD = re.compile(r"(?<![\w{<=/%.\[-])[A-Za-z][A-Za-z'-]+(?![\w}>=/%(\]])")
_DATA = {
    "sources.yaml": re.compile(r"^ +(?:title|notes): (.+)$", re.M),
    "mirrors.yaml": re.compile(r"^ +notes: (.+)$", re.M),
}


@dataclass
class Message:
    """A msgid, where it is in the source, and the expressions that its fields stand for."""

    msgid: str
    places: list[str] = field(default_factory=list)
    fields: dict[str, str] = field(default_factory=dict)


def collect() -> Mapping[str, Message]:
    """Every message by its msgid, in the order of the source."""
    found: dict[str, Message] = {}
    for message in (*_of_code(), *_of_data(), *_of_others()):
        known = found.setdefault(message.msgid, message)
        known.places += [place for place in message.places if place not in known.places]
    return found


def _of_code() -> Iterator[Message]:
    for path in sorted(PACKAGE.rglob("*.py")):
        place = str(path.relative_to(ROOT))
        if place in exceptions.FILES_THAT_TELL_NOBODY:
            continue
        tree = ast.parse(path.read_text())
        for message in (*_visit(tree, marked=False), *_words_of_tables(tree, place)):
            if message.msgid not in exceptions.NOT_MESSAGES:
                message.places.append(place)
                yield message


def _of_data() -> Iterator[Message]:
    for name, text in _DATA.items():
        path = PACKAGE / "catalog" / name
        for match in text.finditer(path.read_text()):
            yield Message(match[1], [str(path.relative_to(ROOT))])


def _of_others() -> Iterator[Message]:
    reasons = map(os.strerror, exceptions.ERRNOS)
    for msgid in (*exceptions.GLUE, *exceptions.WORDS, *exceptions.OF_OTHERS, *reasons):
        yield Message(msgid, ["po/exceptions.py"])


def _visit(node: ast.AST, *, marked: bool) -> Iterator[Message]:
    """The messages below the node; with `marked`, a literal is one whatever it looks like."""
    if isinstance(node, (ast.JoinedStr, ast.Constant)):
        message = _message(node)
        if message is not None and message.msgid and (marked or _is_prose(message.msgid)):
            yield message
    if isinstance(node, ast.JoinedStr):
        for part in node.values:
            if isinstance(part, ast.FormattedValue):
                yield from _visit(part.value, marked=False)
        return
    if isinstance(node, ast.Assert) or (
        isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    ):
        return  # a docstring
    if isinstance(node, ast.Call):
        called = ast.unparse(node.func)
        if called.endswith(exceptions.CALLS_THAT_TELL_NOBODY):
            return
        marked = called in exceptions.MARKS
    for child in ast.iter_child_nodes(node):
        yield from _visit(child, marked=_is_marked(node, child, marked))


def _is_marked(parent: ast.AST, child: ast.AST, marked: bool) -> bool:  # noqa: FBT001
    """Whether a literal there is a word for people, though it is one word."""
    if isinstance(parent, ast.BoolOp) and isinstance(parent.op, ast.Or):
        return isinstance(child, ast.Constant) and _is_word(child.value)
    return marked and isinstance(parent, (ast.Call, ast.IfExp, ast.Tuple))


def _is_word(value: object) -> bool:
    return isinstance(value, str) and re.fullmatch(r"[A-Za-z]{3,}( [a-z]+)*", value) is not None


def _words_of_tables(tree: ast.Module, place: str) -> Iterator[Message]:
    """The values of those enums and tables that people see."""
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and f"{place}:{node.name}" in exceptions.TABLES:
            for each in node.body:
                if isinstance(each, ast.Assign):
                    yield from _values(each.value)
        elif isinstance(node, (ast.Assign, ast.AnnAssign)) and node.value is not None:
            target = node.targets[0] if isinstance(node, ast.Assign) else node.target
            if f"{place}:{ast.unparse(target)}" in exceptions.TABLES:
                yield from _values(node.value)


def _values(node: ast.expr) -> Iterator[Message]:
    """The texts in a table: of pairs, those at the right."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value:
        yield Message(node.value)
    elif isinstance(node, ast.Dict):
        for each in node.values:
            yield from _values(each)
    elif isinstance(node, ast.Tuple):
        pairs = all(isinstance(each, ast.Tuple) for each in node.elts)
        for each in node.elts:
            yield from _values(each.elts[-1] if pairs and isinstance(each, ast.Tuple) else each)


def _message(node: ast.JoinedStr | ast.Constant) -> Message | None:
    if isinstance(node, ast.Constant):
        return Message(node.value.rstrip("\n")) if isinstance(node.value, str) else None
    text = ""
    fields: dict[str, str] = {}
    for part in node.values:
        if isinstance(part, ast.Constant):
            text += str(part.value).replace("{", "{{").replace("}", "}}")
        elif isinstance(part, ast.FormattedValue) and (
            not text.endswith("}") or text.endswith("}}")
        ):  # two fields side by side are one
            source = ast.unparse(part.value)
            number = next((key for key, value in fields.items() if value == source), None)
            if number is None:
                number = str(len(fields))
                fields[number] = source
            text += f"{{{number}}}"
    return Message(text.rstrip("\n"), [], fields)


def _is_prose(msgid: str) -> bool:
    """Whether people may read this: it has two words of a language, or a word and a value."""
    if exceptions.NOT_FOR_PEOPLE.search(msgid) or "\n" in msgid:
        return False
    words = len(_WORD.findall(_FIELD.sub(" {} ", msgid).replace("''", "")))
    beside_value = re.search(r"[a-z] \{|\} \(?[a-z]", msgid)
    return " " in msgid.strip() and (words > 1 or (words == 1 and beside_value is not None))
