# SPDX-License-Identifier: LGPL-2.1-or-later
"""The methods of the verbs, and the D-Bus types of their options."""

from __future__ import annotations

from collections.abc import Mapping

from dockmgrd.enums import Kind

METHODS: Mapping[str, Kind] = {
    "Install": Kind.INSTALL,
    "SetMirror": Kind.SET_MIRROR,
    "ProbeMirrors": Kind.PROBE,
    "Uninstall": Kind.UNINSTALL,
    "ListVersions": Kind.LIST_VERSIONS,
    "ProbeSources": Kind.PROBE_SOURCES,
}
"""The method of the manager that starts each kind of job."""

SIGNATURES: Mapping[Kind, Mapping[str, str]] = {
    Kind.INSTALL: {
        "source": "s",
        "channel": "s",
        "version": "s",
        "platform": "s",
        "containerd-rpm": "s",
        "repo-url": "s",
        "minimal": "b",
        "completion": "b",
        "mirrors": "as",
        "replace-conflicting": "b",
        "start": "b",
        "enable": "b",
        "lock-wait": "u",
        "upgrade": "b",
        "dry-run": "b",
        "plan": "s",
    },
    Kind.SET_MIRROR: {
        "mirrors": "as",
        "registry": "s",
        "mode": "s",
        "verify": "b",
        "allow-unused": "b",
        "expected": "as",
        "dry-run": "b",
    },
    Kind.PROBE: {"mirrors": "as", "registry": "s", "timeout": "u"},
    Kind.UNINSTALL: {
        "purge-data": "b",
        "keep-config": "b",
        "force": "b",
        "lock-wait": "u",
        "dry-run": "b",
        "plan": "s",
    },
    Kind.LIST_VERSIONS: {"source": "s", "channel": "s", "platform": "s"},
    Kind.PROBE_SOURCES: {"channel": "s", "platform": "s"},
}
"""D-Bus signature of every option. `interactive` is taken off by the daemon before."""


def has_type(value: object, signature: str) -> bool:
    """Whether the plain value is one of an option with that signature."""
    if signature == "as":
        return isinstance(value, list) and all(isinstance(item, str) for item in value)
    if signature == "u":
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, bool if signature == "b" else str)
