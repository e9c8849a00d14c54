# SPDX-License-Identifier: LGPL-2.1-or-later
"""What fills org.dockmgr1.5.rst.in, from the interface files and the comments in them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree

from dockmgrd import names
from dockmgrd.cli.commands.exitcodes import list_exit_codes
from dockmgrd.errors import DockmgrError
from dockmgrd.messages import catalog
from man import rst

_FOLDER = Path(__file__).parents[1] / "dbus"
_INTERFACES = (names.MANAGER_INTERFACE, names.JOB_INTERFACE)
_EMITS = "org.freedesktop.DBus.Property.EmitsChangedSignal"


class Undocumented(Exception):
    """A member of an interface has no comment in front of it."""


@dataclass(frozen=True)
class Comment:
    """What a comment says: `about` by the name of each argument, and text in paragraphs."""

    name: str
    about: Mapping[str, str] = field(default_factory=dict)
    paragraphs: tuple[str, ...] = ()

    @classmethod
    def read(cls, text: str) -> Comment:
        """The comment, written as in GTK: `Name:`, lines `@argument: …`, an empty line, text."""
        name, _, rest = text.strip().partition(":")
        head, *paragraphs = re.split(r"\n\s*\n", rest)
        first, *arguments = re.split(r"^\s*@", head, flags=re.M)
        about = dict(each.split(":", 1) for each in arguments)
        said = [" ".join(each.split()) for each in (first, *paragraphs)]
        return cls(
            name.strip(),
            {key: " ".join(value.split()) for key, value in about.items()},
            tuple(filter(None, said)),
        )


def texts() -> dict[str, str]:
    """Return the text for each place.

    :raises Undocumented: naming what is without a comment.
    """
    return {
        "INTERFACES": rst.join(block for name in _INTERFACES for block in _list_interface(name)),
        "ERRORS": rst.join(_list_errors()),
        "MESSAGE_IDS": rst.join(_list_messages()),
    }


def _list_interface(name: str) -> Iterator[str]:
    parser = ElementTree.XMLParser(target=ElementTree.TreeBuilder(insert_comments=True))
    root = ElementTree.parse(_FOLDER / f"{name}.xml", parser).getroot()
    comment, element = next(_find_documented(root))
    yield rst.heading(f"{name.rpartition('.')[2].upper()} INTERFACE", "=")
    yield f"{rst.bold(name)}: {rst.sentence(comment.about['short_description'])}"
    yield from map(rst.escape, comment.paragraphs)
    members = list(_find_documented(element))
    for tag, title in (("method", "Methods"), ("property", "Properties"), ("signal", "Signals")):
        described = [_format_member(*each) for each in members if each[1].tag == tag]
        if described:
            yield rst.heading(title, "-")
            yield from described


def _find_documented(
    parent: ElementTree.Element,
) -> Iterator[tuple[Comment, ElementTree.Element]]:
    """Yield the elements of `parent`, each with the comment before it."""
    comment = Comment("")
    for child in parent:
        if callable(child.tag):  # as that of a comment is
            comment = Comment.read(child.text or "")
        else:
            if child.tag != "annotation" and comment.name != child.attrib["name"]:
                raise Undocumented(f"{parent.attrib.get('name', '')}: {child.attrib['name']}")
            if child.tag != "annotation":
                yield comment, child


def _format_member(comment: Comment, member: ElementTree.Element) -> str:
    name = rst.bold(member.attrib["name"])
    if member.tag == "property":
        constant = any(
            each.attrib == {"name": _EMITS, "value": "const"} for each in member.iter("annotation")
        )
        kind = member.attrib["type"] + (", constant" if constant else "")
        term = f"{name} ({rst.escape(kind)})"
    else:
        arguments = list(member.iter("arg"))
        taken = [each for each in arguments if each.attrib.get("direction", "in") == "in"]
        returned = [each for each in arguments if each not in taken]
        term = f"{name}({', '.join(map(_format_argument, taken))})"
        if returned:
            term += f" → {', '.join(map(_format_argument, returned))}"
    about = [
        rst.definition(rst.italic(key), rst.escape(text)) for key, text in comment.about.items()
    ]
    return rst.definition(term, *map(rst.escape, comment.paragraphs), *about)


def _format_argument(element: ElementTree.Element) -> str:
    return f"{rst.escape(element.attrib['type'])} {rst.italic(element.attrib['name'])}"


def _list_errors() -> Iterator[str]:
    full = {
        error.dbus_name.rpartition(".")[2]: error.dbus_name
        for error in DockmgrError.__subclasses__()
    }
    for code in list_exit_codes():
        if code.name:
            yield rst.definition(rst.bold(full[code.name]), rst.sentence(code.meaning))


def _list_messages() -> Iterator[str]:
    for name, template in sorted(catalog.load().items()):
        yield rst.definition(rst.bold(name), rst.escape(template.english))
