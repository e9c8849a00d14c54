# SPDX-License-Identifier: LGPL-2.1-or-later
"""The one door to dbus-next: the distribution's package, or the copy in our RPM where none is (EL).

0.2.3 is wanted, not the later git master: that one drops the connection at combined message flags.
"""

from __future__ import annotations

import sys

from dockmgrd.paths import VENDORED

# dbus_next imports its GLib backend when `gi` is there, which costs time and memory for nothing.
sys.modules.setdefault("gi", None)  # type: ignore[arg-type]
if VENDORED.is_dir():
    sys.path.append(str(VENDORED))

from dbus_next import (  # noqa: E402
    AuthError,
    BusType,
    Message,
    MessageFlag,
    MessageType,
    NameFlag,
    RequestNameReply,
    Variant,
)
from dbus_next import introspection as intr  # noqa: E402
from dbus_next._private.unmarshaller import Unmarshaller  # noqa: E402
from dbus_next.aio.message_bus import MessageBus, _MessageWriter  # noqa: E402
from dbus_next.signature import SignatureTree  # noqa: E402

MessageWriter = _MessageWriter

__all__ = [
    "AuthError",
    "BusType",
    "Message",
    "MessageBus",
    "MessageFlag",
    "MessageType",
    "MessageWriter",
    "NameFlag",
    "RequestNameReply",
    "SignatureTree",
    "Unmarshaller",
    "Variant",
    "intr",
]
