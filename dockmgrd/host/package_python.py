# SPDX-License-Identifier: LGPL-2.1-or-later
"""The Python that runs the programs with bindings of dnf and rpm.

It is the one that runs this. EL 8 has the bindings for another one; there, the build of the package
replaces the two constants.
"""

from __future__ import annotations

import sys

from dockmgrd.host import rpmdb

_PYTHON = ""
"""The other Python; "" where there is none."""
_MODULES = ""
"""The folder of the modules that packaging/rpm/py36/rewrite.py has made for it."""


def make_worker_command() -> tuple[str, ...]:
    """The command that starts a package worker."""
    # -s: nothing from root's home
    if _PYTHON:
        return _PYTHON, "-s", _MODULES
    return sys.executable, "-s", "-m", "dockmgrd.worker"


def make_query_command() -> tuple[str, ...]:
    """The command that prints the installed packages."""
    # -I: nothing from the environment or the current folder is loaded.
    if _PYTHON:
        return _PYTHON, "-IB", f"{_MODULES}/dockmgrd/host/rpmdb.py"
    return sys.executable, "-IB", rpmdb.__file__
