# SPDX-License-Identifier: LGPL-2.1-or-later
"""The options of a verb from what a caller has sent.

The daemon checks them before it asks polkit. The job checks the request file again.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from dockmgrd.enums import Kind
from dockmgrd.options.validation import Options

# A job has one verb. The options of the others are not loaded, which takes milliseconds.
_CLASSES: Mapping[Kind, tuple[str, str]] = {
    Kind.INSTALL: ("packages", "InstallOptions"),
    Kind.SET_MIRROR: ("mirrors", "SetMirrorOptions"),
    Kind.PROBE: ("mirrors", "ProbeOptions"),
    Kind.UNINSTALL: ("packages", "UninstallOptions"),
    Kind.LIST_VERSIONS: ("packages", "ListVersionsOptions"),
    Kind.PROBE_SOURCES: ("packages", "ProbeSourcesOptions"),
}


def parse_options(kind: Kind, options: Mapping[str, Any]) -> Options:
    """Return the checked options of the verb; see the class of each for what it raises."""
    module, name = _CLASSES[kind]
    parsed: Options = getattr(import_module(f"dockmgrd.options.{module}"), name).parse(options)
    return parsed
