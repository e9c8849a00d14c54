# SPDX-License-Identifier: LGPL-2.1-or-later
"""A catalogue of translations, and how the message is found that a finished sentence was made of.

An error has but a name and a sentence on the bus. The msgids of the catalogue hold {0}, {1} … for
the values, so a sentence is recognised by what stands between them; its values are often messages
again. A sentence of ours that somebody else can write into, say by the name of a mirror, is at
worst translated in part: every character of the values is kept.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_MAGIC = 0x950412DE
_DEEPEST = 5
"""Messages within messages within … that are looked for."""
_MOST_PARTS = 24
_LONGEST = 10_000
"""Characters of a sentence that is looked at: who has it written shall keep nobody waiting."""
_SHORT = 8
"""With no more characters of its own, a message would be found in sentences of all kinds."""


@dataclass(frozen=True)
class Template:
    """A message with fields: the texts before, between and behind them, and which they are."""

    msgid: str
    texts: tuple[str, ...]
    fields: tuple[str, ...]

    @classmethod
    def of(cls, msgid: str) -> Template | None:
        """None when the message has no numbered field, or no word of its own."""
        texts, fields = [""], []
        rest = msgid
        while rest:
            brace = min((at for at in map(rest.find, "{}") if at >= 0), default=len(rest))
            texts[-1] += rest[:brace]
            rest = rest[brace:]
            if rest[:2] in ("{{", "}}"):
                texts[-1] += rest[0]
                rest = rest[2:]
            elif rest:
                field, _, rest = rest[1:].partition("}")
                fields.append(field)
                texts.append("")
        words = any(map(str.isalpha, "".join(texts)))
        if not words or not fields or not all(map(str.isdigit, fields)):
            return None
        return cls(msgid, tuple(texts), tuple(fields))

    @property
    def weight(self) -> int:
        """How much of a sentence it explains."""
        return sum(map(len, self.texts))

    @property
    def opening(self) -> str:
        """The word that a sentence of it begins with; "" when that may be any."""
        word, space, _ = self.texts[0].partition(" ")
        return word if space else ""

    def values(self, sentence: str) -> list[str] | None:
        """What stands in the fields, by their number; None when the sentence is none of it."""
        if len(sentence) < self.weight or not sentence.startswith(self.texts[0]):
            return None
        found: dict[str, str] = {}
        position, index = len(self.texts[0]), 0
        while index < len(self.fields):
            field, index = self.fields[index], index + 1
            behind = self.texts[index]
            # What a field holds that was met before is as good as text.
            while index < len(self.fields) and self.fields[index] in found:
                behind += found[self.fields[index]] + self.texts[index + 1]
                index += 1
            last = index == len(self.fields)
            at = sentence.find(behind, position)
            if last:
                at = len(sentence) - len(behind) if sentence.endswith(behind) else -1
            if at < position:
                return None
            found[field] = sentence[position:at]
            position = at + len(behind)
        values = [found[str(number)] for number in range(len(found))]
        return values if self.weight > _SHORT or all(map(_is_bare, values)) else None


def _is_bare(value: str) -> bool:
    return " " not in value.replace(", ", "")


@dataclass(frozen=True)
class Catalogue:
    """The translations into one language."""

    translations: Mapping[str, str]
    _by_opening: Mapping[str, Sequence[Template]]

    @classmethod
    def of(cls, translations: Mapping[str, str]) -> Catalogue:
        templates = filter(None, map(Template.of, translations))
        by_opening: dict[str, list[Template]] = {}
        for template in sorted(templates, key=lambda each: each.weight, reverse=True):
            by_opening.setdefault(template.opening, []).append(template)
        return cls(translations, by_opening)

    @classmethod
    def read(cls, path: str | Path) -> Catalogue:
        """What a file holds that msgfmt has made; nothing when it is damaged."""
        try:
            return cls.of(dict(_pairs(Path(path).read_bytes())))
        except (OSError, ValueError, struct.error):
            return cls.of({})

    def text(self, msgid: str) -> str:
        return self.translations.get(msgid, msgid)

    def told(self, sentence: str) -> str:
        """The translation of the message, or of those that stand in a row; else what was given."""
        return self._value(sentence, _DEEPEST) if len(sentence) <= _LONGEST else sentence

    def _value(self, text: str, depth: int) -> str:
        return (
            self._sentence(text, depth)
            or self._row(text, depth, whole=True)
            or self._named(text, depth)
            or self._row(text, depth, whole=False)
            or text
        )

    def _sentence(self, text: str, depth: int) -> str | None:
        """A message, or what becomes of one when it is put into another."""
        if depth == 0 or not text:
            return None
        found = self._message(text, depth)
        if found is None and not text.endswith("."):
            found = self._message(text + ".", depth)
            found = found and found.rstrip(".。")
        if found is None and text[0].isupper():
            found = self._message(text[0].lower() + text[1:], depth)
        return found

    def _message(self, text: str, depth: int) -> str | None:
        exact = self.translations.get(text)
        if exact is not None:
            return exact
        opening = text.partition(" ")[0]
        candidates = (*self._by_opening.get(opening, ()), *self._by_opening.get("", ()))
        for template in sorted(candidates, key=lambda each: each.weight, reverse=True):
            values = template.values(text)
            if values is not None:
                translated = (self._value(value, depth - 1) for value in values)
                return self.translations[template.msgid].format(*translated)
        return None

    def _named(self, text: str, depth: int) -> str | None:
        """A message behind the name of what it is about, or in brackets behind that."""
        name, separator, rest = text.partition(": ")
        form = "{0}: {1}"
        if text.endswith(")") and (not separator or " " in name):
            name, separator, rest = text[:-1].partition(" (")
            form = "{0} ({1})"
        if depth == 0 or not separator or " " in name or rest.find(")") < rest.find("("):
            return None
        found = self._message(rest, depth) or self._message(rest + ".", depth)
        return found and self.text(form).format(name, found.rstrip("。"))

    def _row(self, text: str, depth: int, *, whole: bool) -> str | None:
        """Several messages; what is none among them stays, or with `whole` must not be there."""
        for separator in ("; ", ", "):
            parts = text.split(separator)
            if not 1 < len(parts) <= _MOST_PARTS or depth == 0:
                continue
            runs = list(self._runs(parts, separator, depth - 1))
            if all(known for _, known in runs) if whole else any(known for _, known in runs):
                return self.text(separator).join(text for text, _ in runs)
        return None

    def _runs(self, parts: Sequence[str], separator: str, depth: int) -> Iterator[tuple[str, bool]]:
        """What the parts make up, and whether it is a message: one may have separators in it."""
        start = 0
        while start < len(parts):
            for end in range(start + 1, len(parts) + 1):
                run = separator.join(parts[start:end])
                found = self._sentence(run, depth) or self._named(run, depth)
                if found is not None:
                    yield found, True
                    start = end
                    break
            else:
                yield parts[start], False
                start += 1


def _pairs(data: bytes) -> Iterator[tuple[str, str]]:
    """The texts of a file of GNU gettext, each with its translation."""
    order = "<" if struct.unpack_from("<I", data)[0] == _MAGIC else ">"
    magic, _, count, originals, translations = struct.unpack_from(f"{order}5I", data)
    if magic != _MAGIC:
        raise ValueError("no catalogue of translations")

    def text(table: int, index: int) -> str:
        length, start = struct.unpack_from(f"{order}2I", data, table + 8 * index)
        return data[start : start + length].decode("utf-8")

    for index in range(count):
        original = text(originals, index)
        if original:  # what stands for "" is about the file
            yield original, text(translations, index)
