# SPDX-License-Identifier: LGPL-2.1-or-later
"""The options of the verbs about registry mirrors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dockmgrd import mirror_urls as urls
from dockmgrd.enums import Kind
from dockmgrd.errors import InvalidArgs, quote
from dockmgrd.messages import requests as messages
from dockmgrd.mirror_urls import Mode
from dockmgrd.names import DOCKER_HUB
from dockmgrd.options.validation import Options, check_options, check_seconds

SECONDS_TO_PROBE = 10
MAX_PROBE_TIMEOUT = 60


@dataclass(frozen=True)
class SetMirrorOptions(Options):
    """The options of SetMirror; `mirrors` are normal."""

    mirrors: tuple[str, ...]
    registry: str = DOCKER_HUB
    """The registry that they are mirrors of, in its normal form."""
    mode: Mode = Mode.REPLACE
    verify: bool = False
    allow_unused: bool = False
    """Whether mirrors of another registry are set even if this engine would not use them."""
    expected: tuple[str, ...] | None = None
    """The mirrors that must be configured now, as the caller has seen them; None for any."""
    dry_run: bool = False

    @classmethod
    def parse(cls, options: Mapping[str, Any]) -> SetMirrorOptions:
        """:raises InvalidArgs, LimitsExceeded: naming the option or the URL that is wrong."""
        values = check_options(Kind.SET_MIRROR, options)
        if "mirrors" not in values:
            raise InvalidArgs(messages.MIRRORS_MISSING().with_remedy(messages.EMPTY_LIST_CLEARS()))
        mode = values.setdefault("mode", Mode.REPLACE.value)
        if mode not in {each.value for each in Mode}:
            remedy = messages.CHOOSE_MODE(modes=[each.value for each in Mode])
            raise InvalidArgs(messages.MODE_UNKNOWN(value=quote(mode)).with_remedy(remedy))
        values["mode"], removes = Mode(mode), mode == Mode.REMOVE.value
        normalize = urls.normalize_unwanted if removes else urls.normalize_mirrors
        values["mirrors"] = normalize(values["mirrors"])
        if not values["mirrors"] and values["mode"] is not Mode.REPLACE:
            text = messages.NO_MIRROR_TO_REMOVE() if removes else messages.NO_MIRROR_TO_APPEND()
            raise InvalidArgs(text.with_remedy(messages.NAME_MIRROR()))
        if "expected" in values:
            values["expected"] = urls.normalize_known(tuple(values["expected"]))
        _check_registry(values)
        return cls(**values)


@dataclass(frozen=True)
class ProbeOptions(Options):
    """The options of ProbeMirrors."""

    mirrors: tuple[str, ...] = ()
    """Empty for all candidates of the catalogue."""
    registry: str = DOCKER_HUB
    """The registry that they are mirrors of, in its normal form."""
    timeout: int = SECONDS_TO_PROBE
    """Seconds for each mirror."""

    @classmethod
    def parse(cls, options: Mapping[str, Any]) -> ProbeOptions:
        """:raises InvalidArgs, LimitsExceeded: naming the option or the URL that is wrong."""
        values = check_options(Kind.PROBE, options)
        check_seconds(values, "timeout", 1, MAX_PROBE_TIMEOUT)
        values["mirrors"] = urls.normalize_mirrors(values.get("mirrors", []))
        _check_registry(values)
        return cls(**values)


def _check_registry(values: dict[str, Any]) -> None:
    """:raises InvalidArgs: when the registry is not valid, or the options do not fit it."""
    values["registry"] = urls.normalize_registry(values.get("registry", DOCKER_HUB))
    if values["registry"] != DOCKER_HUB and values.get("mode") is not Mode.REMOVE:
        urls.check_paths(values["mirrors"])
