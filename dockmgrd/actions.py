# SPDX-License-Identifier: LGPL-2.1-or-later
"""Which polkit actions a request needs, and the details that go with the question."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from dockmgrd import names
from dockmgrd.options import (
    InstallOptions,
    Options,
    SetMirrorOptions,
    UninstallOptions,
    insecure,
)


@dataclass(frozen=True)
class Question:
    """One action, and what it would be done to: `$(key)` in the policy's message."""

    action: str
    details: Mapping[str, str] = field(default_factory=dict)


def questions(options: Options) -> tuple[Question, ...]:
    """All that must be answered with yes before the request may run."""
    if isinstance(options, InstallOptions):
        details = {"source": options.source, "version": options.version or "latest"}
        install = Question(names.ACTION_INSTALL, details)
        return (install, *(_mirrors(options.mirrors) if options.mirrors else ()))
    if isinstance(options, SetMirrorOptions):
        return _mirrors(options.mirrors)
    return _uninstall(options)


def _mirrors(mirrors: tuple[str, ...]) -> tuple[Question, ...]:
    action = names.ACTION_SET_MIRROR_INSECURE if insecure(mirrors) else names.ACTION_SET_MIRROR
    return (Question(action, {"mirrors": " ".join(mirrors)}),)


def _uninstall(options: UninstallOptions) -> tuple[Question, ...]:
    details = {"purge": "yes" if options.purge_data else "no"}
    uninstall = Question(names.ACTION_UNINSTALL, details)
    purge = Question(names.ACTION_PURGE_DATA, details)
    return (uninstall, purge) if options.purge_data else (uninstall,)
