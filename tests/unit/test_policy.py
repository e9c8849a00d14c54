# SPDX-License-Identifier: LGPL-2.1-or-later
"""The polkit policy: its defaults, and texts in both languages that name the target."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import pytest

from dockmgrd import names
from dockmgrd.actions import KnownMirrors, find_authorizations
from dockmgrd.enums import Kind
from dockmgrd.options.parsing import parse_options

POLICY = ElementTree.parse(Path(__file__).parents[2] / "polkit" / "org.dockmgr1.policy").getroot()
ACTIONS = {action.attrib["id"]: action for action in POLICY.iter("action")}
LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"
PLAIN = ["http://m.example"]

# What each action can be about: the details that go with its question.
REQUESTS: list[tuple[Kind, dict[str, Any]]] = [
    (Kind.INSTALL, {}),
    (Kind.INSTALL, {"repo-url": "https://r.example/"}),
    (Kind.SET_MIRROR, {"mirrors": ["https://m.example"]}),
    (Kind.SET_MIRROR, {"mirrors": PLAIN}),
    (Kind.PROBE, {"mirrors": PLAIN}),
    (Kind.UNINSTALL, {"purge-data": True}),
]
DETAILS = {
    question.action: set(question.details)
    for kind, given in REQUESTS
    for question in find_authorizations(parse_options(kind, given), KnownMirrors())
} | {names.ACTION_CANCEL: {"job", "kind"}, names.ACTION_MANAGE: set()}

# Where what is asked for changes the risk, a yes holds for what was asked and nothing else.
BY_ARGUMENT = {
    names.ACTION_INSTALL_CUSTOM,
    names.ACTION_SET_MIRROR,
    names.ACTION_SET_MIRROR_INSECURE,
    names.ACTION_PURGE_DATA,
}


def _texts(action: str, tag: str) -> dict[str, str]:
    """The texts of an action by language, "" for English."""
    return {each.get(LANGUAGE, ""): each.text or "" for each in ACTIONS[action].iter(tag)}


def test_vendor_and_icon() -> None:
    assert POLICY.findtext("vendor") == "dockmgrd"
    assert POLICY.findtext("icon_name")


def test_every_action_is_there() -> None:
    assert sorted(ACTIONS) == sorted(names.ACTIONS)
    assert DETAILS.keys() == ACTIONS.keys()


@pytest.mark.parametrize("action", names.ACTIONS)
def test_texts_in_both_languages_name_what_it_is_about(action: str) -> None:
    for tag in ("description", "message"):
        texts = _texts(action, tag)
        assert texts.keys() == {"", "zh_CN"}
        assert texts[""].isascii()
        assert re.search(r"[\u4e00-\u9fff]", texts["zh_CN"])
    english, chinese = (
        set(re.findall(r"\$\(([^)]+)\)", text)) for text in _texts(action, "message").values()
    )
    assert english == chinese
    assert english <= DETAILS[action], "polkit would show the name of the detail"
    if action in BY_ARGUMENT - {names.ACTION_PURGE_DATA}:
        assert english, "who gives the password has to see for what"


@pytest.mark.parametrize("action", names.ACTIONS)
def test_nobody_is_let_through_by_default(action: str) -> None:
    defaults = {each.tag: each.text or "" for each in ACTIONS[action].find("defaults") or ()}
    assert defaults.keys() == {"allow_any", "allow_inactive", "allow_active"}
    if action == names.ACTION_PROBE:
        assert defaults.pop("allow_active") == "yes"
    kept = [value.endswith("_keep") for value in defaults.values()]
    assert all(value.startswith("auth_admin") for value in defaults.values())
    assert not (action in BY_ARGUMENT and any(kept))


def test_manage_stands_for_the_everyday_ones() -> None:
    implied = ACTIONS[names.ACTION_MANAGE].findtext("annotate") or ""
    everyday = [names.ACTION_INSTALL, names.ACTION_SET_MIRROR, names.ACTION_PROBE]
    assert implied.split() == [*everyday, names.ACTION_UNINSTALL]
