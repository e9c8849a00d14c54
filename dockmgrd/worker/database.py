# SPDX-License-Identifier: LGPL-2.1-or-later
"""rpm's database, opened to read; when that fails, in rpm's own words."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

import rpm

from dockmgrd.worker.faults import make_database_error

_ERROR = "error: "
_ALWAYS_INSTALLED = "rpm"


@contextmanager
def open_database() -> Iterator[Any]:
    """An `rpm.TransactionSet` to read the database with; closed at the end.

    :raises TransactionFailed: when the database cannot be read, in the context, too.
    """
    with open(os.memfd_create("rpm-log"), "w+b") as log:
        rpm.setLogFile(log)
        try:
            transaction = rpm.TransactionSet()
            try:
                yield transaction
            finally:
                transaction.closeDB()
        except rpm.error as error:
            raise make_database_error(_find_reason(log) or str(error)) from error
        finally:
            rpm.setLogFile(sys.stderr)
        reason = _find_reason(log)
        if reason:  # A damaged entry is no error for rpm: it passes over the package.
            raise make_database_error(reason)


def require_readable() -> None:
    """:raises TransactionFailed: when the database cannot be read."""
    with open_database() as transaction:
        for _header in transaction.dbMatch("name", _ALWAYS_INSTALLED):
            pass


def _find_reason(log: IO[bytes]) -> str:
    """The first error that rpm has logged: those after it are consequences. "" for none."""
    log.seek(0)
    lines = log.read().decode("utf-8", "replace").splitlines()
    errors = (line.removeprefix(_ERROR) for line in lines if line.startswith(_ERROR))
    return next(errors, "")
