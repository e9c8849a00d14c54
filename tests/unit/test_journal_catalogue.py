# SPDX-License-Identifier: LGPL-2.1-or-later
"""Every message id has its explanation, in English and in Chinese."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dockmgrd import names

CATALOGUE = Path(__file__).parents[2] / "systemd" / "dockmgrd.catalog"
IDS = {name: value for name, value in vars(names).items() if name.startswith("MESSAGE_")}


@pytest.mark.parametrize("language", ["", " zh_CN"])
def test_every_message_is_explained(language: str) -> None:
    explained = re.findall(rf"^-- ([0-9a-f]{{32}}){language}$", CATALOGUE.read_text(), re.M)
    assert sorted(explained) == sorted(IDS.values())


def test_translations_use_the_same_fields() -> None:
    entries = re.split(r"^-- ", CATALOGUE.read_text(), flags=re.M)[1:]
    fields: dict[str, list[set[str]]] = {}
    for entry in entries:
        fields.setdefault(entry[:32], []).append(set(re.findall(r"@([A-Z_]+)@", entry)))
    assert all(english == chinese for english, chinese in fields.values())
