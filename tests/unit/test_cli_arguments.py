# SPDX-License-Identifier: LGPL-2.1-or-later
"""What command lines mean."""

from __future__ import annotations

from typing import Any

import pytest

from dockmgrd import __version__, options
from dockmgrd.cli.arguments import COMMANDS, Invocation, parse
from dockmgrd.errors import InvalidArgs
from dockmgrd.model import Kind


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("status", {}),
        ("install", {}),
        ("install --source ustc", {"options": {"source": "ustc"}}),
        ("install --channel test", {"options": {"channel": "test"}}),
        ("install --source a,b", {"options": {"source": "a,b"}}),
        ("install --platform rhel/9", {"options": {"platform": "rhel/9"}}),
        ("install --containerd-rpm https://a", {"options": {"containerd-rpm": "https://a"}}),
        ("install --repo-url https://a", {"options": {"repo-url": "https://a"}}),
        ("install --completion", {"options": {"completion": True}}),
        ("install --dry-run", {"options": {"dry-run": True}}),
        ("install --plan 1a2b", {"options": {"plan": "1a2b"}}),
        ("install -y", {"yes": True}),
        ("uninstall --yes", {"yes": True}),
        ("uninstall --dry-run", {"options": {"dry-run": True}}),
        ("versions --source a --channel test", {"options": {"source": "a", "channel": "test"}}),
        ("versions --platform rhel/9", {"options": {"platform": "rhel/9"}}),
        ("install --version 28.5.1", {"options": {"version": "28.5.1"}}),
        ("install --minimal", {"options": {"minimal": True}}),
        ("install --mirror a --mirror=b", {"options": {"mirrors": ["a", "b"]}}),
        ("install --replace-conflicting", {"options": {"replace-conflicting": True}}),
        ("install --no-start", {"options": {"start": False}}),
        ("install --no-enable", {"options": {"enable": False}}),
        ("set-mirror a b", {"mirrors": ("a", "b")}),
        ("set-mirror --json a", {"mirrors": ("a",), "json": True}),
        ("set-mirror --clear", {}),
        ("uninstall", {}),
        ("uninstall --purge-data", {"options": {"purge-data": True}}),
        ("uninstall --keep-config", {"options": {"keep-config": True}}),
        ("uninstall --force", {"options": {"force": True}}),
        ("sources", {}),
        ("jobs --json", {"json": True}),
        ("follow 3fa2b1", {"job": "3fa2b1"}),
        ("cancel 3fa2b1 --no-ask-password", {"job": "3fa2b1", "ask_password": False}),
        ("status -q", {"quiet": True}),
        ("status --quiet", {"quiet": True}),
    ],
)
def test_meaning(line: str, expected: dict[str, Any]) -> None:
    command = line.split()[0]
    assert parse(line.split()) == Invocation(command, **expected)


def test_common_options_may_stand_before_the_command() -> None:
    expected = Invocation("status", json=True, quiet=True, ask_password=False)
    assert parse(["--json", "-q", "--no-ask-password", "status"]) == expected
    assert parse(["--json", "status", "-q", "--no-ask-password"]) == expected


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("", "COMMAND"),
        ("instal", "instal"),
        ("install --sauce official", "--sauce"),
        ("install --min", "--min"),
        ("install --source", "--source"),
        ("install extra", "extra"),
        ("set-mirror", "--clear"),
        ("set-mirror --clear https://a", "--clear"),
        ("follow", "JOB"),
        ("cancel a b", "b"),
    ],
)
def test_refusal_names_what_is_wrong_and_the_help(line: str, named: str) -> None:
    with pytest.raises(InvalidArgs) as caught:
        parse(line.split())
    assert named in caught.value.message
    assert "--help' shows" in caught.value.message


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_help_has_two_examples_that_parse(command: Any, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        parse([command.name, "--help"])
    assert caught.value.code == 0
    text = capsys.readouterr().out
    for example in command.examples:
        assert example in text
        program, *arguments = example.split()
        assert program == "dockmgrctl"
        assert parse(arguments).command == command.name
    assert max(map(len, text.splitlines())) <= 80


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse(["--version"])
    assert capsys.readouterr().out == f"dockmgrctl {__version__}\n"


def test_every_option_of_the_service_can_be_given() -> None:
    for command in COMMANDS:
        if command.name not in {kind.value for kind in Kind}:
            continue
        sent = {option.key for option in command.options} - {"clear", "fastest", "yes"}
        if command.positional is not None:
            sent.add(command.positional.name)
        assert sent == set(options.SIGNATURES[Kind(command.name)])
