# SPDX-License-Identifier: LGPL-2.1-or-later
"""Client of systemd: unit jobs with their results, properties of units, and their changes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

from dockmgrd import names
from dockmgrd.bus.client import Bus
from dockmgrd.bus.dbusnext import Message
from dockmgrd.bus.messages import PROPERTIES, Match
from dockmgrd.errors import DockmgrError, NoReply, RemoteError
from dockmgrd.host.units import UnitState, make_failure, make_refusal
from dockmgrd.messages import engine as messages
from dockmgrd.timeouts import within

SYSTEMD = "org.freedesktop.systemd1"
_MANAGER_PATH = "/org/freedesktop/systemd1"
_MANAGER = "org.freedesktop.systemd1.Manager"
UNIT_INTERFACE = "org.freedesktop.systemd1.Unit"
SOCKET_INTERFACE = "org.freedesktop.systemd1.Socket"
SERVICE_INTERFACE = "org.freedesktop.systemd1.Service"
_DBUS_ERROR = "org.freedesktop.DBus.Error."
_AWAY = (_DBUS_ERROR + "NoReply", _DBUS_ERROR + "NameHasNoOwner", _DBUS_ERROR + "Disconnected")
_RETURN_TIMEOUT = 60.0
_ALREADY_SUBSCRIBED = "org.freedesktop.systemd1.AlreadySubscribed"
_NO_SUCH_UNIT = "org.freedesktop.systemd1.NoSuchUnit"
_STATE = ("LoadState", "ActiveState", "UnitFileState", "FragmentPath", "DropInPaths")

T = TypeVar("T")


class Systemd:
    """Client of the system manager on a bus connection.

    All requests here can be repeated. When systemd leaves the bus in the middle, as when it is
    re-executed, a request is repeated as soon as it is back; when the bus goes away, over a new
    connection, if `reconnect` says how.
    """

    def __init__(self, bus: Bus, reconnect: Callable[[], Awaitable[Bus]] | None = None) -> None:
        self._bus = bus
        self._reconnect = reconnect
        self._results: dict[str, asyncio.Future[str]] = {}
        self._waiting = 0
        self._back = asyncio.Event()

    async def connect(self) -> None:
        """Have systemd send signals. Needed once, before anything else here.

        :raises RemoteError, NoReply: when there is no system manager to talk to.
        """
        await self._bus.follow_owner(SYSTEMD, self._on_owner_changed)
        match = Match(SYSTEMD, _MANAGER, "JobRemoved", _MANAGER_PATH)
        await self._bus.subscribe(match, self._on_job_removed)
        try:
            await self._call("Subscribe")
        except RemoteError as error:
            # After a restart of the bus, another connection may have had our unique name.
            if error.name != _ALREADY_SUBSCRIBED:
                raise

    def disconnect(self) -> None:
        """Close the connection."""
        if self._bus.is_connected:
            self._bus.disconnect()

    async def start(self, unit: str) -> None:
        """Start the unit and wait until it is up.

        :raises ServiceFailed: when it does not come up, or there is no such unit.
        """
        await self._run_unit_job("StartUnit", unit)

    async def stop(self, unit: str) -> None:
        """Stop the unit and wait; one that does not exist counts as stopped. Raises as `start`."""
        await self._run_unit_job("StopUnit", unit, missing_is_fine=True)

    async def reload(self, unit: str) -> None:
        """Have the unit reload its configuration, and wait. Raises as `start`."""
        await self._run_unit_job("ReloadUnit", unit)

    async def can_reload(self, unit: str) -> bool:
        """Whether systemd reloads the unit: it has an ExecReload, and its file has no error."""
        load_state, can = await self.get_properties(unit, UNIT_INTERFACE, "LoadState", "CanReload")
        return load_state == "loaded" and bool(can)

    async def find_process(self, pid: int) -> tuple[str, str]:
        """The unit that the process runs in, and its command line; "" if it does not exist."""
        try:
            [path] = await self._call("GetUnitByPID", "u", pid)
            body = [UNIT_INTERFACE, "Id"]
            [name] = await self._bus.call(SYSTEMD, path, PROPERTIES, "Get", "ss", body)
            [processes] = await self._call("GetUnitProcesses", "s", name.value)
        except RemoteError:
            return "", ""
        return str(name.value), next((line for _, each, line in processes if each == pid), "")

    async def reset_failed(self, unit: str) -> None:
        """Forget failed starts, so that a start limit does not refuse the next one."""
        try:
            await self._call("ResetFailedUnit", "s", unit)
        except RemoteError as error:
            if error.name != _NO_SUCH_UNIT:
                raise

    async def signal_main(self, unit: str, signal: int) -> None:
        """Send a signal to the main process of the unit; a unit that is gone is no error."""
        try:
            await self._call("KillUnit", "ssi", unit, "main", signal)
        except RemoteError as error:
            if error.name != _NO_SUCH_UNIT:
                raise

    async def enable(self, *units: str) -> None:
        """Enable the units, as `systemctl enable`; raises as `start`."""
        await self._change_files("EnableUnitFiles", "asbb", [list(units), False, True], units)

    async def disable(self, *units: str) -> None:
        """Disable the units; those that do not exist count as disabled. Raises as `start`."""
        await self._change_files("DisableUnitFiles", "asb", [list(units), False], units)

    async def reload_manager(self) -> None:
        """Have systemd read its unit files again."""
        await self._call("Reload")

    async def reload_manager_for(self, *units: str) -> None:
        """As `reload_manager`, when systemd does not know one of the units as its files say.

        A file trigger of the packages may have done it already, and it takes a while.
        """
        wanted = (UNIT_INTERFACE, "LoadState", "NeedDaemonReload")
        known = await asyncio.gather(*(self.get_properties(each, *wanted) for each in units))
        if any(values != ["loaded", False] for values in known):
            await self.reload_manager()

    async def get_state(self, unit: str) -> UnitState:
        """What systemd knows of the unit; `load_state` is not-found for one that is not there."""
        values = dict(zip(_STATE, await self.get_properties(unit, UNIT_INTERFACE, *_STATE)))
        return UnitState(
            load_state=values["LoadState"],
            active_state=values["ActiveState"],
            unit_file_state=values["UnitFileState"],
            fragment_path=values["FragmentPath"],
            drop_ins=tuple(values["DropInPaths"]),
        )

    async def get_active_state(self, unit: str) -> str:
        """The unit's ActiveState: inactive for one that is not there."""
        return str((await self.get_properties(unit, UNIT_INTERFACE, "ActiveState"))[0])

    async def get_status_text(self, unit: str) -> str:
        """What the service last said of itself by sd_notify."""
        [text] = await self.get_properties(unit, SERVICE_INTERFACE, "StatusText")
        return str(text)

    async def get_properties(self, unit: str, interface: str, *wanted: str) -> list[Any]:
        """The values of these properties of one of the unit's interfaces, in their order.

        Each is asked for: a unit has hundreds. systemd loads the unit when its path is used.
        """
        path = names.unit_path(unit)

        async def get(name: str) -> Any:
            body = [interface, name]
            [variant] = await self._bus.call(SYSTEMD, path, PROPERTIES, "Get", "ss", body)
            return variant.value

        return await self._persist(lambda: asyncio.gather(*map(get, wanted)))

    async def watch(
        self, unit: str, changed: Callable[[Mapping[str, Any]], None]
    ) -> Callable[[], None]:
        """Have `changed` called with the properties of the unit that change, as plain values.

        Only those that every type of unit has, such as ActiveState. Call what comes back to end it.
        """
        [path] = await self._call("LoadUnit", "s", unit)  # by any of the unit's names
        return await self.watch_path(path, changed, UNIT_INTERFACE)

    async def watch_path(
        self, path: str, changed: Callable[[Mapping[str, Any]], None], interface: str | None = None
    ) -> Callable[[], None]:
        """As `watch`, for a unit that need not be loaded yet, and all or one of its interfaces."""
        match = Match(SYSTEMD, PROPERTIES, "PropertiesChanged", path, interface)

        def on_signal(message: Message) -> None:
            changed({name: variant.value for name, variant in message.body[1].items()})

        return await self._bus.subscribe(match, on_signal)

    async def watch_reloads(self, reloaded: Callable[[], None]) -> None:
        """Have `reloaded` called each time systemd has read its unit files again."""

        def on_signal(message: Message) -> None:
            [begins] = message.body
            if not begins:
                reloaded()

        await self._bus.subscribe(Match(SYSTEMD, _MANAGER, "Reloading", _MANAGER_PATH), on_signal)

    async def _run_unit_job(self, method: str, unit: str, *, missing_is_fine: bool = False) -> None:
        try:
            result = await self._persist(lambda: self._await_job(method, unit))
        except RemoteError as error:
            if missing_is_fine and error.name == _NO_SUCH_UNIT:
                return
            raise make_refusal(method, (unit,), error) from error
        if result not in ("done", "skipped"):
            raise make_failure(method, unit, result)

    async def _await_job(self, method: str, unit: str) -> str:
        """Have systemd run a job for the unit, and await its result."""
        self._waiting += 1
        try:
            [path] = await self._bus.call(
                SYSTEMD, _MANAGER_PATH, _MANAGER, method, "ss", [unit, "replace"], timeout=None
            )
            return await self._result(path)
        finally:
            self._waiting -= 1
            if not self._waiting:
                self._results.clear()

    async def _change_files(
        self, method: str, signature: str, body: list[Any], units: tuple[str, ...]
    ) -> None:
        try:
            await self._call(method, signature, *body)
        except RemoteError as error:
            if method == "DisableUnitFiles" and error.name.endswith((".NoSuchUnit", ".NotFound")):
                return
            raise make_refusal(method, units, error) from error
        await self.reload_manager()

    def _result(self, job: str) -> asyncio.Future[str]:
        """The result of a systemd job, which may be announced before the job's path is known."""
        if job not in self._results:
            self._results[job] = asyncio.get_running_loop().create_future()
        return self._results[job]

    def _on_job_removed(self, message: Message) -> None:
        _, job, _, result = message.body
        if self._waiting and not (future := self._result(job)).done():
            future.set_result(result)

    async def _call(self, member: str, signature: str = "", *body: Any) -> list[Any]:
        return await self._persist(
            lambda: self._bus.call(
                SYSTEMD, _MANAGER_PATH, _MANAGER, member, signature, body, timeout=None
            )
        )

    async def _persist(self, ask: Callable[[], Awaitable[T]]) -> T:
        """Call, and call again when systemd or the bus went away before the reply.

        :raises RemoteError, NoReply: the last one, when they stay away.
        """
        while True:
            try:
                return await ask()
            except (NoReply, RemoteError) as error:
                if isinstance(error, RemoteError) and error.name not in _AWAY:
                    raise
                await self._recover(error)

    async def _recover(self, error: DockmgrError) -> None:
        """Return when systemd can be asked again; raise the error when it cannot."""
        try:
            if not self._bus.is_connected:
                if self._reconnect is None:
                    raise error
                self._bus = await within(self._reconnect(), _RETURN_TIMEOUT)
                await self.connect()
            elif not self._bus.get_owner(SYSTEMD):
                await within(self._wait_for_change(), _RETURN_TIMEOUT)
        except (asyncio.TimeoutError, OSError):
            raise error from None

    async def _wait_for_change(self) -> None:
        """Return when systemd is back on the bus, or the bus has gone, too."""
        back = asyncio.ensure_future(self._back.wait())
        end = asyncio.ensure_future(self._bus.wait_for_disconnect())
        end.add_done_callback(lambda done: done.cancelled() or done.exception())
        try:
            await asyncio.wait({back, end}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            back.cancel()
            end.cancel()

    def _on_owner_changed(self, owner: str) -> None:
        """Repeat the calls: the results of running jobs will not be announced any more."""
        if owner:
            self._back.set()
            return
        self._back.clear()
        for result in filter(lambda each: not each.done(), self._results.values()):
            result.set_exception(NoReply(messages.SYSTEMD_LEFT()))
