# SPDX-License-Identifier: LGPL-2.1-or-later
"""Everything that can be refused or go wrong: one class, one D-Bus name, one exit code each.

An error carries a message with an id and arguments (see `messages.text`): what failed and why, and
what to do as its remedy. Its English text is the same on the bus and in the journal.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar

from dockmgrd.messages.text import Text, foreign_text
from dockmgrd.names import ERROR_PREFIX

_STANDARD = "org.freedesktop.DBus.Error."
_CREDENTIALS = re.compile(r"(?<=://)[^/\s'\"]*@")


class DockmgrError(Exception):
    """Root of the tree; raised itself only where an error of an unknown name comes back to us."""

    dbus_name: ClassVar[str] = ERROR_PREFIX + "Internal"
    exit_code: ClassVar[int] = 1

    def __init__(self, text: Text | str, details: Mapping[str, Any] | None = None) -> None:
        self.text = foreign_text(text) if isinstance(text, str) else text
        super().__init__(str(self.text))
        self.details = details or {}
        """What the Result of a job that ends with this holds; it does not travel with the name."""

    @property
    def message(self) -> str:
        """The English text: what failed, why, and what to do."""
        return str(self.text)

    def to_plain(self) -> dict[str, Any]:
        """The error as `LastError` and a job's `ErrorDetails` hold it."""
        return {"name": self.dbus_name, **self.text.to_plain()}


class Internal(DockmgrError):
    """A fault of ours. The message holds an incident id; the traceback is in the journal."""


class InvalidArgs(DockmgrError):
    dbus_name = _STANDARD + "InvalidArgs"
    exit_code = 2


class AccessDenied(DockmgrError):
    dbus_name = _STANDARD + "AccessDenied"
    exit_code = 3


class InteractiveAuthorizationRequired(DockmgrError):
    dbus_name = _STANDARD + "InteractiveAuthorizationRequired"
    exit_code = 4


class LimitsExceeded(DockmgrError):
    dbus_name = _STANDARD + "LimitsExceeded"
    exit_code = 5


class ServiceUnknown(DockmgrError):
    """The daemon cannot be reached. Raised by clients alone."""

    dbus_name = _STANDARD + "ServiceUnknown"
    exit_code = 6


class NoReply(DockmgrError):
    """The other side did not answer in time, or went away."""

    dbus_name = _STANDARD + "NoReply"
    exit_code = 7


class UnknownObject(DockmgrError):
    dbus_name = _STANDARD + "UnknownObject"
    exit_code = 8


class UnknownInterface(DockmgrError):
    dbus_name = _STANDARD + "UnknownInterface"


class UnknownMethod(DockmgrError):
    dbus_name = _STANDARD + "UnknownMethod"


class UnknownProperty(DockmgrError):
    dbus_name = _STANDARD + "UnknownProperty"


class PropertyReadOnly(DockmgrError):
    dbus_name = _STANDARD + "PropertyReadOnly"


class Busy(DockmgrError):
    dbus_name = ERROR_PREFIX + "Busy"
    exit_code = 10


class NotInstalled(DockmgrError):
    dbus_name = ERROR_PREFIX + "NotInstalled"
    exit_code = 11


class ConflictingPackages(DockmgrError):
    dbus_name = ERROR_PREFIX + "ConflictingPackages"
    exit_code = 12


class SourceUnreachable(DockmgrError):
    dbus_name = ERROR_PREFIX + "SourceUnreachable"
    exit_code = 13


class SignatureRejected(DockmgrError):
    dbus_name = ERROR_PREFIX + "SignatureRejected"
    exit_code = 14


class PackageManagerLocked(DockmgrError):
    dbus_name = ERROR_PREFIX + "PackageManagerLocked"
    exit_code = 15


class ResolutionFailed(DockmgrError):
    dbus_name = ERROR_PREFIX + "ResolutionFailed"
    exit_code = 16


