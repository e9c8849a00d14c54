# SPDX-License-Identifier: LGPL-2.1-or-later
"""The service as dockmgrctl calls it: values without D-Bus types, errors with their meaning."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from dockmgrd import names
from dockmgrd.bus.blocking import Connection
from dockmgrd.bus.dbusnext import AuthError, MessageFlag, Variant
from dockmgrd.bus.messages import PROPERTIES
from dockmgrd.bus.router import Pending
from dockmgrd.bus.variants import to_plain
from dockmgrd.cli.commands.exitcodes import make_error
from dockmgrd.cli.service.jobs import JobRecord
from dockmgrd.cli.waiting import readable
from dockmgrd.errors import DockmgrError, NoReply, RemoteError, ServiceUnknown
from dockmgrd.model import Kind
from dockmgrd.verbs import SIGNATURES

_OBJECT_MANAGER = "org.freedesktop.DBus.ObjectManager"
_ERROR = "org.freedesktop.DBus.Error."
_SECONDS_TO_START_A_JOB = 90.0
_SECONDS_TO_ANSWER = 35.0
"""More than the 25 s in which the bus gives up starting the daemon, and says so better than we."""

_NOT_THERE = (_ERROR + "ServiceUnknown", _ERROR + "NameHasNoOwner")
_WENT_AWAY = (_ERROR + "NoReply", _ERROR + "Disconnected")
_NOT_STARTED = (_ERROR + "Spawn.", _ERROR + "TimedOut", "org.freedesktop.systemd1.")


@contextmanager
def connection(*, seconds: float | None = None) -> Iterator[Connection]:
    """A connection to the system bus, closed at the end.

    :param seconds: what all calls on it may take together; None leaves each to its own.

    :raises ServiceUnknown: when there is no bus to connect to.
    """
    try:
        bus = Connection(lambda descriptor, timeout: readable(descriptor, timeout=timeout), seconds)
    except (OSError, NoReply, ValueError, AuthError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise ServiceUnknown(
            f"The system bus cannot be reached ({reason}); dockmgrctl needs it to talk to dockmgrd."
        ) from error
    try:
        yield bus
    finally:
        bus.close()


class Client:
    """Calls the service on a connection. With `interactive`, polkit may ask the user.

    Every method raises what the service answers; ServiceUnknown when it is not there or does not
    start, and NoReply when it goes away before it answers.
    """

    def __init__(self, bus: Connection, *, interactive: bool) -> None:
        self.bus = bus
        self._flags = (
            MessageFlag.ALLOW_INTERACTIVE_AUTHORIZATION if interactive else MessageFlag.NONE
        )
        self._patience = None if interactive else _SECONDS_TO_START_A_JOB

    def start(self, kind: Kind, given: Mapping[str, Any], mirrors: tuple[str, ...]) -> str:
        """Have the work done that the options describe; the path of its job comes back."""
        signatures = SIGNATURES[kind]
        variants = {key: Variant(signatures[key], value) for key, value in given.items()}
        calls: Mapping[Kind, tuple[str, str, list[Any]]] = {
            Kind.INSTALL: ("Install", "a{sv}", [variants]),
            Kind.SET_MIRROR: ("SetMirror", "asa{sv}", [list(mirrors), variants]),
            Kind.PROBE: ("ProbeMirrors", "asa{sv}", [list(mirrors), variants]),
            Kind.UNINSTALL: ("Uninstall", "a{sv}", [variants]),
            Kind.LIST_VERSIONS: ("ListVersions", "a{sv}", [variants]),
        }
        member, signature, body = calls[kind]
        [path] = self._call(
            *(names.MANAGER_PATH, names.MANAGER_INTERFACE, member, signature, *body),
            flags=self._flags,
            timeout=self._patience,
        )
        return str(path)

    def version(self) -> str:
        """The version of the service."""
        where = (names.MANAGER_PATH, PROPERTIES, "Get", "ss", names.MANAGER_INTERFACE, "Version")
        [version] = self._call(*where)
        return str(version.value)

    def status(self) -> dict[str, Any]:
        [status] = self._ask(names.MANAGER_PATH, names.MANAGER_INTERFACE, "Status")
        return dict(to_plain(status))

    def sources(self) -> list[dict[str, Any]]:
        [sources] = self._ask(names.MANAGER_PATH, names.MANAGER_INTERFACE, "ListSources")
        return list(to_plain(sources))

    def permissions(self) -> dict[str, str]:
        """What the caller may do: see GetPermissions."""
        where = (names.MANAGER_PATH, names.MANAGER_INTERFACE, "GetPermissions")
        [permissions] = self._ask(*where)
        return dict(permissions)

    def jobs(self) -> list[JobRecord]:
        """All jobs that the service remembers, newest first."""
        [objects] = self._ask(names.MANAGER_PATH, _OBJECT_MANAGER, "GetManagedObjects")
        records = [
            JobRecord.from_properties(to_plain(interfaces[names.JOB_INTERFACE]))
            for interfaces in objects.values()
            if names.JOB_INTERFACE in interfaces
        ]
        return sorted(records, key=lambda job: (job.created_at, job.job_id), reverse=True)

    def job_properties(self, path: str) -> dict[str, Any]:
        [properties] = self._call(path, PROPERTIES, "GetAll", "s", names.JOB_INTERFACE)
        return dict(to_plain(properties))

    def begin_wait(self, path: str) -> Pending:
        """Have the service reply when the job has ended."""
        return self.bus.begin_call(names.BUS_NAME, path, names.JOB_INTERFACE, "Wait")

    def cancel(self, path: str) -> None:
        self._call(path, names.JOB_INTERFACE, "Cancel", flags=self._flags, timeout=self._patience)

    def _ask(self, path: str, interface: str, member: str) -> list[Any]:
        """Call what changes nothing, and when the daemon goes away over it, ask its successor."""
        try:
            return self._call(path, interface, member)
        except NoReply as error:
            if error.__cause__ is None:
                raise  # It is there, and did not answer in time.
            return self._call(path, interface, member)

    def _call(
        self,
        path: str,
        interface: str,
        member: str,
        signature: str = "",
        *body: Any,
        timeout: float | None = _SECONDS_TO_ANSWER,
        flags: MessageFlag = MessageFlag.NONE,
    ) -> list[Any]:
        where = (names.BUS_NAME, path, interface, member)
        try:
            return self.bus.call(*where, signature, body, timeout=timeout, flags=flags)
        except RemoteError as error:
            raise _meaning(error) from error


def _meaning(error: RemoteError) -> DockmgrError:
    """What an error reply says to the user."""
    if error.name in _NOT_THERE:
        return ServiceUnknown(
            f"The service {names.BUS_NAME} is not on this host; install the package dockmgrd."
        )
    if error.name in _WENT_AWAY:
        return NoReply("dockmgrd went away before it answered; try again.")
    if error.name.startswith(_NOT_STARTED):
        return ServiceUnknown(
            f"dockmgrd does not start ({error.reply.rstrip('.')}); "
            f"'systemctl status {names.DAEMON_UNIT}' tells why."
        )
    return make_error(error.name, error.reply)
