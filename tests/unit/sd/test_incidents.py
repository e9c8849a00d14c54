# SPDX-License-Identifier: LGPL-2.1-or-later
"""An internal error gets a reply, even if it cannot be logged."""

from __future__ import annotations

import pytest

from dockmgrd import errors
from dockmgrd.sd import journal
from dockmgrd.sd.journal import report_incident


def test_the_caller_gets_a_number_and_the_journal_the_rest(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    recorded: list[journal.Entry] = []
    monkeypatch.setattr(journal, "record", recorded.append)
    error = report_incident(RuntimeError("secret"))
    [entry] = recorded
    assert entry.fields["DOCKMGR_INCIDENT"] in error.message
    assert "secret" not in error.message
    assert "secret" in caplog.text


def test_a_journal_that_cannot_be_opened_costs_nobody_the_answer(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def out_of_descriptors(_: journal.Entry) -> None:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(journal, "record", out_of_descriptors)
    error = report_incident(RuntimeError("first\nsecond http://a:b@x.example"))
    assert isinstance(error, errors.Internal)
    [line] = capsys.readouterr().err.splitlines()
    assert "RuntimeError" in line
    assert "a:b" not in line
