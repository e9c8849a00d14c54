# SPDX-License-Identifier: LGPL-2.1-or-later
"""Every option of every verb, and the polkit actions that its values must be asked about.

The test fails for a new option without a row: its author decides what it needs.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from dockmgrd import names
from dockmgrd.actions import KnownMirrors, find_authorizations, needs_candidates
from dockmgrd.enums import Kind
from dockmgrd.mirror_urls import Mode
from dockmgrd.model import Authorization
from dockmgrd.options.mirrors import ProbeOptions, SetMirrorOptions
from dockmgrd.options.packages import (
    InstallOptions,
    ListVersionsOptions,
    ProbeSourcesOptions,
    UninstallOptions,
)
from dockmgrd.options.parsing import parse_options
from dockmgrd.verbs import SIGNATURES

INSTALL, CUSTOM = names.ACTION_INSTALL, names.ACTION_INSTALL_CUSTOM
SET, INSECURE = names.ACTION_SET_MIRROR, names.ACTION_SET_MIRROR_INSECURE
UNINSTALL, PURGE, PROBE = names.ACTION_UNINSTALL, names.ACTION_PURGE_DATA, names.ACTION_PROBE

CANDIDATE, LISTED, OTHER = "https://cand.example/", "https://ours.example/", "https://o.example/"
PLAIN = "http://ours.example/"
KNOWN = KnownMirrors((LISTED,), (CANDIDATE,), lambda mirror: "ours.example" in mirror)
RPM, REPOSITORY, DIGEST = "https://x.example/c.rpm", "https://r.example/", "0" * 64

CLASSES: Mapping[Kind, type[Any]] = {
    Kind.INSTALL: InstallOptions,
    Kind.SET_MIRROR: SetMirrorOptions,
    Kind.PROBE: ProbeOptions,
    Kind.UNINSTALL: UninstallOptions,
    Kind.LIST_VERSIONS: ListVersionsOptions,
    Kind.PROBE_SOURCES: ProbeSourcesOptions,
}


@dataclass(frozen=True)
class Row:
    """A value of an option, and what the verb with it and nothing else must ask."""

    value: Any
    asks: set[str]
    detail: tuple[str, str] | None = None
    """A detail of the first question that tells the value to the administrator's rules."""


Table = Mapping[str, Sequence[Row]]

