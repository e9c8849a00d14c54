# SPDX-License-Identifier: LGPL-2.1-or-later
"""The one door to dbus-next: the distribution's package, or the copy in our RPM where none is (EL).

0.2.3 is wanted, not the later git master: that one drops the connection at combined message flags.
"""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec, module_from_spec

_PACKAGE = os.path.dirname(os.path.dirname(__file__))
sys.path.append(os.path.join(_PACKAGE, "_vendor"))


def _leave_out_init(name: str) -> None:
    """Have the package be the folder of its modules, without what its __init__ imports.

    That is all of it, its GLib half included: a fifth of the time in which dockmgrctl is to answer.
    """
    spec = find_spec(name)
    if spec is not None and name not in sys.modules:
        sys.modules[name] = module_from_spec(spec)


_leave_out_init("dbus_next")

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
    "AuthExternal",
    "BusType",
    "Message",
    "MessageFlag",
    "MessageType",
    "NameFlag",
    "RequestNameReply",
    "SignatureTree",
    "Unmarshaller",
    "Variant",
    "get_bus_address",
    "parse_address",
]
