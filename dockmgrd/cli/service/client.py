# SPDX-License-Identifier: LGPL-2.1-or-later
"""The service as dockmgrctl calls it: values without D-Bus types, errors with their meaning."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from dockmgrd import __version__, names
from dockmgrd.bus.blocking import Connection
from dockmgrd.bus.dbusnext import AuthError, MessageFlag, Variant
from dockmgrd.bus.messages import PROPERTIES
from dockmgrd.bus.router import Pending
from dockmgrd.bus.variants import to_plain
from dockmgrd.cli.commands.exitcodes import make_error
from dockmgrd.cli.service.jobs import JobRecord
from dockmgrd.cli.waiting import wait_until_readable
from dockmgrd.enums import Kind
from dockmgrd.errors import (
    DockmgrError,
    InteractiveAuthorizationRequired,
    NoReply,
    RemoteError,
    ServiceUnknown,
    UnknownInterface,
    UnknownMethod,
    UnknownProperty,
)
from dockmgrd.messages import client as messages
from dockmgrd.messages import requests
from dockmgrd.messages.text import Remedy, Text, from_plain
from dockmgrd.verbs import SIGNATURES

_OBJECT_MANAGER = "org.freedesktop.DBus.ObjectManager"
_ERROR = "org.freedesktop.DBus.Error."
_START_TIMEOUT = 90.0
_ANSWER_TIMEOUT = 35.0
"""More than the 25 s after which the bus stops to wait for the daemon, which it reports better."""

_MISSING = (_ERROR + "ServiceUnknown", _ERROR + "NameHasNoOwner")
_WENT_AWAY = (_ERROR + "NoReply", _ERROR + "Disconnected")
_INSTALL_COMMAND = "dnf install dockmgrd"
_STATUS_COMMAND = f"systemctl status {names.DAEMON_UNIT}"
_START_FAILED = (_ERROR + "Spawn.", _ERROR + "TimedOut", "org.freedesktop.systemd1.")
_RESTART_COMMAND = f"systemctl try-restart {names.DAEMON_UNIT}"
_OF_OTHER_VERSIONS = (UnknownInterface, UnknownMethod, UnknownProperty)
# How version 0.1.0, whose messages have no ids, begins the sentence of requests.OPTION_UNKNOWN.
_OPTION_UNKNOWN_WITHOUT_ID = "Unknown option "


@contextmanager
def open_connection(*, seconds: float | None = None) -> Iterator[Connection]:
    """Connect to the system bus, and close the connection at the end.

    :param seconds: what all calls on it may take together; None leaves each to its own timeout.

    :raises ServiceUnknown: if there is no bus to connect to.
    """
    try:
        bus = Connection(
            lambda descriptor, timeout: wait_until_readable(descriptor, timeout=timeout), seconds
        )
    except (OSError, NoReply, ValueError, AuthError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        text = messages.BUS_UNREACHABLE(reason=str(reason).rstrip("."))
        raise ServiceUnknown(text) from error
    try:
        yield bus
    finally:
        bus.close()


class Client:
    """Calls the service on a connection. With `interactive`, polkit may prompt the user.

    `host` is the other host that the connection leads to, "" for this one.

    Every method raises the error that the service replies; ServiceUnknown if the service is not
    installed or does not start, and NoReply if it stops before it replies.
    """

    def __init__(self, bus: Connection, *, interactive: bool, host: str = "") -> None:
        self.bus = bus
        self.host = host
        self._flags = (
            MessageFlag.ALLOW_INTERACTIVE_AUTHORIZATION if interactive else MessageFlag.NONE
        )
        self._timeout = None if interactive else _START_TIMEOUT

    def start(self, kind: Kind, options: Mapping[str, Any], mirrors: tuple[str, ...]) -> str:
        """Start a job with these options, and return the path of its object."""
        signatures = SIGNATURES[kind]
        variants = {key: Variant(signatures[key], value) for key, value in options.items()}
        calls: Mapping[Kind, tuple[str, str, list[Any]]] = {
            Kind.INSTALL: ("Install", "a{sv}", [variants]),
            Kind.SET_MIRROR: ("SetMirror", "asa{sv}", [list(mirrors), variants]),
            Kind.PROBE: ("ProbeMirrors", "asa{sv}", [list(mirrors), variants]),
            Kind.UNINSTALL: ("Uninstall", "a{sv}", [variants]),
            Kind.LIST_VERSIONS: ("ListVersions", "a{sv}", [variants]),
            Kind.PROBE_SOURCES: ("ProbeSources", "a{sv}", [variants]),
        }
        member, signature, body = calls[kind]
        [path] = self._call(
            *(names.MANAGER_PATH, names.MANAGER_INTERFACE, member, signature, *body),
            flags=self._flags,
            timeout=self._timeout,
        )
        return str(path)

    def get_uid(self) -> int:
        """Return the user id that we have on the host of the service."""
        [uid] = self.bus.call_bus("GetConnectionUnixUser", "s", self.bus.unique_name)
        return int(uid)

    def get_version(self) -> str:
        """Return the version of the service."""
        where = (names.MANAGER_PATH, PROPERTIES, "Get", "ss", names.MANAGER_INTERFACE, "Version")
        [version] = self._call(*where)
        return str(version.value)

    def get_status(self) -> dict[str, Any]:
        """Return the answer to Status."""
        [status] = self._ask(names.MANAGER_PATH, names.MANAGER_INTERFACE, "Status")
        return dict(to_plain(status))

    def list_sources(self) -> list[dict[str, Any]]:
        """Return the answer to ListSources."""
        [sources] = self._ask(names.MANAGER_PATH, names.MANAGER_INTERFACE, "ListSources")
        return list(to_plain(sources))

    def get_permissions(self) -> dict[str, str]:
        """Return what the caller may do: see GetPermissions."""
        where = (names.MANAGER_PATH, names.MANAGER_INTERFACE, "GetPermissions")
        [permissions] = self._ask(*where)
        return dict(permissions)

    def list_jobs(self) -> list[JobRecord]:
        """Return all jobs that the service remembers, newest first."""
        [objects] = self._ask(names.MANAGER_PATH, _OBJECT_MANAGER, "GetManagedObjects")
        records = [
            JobRecord.from_properties(to_plain(interfaces[names.JOB_INTERFACE]))
            for interfaces in objects.values()
            if names.JOB_INTERFACE in interfaces
        ]
        return sorted(records, key=lambda job: (job.created_at, job.job_id), reverse=True)

    def get_job_properties(self, path: str) -> dict[str, Any]:
        """Return the properties of a job object."""
        [properties] = self._call(path, PROPERTIES, "GetAll", "s", names.JOB_INTERFACE)
        return dict(to_plain(properties))

    def begin_wait(self, path: str) -> Pending:
        """Ask the service to reply when the job has ended."""
        return self.bus.begin_call(names.BUS_NAME, path, names.JOB_INTERFACE, "Wait")

    def cancel(self, path: str) -> None:
        """Cancel a job."""
        self._call(path, names.JOB_INTERFACE, "Cancel", flags=self._flags, timeout=self._timeout)

    def _ask(self, path: str, interface: str, member: str) -> list[Any]:
        """Call a method that changes nothing, and repeat the call if the daemon stops meanwhile."""
        try:
            return self._call(path, interface, member)
        except NoReply as error:
            if error.__cause__ is None:
                raise  # The daemon is there, and did not answer in time.
            return self._call(path, interface, member)

    def _call(
        self,
        path: str,
        interface: str,
        member: str,
        signature: str = "",
        *body: Any,
        timeout: float | None = _ANSWER_TIMEOUT,
        flags: MessageFlag = MessageFlag.NONE,
    ) -> list[Any]:
        where = (names.BUS_NAME, path, interface, member)
        try:
            return self.bus.call(*where, signature, body, timeout=timeout, flags=flags)
        except RemoteError as error:
            raise self._interpret(error) from error

    def _interpret(self, error: RemoteError) -> DockmgrError:
        """Return the error for the user that an error reply stands for."""
        if error.name in _MISSING and self.host:
            text = messages.SERVICE_MISSING_ON_HOST(name=names.BUS_NAME, host=self.host)
            return ServiceUnknown(text.with_remedy(messages.INSTALL_DOCKMGRD_THERE()))
        if error.name in _MISSING:
            text = messages.SERVICE_MISSING(name=names.BUS_NAME)
            return ServiceUnknown(text.with_remedy(messages.INSTALL_DOCKMGRD(), _INSTALL_COMMAND))
        if error.name in _WENT_AWAY:
            return NoReply(messages.SERVICE_WENT_AWAY().with_remedy(messages.TRY_AGAIN()))
        if error.name.startswith(_START_FAILED):
            text = messages.SERVICE_DOES_NOT_START(reason=error.reply.rstrip("."))
            return ServiceUnknown(text.with_remedy(messages.SEE_UNIT(), _STATUS_COMMAND))
        known = make_error(error.name, self._get_last_error(error) or error.reply)
        if isinstance(known, _OF_OTHER_VERSIONS) or _names_unknown_option(known.text):
            return self._compare_versions(known)
        if self.host and isinstance(known, InteractiveAuthorizationRequired):
            text = replace(known.text, remedy=Remedy(messages.AUTHORIZE_WITHOUT_PASSWORD()))
            return InteractiveAuthorizationRequired(text)
        return known

    def _compare_versions(self, error: DockmgrError) -> DockmgrError:
        """Return the error, which names the version of the service if it is not ours."""
        try:
            version = self.get_version()
        except DockmgrError:
            return error
        if version == __version__:
            return error
        text = messages.SERVICE_OF_OTHER_VERSION(
            theirs=version, ours=__version__, reason=error.text
        )
        if self.host:
            return type(error)(text.with_remedy(messages.USE_ONE_VERSION()))
        return type(error)(text.with_remedy(messages.RESTART_DOCKMGRD(), _RESTART_COMMAND))

    def _get_last_error(self, error: RemoteError) -> Text | None:
        """Return the message of the error reply with its id and arguments.

        :returns: None if the service does not have it, such as one of version 0.1.0.
        """
        try:
            [answer] = self.bus.call(
                *(names.BUS_NAME, names.MANAGER_PATH, names.MANAGER_INTERFACE, "LastError"),
                timeout=_ANSWER_TIMEOUT,
            )
            details = to_plain(answer)
            if (details.get("name"), details.get("text")) == (error.name, error.reply):
                return from_plain(details)
        except (RemoteError, NoReply, KeyError, TypeError, ValueError):
            pass
        return None


def _names_unknown_option(text: Text) -> bool:
    if text.id:
        return text.id == requests.OPTION_UNKNOWN.id
    return str(text).startswith(_OPTION_UNKNOWN_WITHOUT_ID)