_INSTALL: Table = {
    "source": [Row("a,b", {INSTALL}, ("source", "a,b"))],
    "channel": [
        Row("stable", {INSTALL}, ("channel", "stable")),
        Row("test", {INSTALL}, ("channel", "test")),
    ],
    "version": [Row("", {INSTALL}, ("version", "latest")), Row("28", {INSTALL}, ("version", "28"))],
    "platform": [
        Row("", {INSTALL}, ("platform", "host")),
        Row("fedora/43", {INSTALL}, ("platform", "fedora/43")),
    ],
    "containerd-rpm": [Row("", {INSTALL}), Row(RPM, {CUSTOM}, ("url", RPM))],
    "repo-url": [Row("", {INSTALL}), Row(REPOSITORY, {CUSTOM}, ("url", REPOSITORY))],
    "minimal": [Row(False, {INSTALL}), Row(True, {INSTALL})],
    "completion": [Row(False, {INSTALL}), Row(True, {INSTALL})],
    "mirrors": [
        Row([], {INSTALL, SET}),
        Row([LISTED], {INSTALL, SET}),
        Row([PLAIN], {INSTALL, INSECURE}),
        Row([OTHER], {INSTALL, INSECURE}),
        Row([LISTED, OTHER], {INSTALL, INSECURE}),
    ],
    "replace-conflicting": [
        Row(False, {INSTALL}, ("replace", "no")),
        Row(True, {INSTALL}, ("replace", "yes")),
    ],
    "start": [Row(False, {INSTALL}), Row(True, {INSTALL})],
    "enable": [Row(False, {INSTALL}), Row(True, {INSTALL})],
    "lock-wait": [Row(0, {INSTALL}), Row(86400, {INSTALL})],
    "upgrade": [Row(True, {INSTALL}), Row(False, {INSTALL})],
    "dry-run": [Row(False, {INSTALL}), Row(True, {INSTALL})],
    "plan": [Row("", {INSTALL}), Row(DIGEST, {INSTALL})],
}
_SET_MIRROR: Table = {
    "mirrors": [
        Row([], {SET}, ("mirrors", "")),
        Row([LISTED], {SET}, ("mirrors", LISTED)),
        Row([PLAIN], {INSECURE}, ("mirrors", PLAIN)),
        Row([OTHER], {INSECURE}, ("mirrors", OTHER)),
    ],
    "registry": [
        Row("docker.io", {SET}, ("registry", "docker.io")),
        Row("index.docker.io", {SET}, ("registry", "docker.io")),
        Row("ghcr.io", {SET}, ("registry", "ghcr.io")),
        Row("b\u00fccher.example:5000", {SET}, ("registry", "xn--bcher-kva.example:5000")),
    ],
    "mode": [Row(mode.value, {SET}, ("mode", mode.value)) for mode in Mode],
    "verify": [Row(False, {SET}), Row(True, {SET})],
    "allow-unused": [Row(False, {SET}), Row(True, {SET})],
    "expected": [Row([], {SET}), Row([OTHER], {SET})],
    "dry-run": [Row(False, {SET}), Row(True, set())],
}
_PROBE: Table = {
    "mirrors": [
        Row([], set()),
        Row([CANDIDATE], set()),
        Row([LISTED, CANDIDATE], set()),
        Row([OTHER], {PROBE}, ("mirrors", OTHER)),
        Row([LISTED, OTHER], {PROBE}),
        Row([PLAIN], {PROBE}),
    ],
    "registry": [Row("docker.io", set()), Row("ghcr.io", set())],
    "timeout": [Row(1, set()), Row(10, set()), Row(11, {PROBE}), Row(60, {PROBE})],
}
_UNINSTALL: Table = {
    "purge-data": [
        Row(False, {UNINSTALL}, ("purge", "no")),
        Row(True, {UNINSTALL, PURGE}, ("purge", "yes")),
    ],
    "keep-config": [
        Row(False, {UNINSTALL}, ("keep-config", "no")),
        Row(True, {UNINSTALL}, ("keep-config", "yes")),
    ],
    "force": [
        Row(False, {UNINSTALL}, ("force", "no")),
        Row(True, {UNINSTALL}, ("force", "yes")),
    ],
    "lock-wait": [Row(0, {UNINSTALL}), Row(86400, {UNINSTALL})],
    "dry-run": [Row(False, {UNINSTALL}), Row(True, {UNINSTALL})],
    "plan": [Row("", {UNINSTALL}), Row(DIGEST, {UNINSTALL})],
}
_LIST_VERSIONS: Table = {
    "source": [Row("a,b", set()), Row("fastest", set())],
    "channel": [Row("stable", set()), Row("test", set())],
    "platform": [Row("", set()), Row("fedora/43", set())],
}
_PROBE_SOURCES: Table = {
    "channel": [Row("stable", set()), Row("test", set())],
    "platform": [Row("", set()), Row("fedora/43", set())],
}
TABLES: Mapping[Kind, Table] = {
    Kind.INSTALL: _INSTALL,
    Kind.SET_MIRROR: _SET_MIRROR,
    Kind.PROBE: _PROBE,
    Kind.UNINSTALL: _UNINSTALL,
    Kind.LIST_VERSIONS: _LIST_VERSIONS,
    Kind.PROBE_SOURCES: _PROBE_SOURCES,
}
# Of each verb: what must be given, and what it asks when nothing else is.
REQUIRED: Mapping[Kind, dict[str, Any]] = {Kind.SET_MIRROR: {"mirrors": [LISTED]}}
EXCLUSIVE = [{"repo-url", "source"}, {"plan", "dry-run"}]
ROWS = [
    (kind, key, row)
    for kind, table in TABLES.items()
    for key, rows in table.items()
    for row in rows
]


