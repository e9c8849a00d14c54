# SPDX-License-Identifier: LGPL-2.1-or-later
"""Errors keep their names and exit codes on their way to the user."""

from __future__ import annotations

import pytest

from dockmgrd import errors
from dockmgrd.cli.commands.arguments import Invocation
from dockmgrd.cli.commands.exitcodes import format_error, get_error_name, make_error
from dockmgrd.cli.session import Session
from dockmgrd.errors import DockmgrError, RemoteError

LEAVES = [
    each
    for each in vars(errors).values()
    if isinstance(each, type)
    and issubclass(each, DockmgrError)
    and each not in (DockmgrError, RemoteError)
]


@pytest.mark.parametrize("leaf", LEAVES)
def test_error_of_a_known_name_is_of_its_class(leaf: type[DockmgrError]) -> None:
    error = make_error(leaf.dbus_name, "Why, and what to do.")
    assert type(error) is leaf
    assert error.exit_code == leaf.exit_code
    assert get_error_name(error) == leaf.dbus_name
    assert format_error(error) == {
        "error": {"name": leaf.dbus_name, "message": "Why, and what to do."}
    }


def test_error_of_an_unknown_name_keeps_it() -> None:
    error = make_error("org.example.Error", "Why.")
    assert error.exit_code == 1
    assert error.message == "org.example.Error: Why."
    assert format_error(error) == {"error": {"name": "org.example.Error", "message": "Why."}}


def test_exit_codes_tell_errors_apart_and_leave_those_of_signals_free() -> None:
    codes = [leaf.exit_code for leaf in LEAVES if leaf.exit_code != 1]
    assert len(codes) == len(set(codes))
    assert all(1 < code < 125 for code in codes)


def test_cursor_left_behind_a_question_goes_to_a_line_of_its_own(
    capsys: pytest.CaptureFixture[str],
) -> None:
    session = Session(Invocation("install"))
    session.leave()
    assert capsys.readouterr().err == ""
    session._runner._is_prompting = True
    session.leave()
    assert capsys.readouterr().err == "\n"
