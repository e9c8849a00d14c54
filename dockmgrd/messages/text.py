# SPDX-License-Identifier: LGPL-2.1-or-later
"""Sentences for people: a stable id, an English template, and the arguments that fill it.

The service speaks English. A client translates by the id: it takes its own template for the id and
fills in the arguments. An argument is either a value (a name, a path, a number), which is copied
verbatim, or a Text, which a client translates in turn.
"""

from __future__ import annotations

import string
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Union

Value = Union[str, int, float, bool]
Argument = Union[Value, "Text", Sequence[Union[str, "Text"]]]

_LIST_SEPARATOR = ", "


@dataclass(frozen=True)
class Template:
    """What a sentence is made of. Its id is part of the API: once released, it keeps its meaning.

    The fields of `english` are named, such as {url}. xgettext extracts it as a msgid.
    """

    id: str
    english: str

    def __call__(self, **args: Argument) -> Text:
        """The sentence with its arguments.

        :raises TypeError: when the arguments are not those that the template names.
        """
        if args.keys() != fields_of(self.english):
            wanted = ", ".join(sorted(fields_of(self.english)))
            raise TypeError(f"message {self.id} takes the arguments: {wanted}")
        return Text(self.id, self.english, args)


@dataclass(frozen=True)
class Remedy:
    """The way out of a problem: a sentence, and where one exists the command, ready to paste."""

    text: Text
    command: str = ""


@dataclass(frozen=True)
class Text:
    """One sentence, and optionally a second one that says what to do."""

    id: str
    template: str
    args: Mapping[str, Argument] = field(default_factory=dict)
    remedy: Remedy | None = None

    def __str__(self) -> str:
        """The English text, with the remedy's."""
        return f"{self.sentence} {self.remedy.text}" if self.remedy else self.sentence

    def __bool__(self) -> bool:
        return bool(self.template)

    @property
    def sentence(self) -> str:
        """The English text without the remedy."""
        return fill(self.template, {name: _in_english(each) for name, each in self.args.items()})

    def with_remedy(self, text: Text, command: str = "") -> Text:
        """The same sentence with a way out.

        :param command: can be pasted into a root shell; "" where no command does it.
        """
        return replace(self, remedy=Remedy(text, command))

    def extend(self, template: Template) -> Text:
        """The template with this sentence as its `error`; the way out stays the last sentence."""
        return replace(template(error=replace(self, remedy=None)), remedy=self.remedy)

    def map_values(self, function: Callable[[str], str]) -> Text:
        """The sentence with each string among its values replaced, such as by a redacted one."""
        mapped = {name: _map_argument(each, function) for name, each in self.args.items()}
        remedy = self.remedy and Remedy(
            self.remedy.text.map_values(function), function(self.remedy.command)
        )
        return Text(self.id, function(self.template), mapped, remedy)

    def to_plain(self) -> dict[str, Any]:
        """As a job's result and the bus have it: `id`, `text`, `args` and, if any, `remedy`."""
        plain: dict[str, Any] = {
            "id": self.id,
            "text": str(self),
            "args": {name: _argument_to_plain(each) for name, each in self.args.items()},
        }
        if self.remedy is not None:
            plain["remedy"] = {**self.remedy.text.to_plain(), "command": self.remedy.command}
        return plain


NOTHING = Text("", "")
"""No sentence at all."""


def foreign_text(text: str) -> Text:
    """A sentence that another program wrote, such as dnf. It has no id and is never translated."""
    return Text("", _quote(text))


def from_plain(plain: Mapping[str, Any]) -> Text:
    """The sentence that `Text.to_plain` wrote, with the English text that it had there.

    :raises KeyError, TypeError, ValueError: when the mapping is not what `to_plain` wrote.
    """
    args = {str(name): _argument_from_plain(each) for name, each in plain["args"].items()}
    remedy = plain.get("remedy")
    english = str(plain["text"])
    if remedy is not None:
        english = english[: len(english) - len(str(remedy["text"]))].rstrip()
        text = Text(str(plain["id"]), _quote(english), args)
        return text.with_remedy(from_plain(remedy), str(remedy["command"]))
    return Text(str(plain["id"]), _quote(english), args)


def fields_of(template: str) -> set[str]:
    """Names of the template's fields."""
    return {name for _, name, _, _ in string.Formatter().parse(template) if name}


def fill(template: str, values: Mapping[str, str]) -> str:
    """The template with its fields filled."""
    return template.format_map(values)


def _quote(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")


def _in_english(argument: Argument) -> str:
    if isinstance(argument, (list, tuple)):
        return _LIST_SEPARATOR.join(map(str, argument))
    return str(argument)


def _map_argument(argument: Argument, function: Callable[[str], str]) -> Argument:
    if isinstance(argument, Text):
        return argument.map_values(function)
    if isinstance(argument, str):
        return function(argument)
    if isinstance(argument, (list, tuple)):
        return [
            each.map_values(function) if isinstance(each, Text) else function(each)
            for each in argument
        ]
    return argument


def _argument_to_plain(argument: Argument) -> Any:
    if isinstance(argument, Text):
        return argument.to_plain()
    if isinstance(argument, (list, tuple)):
        if not any(isinstance(each, Text) for each in argument):
            return list(argument)
        # On D-Bus all items of a list have one type.
        return [
            (each if isinstance(each, Text) else foreign_text(each)).to_plain() for each in argument
        ]
    return argument


def _argument_from_plain(plain: Any) -> Argument:
    if isinstance(plain, Mapping):
        return from_plain(plain)
    if isinstance(plain, (list, tuple)):
        return [from_plain(each) if isinstance(each, Mapping) else str(each) for each in plain]
    argument: Value = plain
    return argument
