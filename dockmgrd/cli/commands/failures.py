# SPDX-License-Identifier: LGPL-2.1-or-later
"""Errors between their names on the bus and what the user gets to see of them."""

from __future__ import annotations

from typing import Any

from dockmgrd.errors import DockmgrError, RemoteError, from_name


def named(name: str, text: str) -> DockmgrError:
    """The error of that name; a RemoteError when this version knows none."""
    error = from_name(name, text)
    return RemoteError(name, text) if type(error) is DockmgrError else error


def name_of(error: DockmgrError) -> str:
    """The name that the error has on the bus."""
    return error.name if isinstance(error, RemoteError) else error.dbus_name


def to_json(error: DockmgrError) -> dict[str, Any]:
    """What --json prints instead of a result."""
    text = error.reply if isinstance(error, RemoteError) else error.message
    details = {"details": dict(error.details)} if error.details else {}
    return {"error": {"name": name_of(error), "message": text, **details}}
