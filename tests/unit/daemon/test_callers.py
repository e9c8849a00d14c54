# SPDX-License-Identifier: LGPL-2.1-or-later
"""The identity of callers from the bus, and from systemd, which the test imitates."""

from __future__ import annotations

import asyncio
import os

import pytest

from dockmgrd import errors
from dockmgrd.bus import introspection as interfaces
from dockmgrd.bus.client import Bus
from dockmgrd.bus.exports import Exports
from dockmgrd.bus.interface import Caller, ObjectInterface
from dockmgrd.daemon import callers
from dockmgrd.daemon.callers import Callers, unit_of_path
from dockmgrd.host.systemd import SYSTEMD

PATH = "/org/freedesktop/systemd1"


class FakeSystemd(ObjectInterface):
    interface = interfaces.parse(
        """<node><interface name="org.freedesktop.systemd1.Manager">
        <method name="GetUnitByPID"><arg name="pid" type="u" direction="in"/>
          <arg name="unit" type="o" direction="out"/></method>
        </interface></node>"""
    )

    def __init__(self, *, answers: bool = True) -> None:
        super().__init__()
        self._answers = answers
        self.asked: list[int] = []

    async def get_unit_by_p_i_d(self, pid: int) -> str:
        self.asked.append(pid)
        if not self._answers:
            await asyncio.Event().wait()
        return f"{PATH}/unit/session_2d4_2escope"


async def play_systemd(bus: Bus, systemd: FakeSystemd) -> Exports:
    exports = Exports(bus, PATH)
    exports.add(PATH, systemd)
    await bus.own_name(SYSTEMD)
    return exports


async def test_user_connection_and_unit(service_bus: Bus, client_bus: Bus) -> None:
    systemd = FakeSystemd()
    await play_systemd(client_bus, systemd)
    who = Caller(client_bus.unique_name, interactive=False)
    by = await Callers(service_bus).identify(who)
    assert (by.uid, by.sender) == (os.getuid(), client_bus.unique_name)
    assert systemd.asked == [], "only for what is recorded"
    assert await by.find_unit() == "session-4.scope"
    assert systemd.asked == [os.getpid()]


async def test_without_systemd_there_is_no_unit(service_bus: Bus, client_bus: Bus) -> None:
    by = await Callers(service_bus).identify(Caller(client_bus.unique_name, interactive=False))
    assert await by.find_unit() == ""


async def test_a_systemd_that_hangs_is_not_waited_for(
    service_bus: Bus, client_bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(callers, "_SYSTEMD_TIMEOUT", 0.1)
    systemd = await play_systemd(client_bus, FakeSystemd(answers=False))
    by = await Callers(service_bus).identify(Caller(client_bus.unique_name, interactive=False))
    assert await by.find_unit() == ""
    await systemd.drain(at_once=True)


async def test_a_caller_that_left_has_no_identity(service_bus: Bus) -> None:
    gone = Caller(":1.999", interactive=False)
    with pytest.raises(errors.AccessDenied, match="left the bus"):
        await Callers(service_bus).identify(gone)
    with pytest.raises(errors.AccessDenied, match="left the bus"):
        await Callers(service_bus).find_uid(gone)


@pytest.mark.parametrize(
    ("path", "unit"),
    [
        ("session_2d272_2escope", "session-272.scope"),
        ("user_401000_2eservice", "user@1000.service"),
        ("dbus_2dbroker_2eservice", "dbus-broker.service"),
        ("a_5cx2db_2eservice", "a\\x2db.service"),
    ],
)
def test_names_of_units(path: str, unit: str) -> None:
    assert unit_of_path(f"{PATH}/unit/{path}") == unit