class TransactionFailed(DockmgrError):
    dbus_name = ERROR_PREFIX + "TransactionFailed"
    exit_code = 17


class ConfigInvalid(DockmgrError):
    dbus_name = ERROR_PREFIX + "ConfigInvalid"
    exit_code = 18


class ConfigConflict(DockmgrError):
    dbus_name = ERROR_PREFIX + "ConfigConflict"
    exit_code = 19


class MirrorUnreachable(DockmgrError):
    dbus_name = ERROR_PREFIX + "MirrorUnreachable"
    exit_code = 20


class ServiceFailed(DockmgrError):
    dbus_name = ERROR_PREFIX + "ServiceFailed"
    exit_code = 21


class RolledBack(DockmgrError):
    dbus_name = ERROR_PREFIX + "RolledBack"
    exit_code = 22


class NotCancellable(DockmgrError):
    dbus_name = ERROR_PREFIX + "NotCancellable"
    exit_code = 23


class Cancelled(DockmgrError):
    dbus_name = ERROR_PREFIX + "Cancelled"
    exit_code = 24


class Interrupted(DockmgrError):
    dbus_name = ERROR_PREFIX + "Interrupted"
    exit_code = 25


class InsufficientSpace(DockmgrError):
    dbus_name = ERROR_PREFIX + "InsufficientSpace"
    exit_code = 26


class UnsupportedPlatform(DockmgrError):
    dbus_name = ERROR_PREFIX + "UnsupportedPlatform"
    exit_code = 27


class KernelModuleMissing(DockmgrError):
    dbus_name = ERROR_PREFIX + "KernelModuleMissing"
    exit_code = 28


class ContainersRunning(DockmgrError):
    """Going on would stop containers that nobody agreed to stop."""

    dbus_name = ERROR_PREFIX + "ContainersRunning"
    exit_code = 29


class UnsafePath(DockmgrError):
    """A path that purging would delete is not one that may be deleted unseen."""

    dbus_name = ERROR_PREFIX + "UnsafePath"
    exit_code = 30


class WriteFailed(DockmgrError):
    """A file of the host could not be written: read-only, full, or forbidden."""

    dbus_name = ERROR_PREFIX + "WriteFailed"
    exit_code = 31


class PlanChanged(DockmgrError):
    """What would be done is not what the caller has agreed to. Its details are the new plan."""

    dbus_name = ERROR_PREFIX + "PlanChanged"
    exit_code = 32


class HostUnreachable(DockmgrError):
    """ssh does not get through to a host. Raised by clients alone."""

    dbus_name = ERROR_PREFIX + "HostUnreachable"
    exit_code = 33


class RemoteError(DockmgrError):
    """An error reply of another bus service, before its client has given it a meaning."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(f"{name}: {message}")
        self.name = name
        self.reply = message


def _leaves(root: type[DockmgrError]) -> list[type[DockmgrError]]:
    children = root.__subclasses__()
    return children + [leaf for child in children for leaf in _leaves(child)]


_BY_NAME = {leaf.dbus_name: leaf for leaf in _leaves(DockmgrError) if leaf is not RemoteError}


def from_name(dbus_name: str, text: Text | str) -> DockmgrError:
    """The error that travelled as a D-Bus name and a text: over the bus, or in a result file."""
    return _BY_NAME.get(dbus_name, DockmgrError)(text)


def redact(text: str) -> str:
    """The text with no name and password in the addresses that it holds."""
    return _CREDENTIALS.sub("\N{HORIZONTAL ELLIPSIS}@", text) if "@" in text else text


def harmless(text: str) -> str:
    """The text in one line, with no credentials, and nothing that steers a terminal or a log."""
    return "".join(
        character if character.isprintable() else "\N{REPLACEMENT CHARACTER}"
        for character in redact(text)
    )


def quote(text: str) -> str:
    """The caller's text for a message: harmless, and short."""
    clean = harmless(text)
    return f"'{clean[:80]}…'" if len(clean) > 80 else f"'{clean}'"