def ask(kind: Kind, given: Mapping[str, Any]) -> tuple[Authorization, ...]:
    return find_authorizations(parse_options(kind, {**REQUIRED.get(kind, {}), **given}), KNOWN)


def actions_of(kind: Kind, given: Mapping[str, Any]) -> set[str]:
    return {question.action for question in ask(kind, given)}


@pytest.mark.parametrize("kind", Kind)
def test_every_option_is_classified(kind: Kind) -> None:
    fields = {each.name.replace("_", "-") for each in dataclasses.fields(CLASSES[kind])}
    assert TABLES[kind].keys() == fields == SIGNATURES[kind].keys()
    for key, rows in TABLES[kind].items():
        if SIGNATURES[kind][key] == "b":
            assert {row.value for row in rows} == {True, False}, key


@pytest.mark.parametrize(("kind", "key", "row"), ROWS)
def test_each_value_asks_what_the_table_says(kind: Kind, key: str, row: Row) -> None:
    asked = ask(kind, {key: row.value})
    assert {question.action for question in asked} == row.asks
    if row.detail is not None:
        name, value = row.detail
        assert asked[0].details[name] == value
    for question in asked:
        assert all(isinstance(each, str) for each in question.details.values())


@pytest.mark.parametrize("kind", Kind)
def test_two_options_together_ask_for_no_less_than_each_alone(kind: Kind) -> None:
    """Except that a dry run changes nothing, and an own repository takes the place of a source."""
    table = TABLES[kind]
    for one, other in itertools.combinations(table, 2):
        if {one, other} in EXCLUSIVE:
            continue
        for first, second in itertools.product(table[one], table[other]):
            given = {one: first.value, other: second.value}
            if given.get("mirrors") == [] and given.get("mode", "replace") != "replace":
                continue
            needed = first.asks | second.asks
            if CUSTOM in needed:
                needed -= {INSTALL}
            if INSECURE in needed and kind is Kind.SET_MIRROR:
                needed -= {SET}
            if given.get("dry-run"):
                needed -= {SET, INSECURE, PURGE}
            if given.get("mode") in ("append", "remove"):
                needed -= {SET, INSECURE}
            assert actions_of(kind, given) >= needed, given


@pytest.mark.parametrize("mirrors", [[], [LISTED], [PLAIN]])
def test_a_dry_run_of_mirrors_asks_nobody(mirrors: list[str]) -> None:
    for mode in ("replace", "append", "remove") if mirrors else ("replace",):
        given = {"mirrors": mirrors, "mode": mode, "dry-run": True}
        assert actions_of(Kind.SET_MIRROR, given) == set()


@pytest.mark.parametrize(
    ("mirror", "expected"),
    [(LISTED, set()), (CANDIDATE, set()), (OTHER, {PROBE}), (PLAIN, {PROBE})],
)
def test_a_dry_run_that_verifies_may_do_what_a_probe_may(mirror: str, expected: set[str]) -> None:
    given = {"mirrors": [mirror], "dry-run": True, "verify": True}
    assert actions_of(Kind.SET_MIRROR, given) == expected
    assert needs_candidates(parse_options(Kind.SET_MIRROR, given))


@pytest.mark.parametrize(
    ("mode", "mirrors", "result"),
    [
        ("append", [OTHER], f"{LISTED} {OTHER}"),
        ("remove", [LISTED], ""),
        ("replace", [], ""),
    ],
)
def test_the_question_is_about_the_list_that_comes_of_it(
    mode: str, mirrors: list[str], result: str
) -> None:
    [question] = ask(Kind.SET_MIRROR, {"mirrors": mirrors, "mode": mode})
    assert question.details == {"mirrors": result, "registry": "docker.io", "mode": mode}


def test_clearing_by_installing_is_about_no_mirrors() -> None:
    _, question = ask(Kind.INSTALL, {"mirrors": []})
    assert (question.action, question.details["mirrors"]) == (SET, "")
    assert question.details["registry"] == "docker.io"
