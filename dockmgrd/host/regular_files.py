# SPDX-License-Identifier: LGPL-2.1-or-later
"""Reading files that others have put there: a FIFO would block for ever, a device has no end."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from dockmgrd.host.obstacles import describe_kind
from dockmgrd.messages.text import Text

MAX_FILE_BYTES = 16 << 20
"""No configuration file is larger."""
_FLAGS = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY


class NotRegularError(OSError):
    """The path leads to a directory, a device, a FIFO or a socket."""

    def __init__(self, path: Path, kind: Text) -> None:
        super().__init__(errno.EINVAL, f"it is not a regular file but {kind}", str(path))
        self.kind = kind


@contextmanager
def open_file(path: Path) -> Iterator[BinaryIO]:
    """A regular file, through symbolic links, to read from.

    :raises OSError: when it cannot be read; a NotRegularError when it is none.
    """
    descriptor = os.open(path, _FLAGS)
    try:
        kind = describe_kind(os.fstat(descriptor).st_mode)
        if kind is not None:
            raise NotRegularError(path, kind)
        with open(descriptor, "rb", closefd=False) as file:
            yield file
    finally:
        os.close(descriptor)


def read_bytes(path: Path) -> bytes:
    """The content of a regular file. Raises as `open_file`."""
    with open_file(path) as file:
        return file.read(MAX_FILE_BYTES)


def read_text(path: Path) -> str:
    """The content as text; what is not UTF-8 is replaced. Raises as `open_file`."""
    return read_bytes(path).decode("utf-8", "replace")
