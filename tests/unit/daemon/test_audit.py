# SPDX-License-Identifier: LGPL-2.1-or-later
"""The audit records: requests and decisions, within limits."""

from __future__ import annotations

import pytest

from dockmgrd import errors, names
from dockmgrd.daemon import audit
from dockmgrd.enums import Kind
from dockmgrd.model import Authorization
from dockmgrd.sd import journal

SET = Authorization(names.ACTION_SET_MIRROR, {"mirrors": "https://m.example/", "mode": "replace"})
NO = errors.AccessDenied("Not allowed.")
WHO = "User 1000 (:1.7, session-3.scope)"
WRONG = errors.InvalidArgs("Option 'x' is unknown.")


@pytest.fixture
def entries(monkeypatch: pytest.MonkeyPatch) -> list[journal.Entry]:
    """What is recorded from now on, with nothing recorded before."""
    recorded: list[journal.Entry] = []
    monkeypatch.setattr(journal, "record", recorded.append)
    monkeypatch.setattr(audit, "_budget", audit._Budget())
    return recorded


class Somebody:
    """A caller whose unit is looked up as often as `lookups` says."""

    def __init__(self, uid: int, unit: str = "session-3.scope") -> None:
        self.lookups = 0
        self.unit = unit
        self.caller = audit.Identity(uid, ":1.7", self._find)

    async def _find(self) -> str:
        self.lookups += 1
        return self.unit


async def test_requests_and_decisions_are_recorded(entries: list[journal.Entry]) -> None:
    alice = Somebody(1000).caller
    await audit.record_allowed(Kind.SET_MIRROR, alice, (SET,))
    await audit.record_denied(Kind.SET_MIRROR, alice, NO, (SET,))
    await audit.record_invalid(Kind.SET_MIRROR, alice, WRONG)
    details = f"{names.ACTION_SET_MIRROR} mirrors=https://m.example/ mode=replace"
    assert [entry.message for entry in entries] == [
        f"{WHO} was authorized for set-mirror (by polkit): {details}",
        f"{WHO} was denied set-mirror: Not allowed.",
        f"{WHO} sent an invalid set-mirror request: Option 'x' is unknown.",
    ]
    for entry, result in zip(entries, ("allowed", "denied", "invalid")):
        assert entry.fields["DOCKMGR_RESULT"] == result
        assert entry.fields["DOCKMGR_CALLER_UID"] == "1000"
        assert entry.fields["DOCKMGR_CALLER_SENDER"] == ":1.7"
        assert entry.fields["DOCKMGR_CALLER_UNIT"] == "session-3.scope"
        assert entry.fields["DOCKMGR_ACTION"] == "set-mirror"


async def test_a_unit_that_is_not_known_is_left_out(entries: list[journal.Entry]) -> None:
    await audit.record_denied(Kind.INSTALL, Somebody(1000, unit="").caller, NO, ())
    assert entries[0].message == "User 1000 (:1.7) was denied install: Not allowed."


async def test_nobody_fills_the_journal_or_hides_others(entries: list[journal.Entry]) -> None:
    flooder, other = Somebody(1000), Somebody(1001)
    for _ in range(500):
        await audit.record_invalid(Kind.INSTALL, flooder.caller, WRONG)
        await audit.record_allowed(Kind.LIST_VERSIONS, flooder.caller, ())
    assert len(entries) == 80
    assert flooder.lookups == 80, "systemd is not asked for what is not written"
    last = "Further entries for this user are suppressed for up to a minute."
    assert [entry.message for entry in entries if "suppressed" in entry.message] == [
        f"{WHO} sent an invalid install request: Option 'x' is unknown. {last}",
        f"{WHO} was authorized for versions (not needed). {last}",
    ]
    await audit.record_denied(Kind.INSTALL, flooder.caller, NO, ())
    await audit.record_invalid(Kind.INSTALL, other.caller, WRONG)
    assert len(entries) == 82, "a flood hides neither one's own refusals nor others"


async def test_a_minute_later_there_is_room_again(
    entries: list[journal.Entry], monkeypatch: pytest.MonkeyPatch
) -> None:
    alice = Somebody(1000).caller
    for _ in range(100):
        await audit.record_invalid(Kind.INSTALL, alice, WRONG)
    audit._budget.begun -= 61
    await audit.record_invalid(Kind.INSTALL, alice, WRONG)
    assert len(entries) == 21


async def test_root_is_recorded_always(entries: list[journal.Entry]) -> None:
    for _ in range(100):
        await audit.record_allowed(Kind.SET_MIRROR, Somebody(0).caller, (SET,))
    assert len(entries) == 100


async def test_an_entry_is_of_bounded_size_and_harmless(entries: list[journal.Entry]) -> None:
    mirrors = " ".join(f"https://a:b@{'m' * 1000}.example" for _ in range(16))
    asked = (Authorization(names.ACTION_SET_MIRROR, {"mirrors": mirrors}),)
    error = errors.InvalidArgs("\x1b[2J\nhttp://a:b@x.example/" + "x" * 100_000)
    await audit.record_allowed(Kind.SET_MIRROR, Somebody(1000).caller, asked)
    await audit.record_invalid(Kind.SET_MIRROR, Somebody(1000, unit="\x1b.scope").caller, error)
    for entry in entries:
        said = [entry.message, *entry.fields.values()]
        assert sum(map(len, said)) < 6000
        assert all(each.isprintable() for each in said)
        assert not any("a:b" in each for each in said)
