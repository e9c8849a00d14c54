# SPDX-License-Identifier: LGPL-2.1-or-later
"""The only module that uses dbus-next: the distribution's package, or the copy in our RPM on EL.

It requires 0.2.3. Later git commits close the connection when a message has more than one flag
(https://github.com/altdesktop/python-dbus-next/issues/142). 0.2.3 is the last release, so its
private names do not change; the functions below give each one that we use a public name.
"""

from __future__ import annotations

import io
import os
import sys
from importlib.util import find_spec, module_from_spec
from typing import Any

_PACKAGE = os.path.dirname(os.path.dirname(__file__))
sys.path.append(os.path.join(_PACKAGE, "_vendor"))


def _skip_package_init(name: str) -> None:
    """Make the package importable without running its `__init__`, which imports all of it.

    `dockmgrctl` then needs 42 ms of CPU time for its imports; with `import dbus_next`, 127 ms.
    """
    spec = find_spec(name)
    if spec is not None and name not in sys.modules:
        sys.modules[name] = module_from_spec(spec)


_skip_package_init("dbus_next")

from dbus_next._private.address import get_bus_address, parse_address  # noqa: E402
from dbus_next._private.unmarshaller import Unmarshaller  # noqa: E402
from dbus_next.auth import AuthExternal  # noqa: E402
from dbus_next.constants import (  # noqa: E402
    BusType,
    MessageFlag,
    MessageType,
    NameFlag,
    RequestNameReply,
)
from dbus_next.errors import AuthError  # noqa: E402
from dbus_next.message import Message  # noqa: E402
from dbus_next.signature import SignatureTree, Variant  # noqa: E402

__all__ = [
    "AuthError",
    "Message",
    "MessageFlag",
    "MessageType",
    "NameFlag",
    "RequestNameReply",
    "Variant",
    "answer_authentication",
    "count_cached_signatures",
    "list_addresses",
    "make_authentication_request",
    "marshal",
    "parse_body",
]

MAX_CACHED_SIGNATURES = 512


def list_addresses(address: str | None = None) -> list[tuple[str, dict[str, str]]]:
    """Return the transports and their options in a server address, by default the system bus's.

    :raises ValueError: if the address is not valid.
    """
    return list(parse_address(address or get_bus_address(BusType.SYSTEM)))


def make_authentication_request() -> str:
    """Return the first line of authentication by user id (mechanism EXTERNAL)."""
    return str(AuthExternal()._authentication_start())


def answer_authentication(line: str) -> str:
    """Return the line that completes the authentication after the bus has sent `line`.

    :raises AuthError: if the bus rejects us, or `line` is not valid.
    """
    try:
        return str(AuthExternal()._receive_line(line))
    except ValueError as error:  # an unknown command
        raise AuthError(f"the bus sent {line!r}") from error


def marshal(message: Message) -> bytes:
    """Return the message as bytes. File descriptors are not supported.

    :raises Exception: of many types, if a value in the body does not have its type.
    """
    return bytes(message._marshall(negotiate_unix_fd=False))


def parse_body(signature: str, data: bytes, offset: int, *, little_endian: bool) -> list[Any]:
    """Return the values of a message's body.

    :param signature: the types of the values.
    :param data: the whole message.
    :param offset: where the body begins, in bytes.
    :raises ValueError, TypeError, LookupError, EOFError, struct.error, RecursionError:
        if the body does not have the signature.
    """
    # dbus-next keeps each signature forever, and callers choose the signatures.
    if count_cached_signatures() > MAX_CACHED_SIGNATURES:
        SignatureTree._cache.clear()
    reader = Unmarshaller(io.BytesIO())
    reader.buf, reader.offset = bytearray(data), offset
    reader.endian = ord("l" if little_endian else "B")
    return [reader.read_argument(each) for each in SignatureTree._get(signature).types]


def count_cached_signatures() -> int:
    """Return how many signatures dbus-next keeps in memory."""
    return len(SignatureTree._cache)
