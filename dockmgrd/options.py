# SPDX-License-Identifier: LGPL-2.1-or-later
"""The options of each verb: their keys, their types, and which values are valid.

The daemon checks them before it asks polkit. The job checks the request file again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Union

from dockmgrd import mirror_urls as urls
from dockmgrd.errors import InvalidArgs, LimitsExceeded, quote
from dockmgrd.messages import requests as messages
from dockmgrd.mirror_urls import Mode
from dockmgrd.model import Kind
from dockmgrd.names import DOCKER_HUB
from dockmgrd.verbs import SIGNATURES, has_type

MAX_STRING = 1024
MAX_LIST = 16
MAX_PROBED = 256
SECONDS_TO_PROBE = 10
MAX_PROBE_TIMEOUT = 60
SECONDS_TO_WAIT_FOR_LOCK = 60
MAX_LOCK_WAIT = 24 * 3600
LATEST = "latest"
"""The version that stands for the newest of the source, whatever is installed."""
CHANNELS = ("stable", "test")
FASTEST = "fastest"
"""The source that stands for those that this host may use, in the order of their speed."""
_VERSION = re.compile(r"[0-9][A-Za-z0-9._+~-]*")
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]*")
_PLATFORM = re.compile(r"[a-z][a-z0-9-]*/[0-9]+")
_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class InstallOptions:
    """The options of Install."""

    source: str = "official"
    """Names of sources, separated by commas, in the order to try."""
    channel: str = "stable"
    version: str = ""
    platform: str = ""
    """TREE/VERSION, such as rhel/9; empty for what this host is."""
    containerd_rpm: str = ""
    repo_url: str = ""
    minimal: bool = False
    completion: bool = False
    mirrors: tuple[str, ...] | None = None
    replace_conflicting: bool = False
    start: bool = True
    enable: bool = True
    lock_wait: int = SECONDS_TO_WAIT_FOR_LOCK
    """Seconds to wait while another process works with packages."""
    upgrade: bool = False
    """Whether installed packages of Docker's go to the newest that the source has."""
    dry_run: bool = False
    plan: str = ""
    """Digest of the plan that the caller has seen and agreed to."""

    @classmethod
    def parse(cls, options: Mapping[str, Any]) -> InstallOptions:
        """:raises InvalidArgs, LimitsExceeded: naming the option and what it takes."""
        values = _check_options(Kind.INSTALL, options)
        _check_origin(values)
        if values.get("version") == LATEST:
            values.update(version="", upgrade=True)
        if values.get("version") and not _VERSION.fullmatch(values["version"]):
            text = messages.VERSION_NOT_VALID(value=quote(values["version"]))
            raise InvalidArgs(text.with_remedy(messages.WRITE_LIKE(example="28.5.1")))
        for key in ("containerd_rpm", "repo_url"):
            if values.get(key):
                urls.check_url(key.replace("_", "-"), values[key])
        if values.get("repo_url") and values.get("source"):
            raise _make_exclusive_error("repo-url", "source")
        _check_seconds(values, "lock_wait", 0, MAX_LOCK_WAIT)
        _check_plan(values)
        if "mirrors" in values:
            values["mirrors"] = urls.normalize_mirrors(values["mirrors"])
        return cls(**values)

    @property
    def sources(self) -> tuple[str, ...]:
        return split_sources(self.source)


@dataclass(frozen=True)
class ListVersionsOptions:
    """The options of ListVersions, which mean the same as those of Install."""

    source: str = "official"
    channel: str = "stable"
    platform: str = ""

    @classmethod
    def parse(cls, options: Mapping[str, Any]) -> ListVersionsOptions:
        """:raises InvalidArgs, LimitsExceeded: naming the option and what it takes."""
        values = _check_options(Kind.LIST_VERSIONS, options)
        _check_origin(values)
        return cls(**values)

    @property
    def sources(self) -> tuple[str, ...]:
        return split_sources(self.source)


@dataclass(frozen=True)
class ProbeSourcesOptions:
    """The options of ProbeSources, which mean the same as those of Install."""

    channel: str = "stable"
    platform: str = ""

    @classmethod
    def parse(cls, options: Mapping[str, Any]) -> ProbeSourcesOptions:
        """:raises InvalidArgs, LimitsExceeded: naming the option and what it takes."""
        values = _check_options(Kind.PROBE_SOURCES, options)
        _check_origin(values)
        return cls(**values)


@dataclass(frozen=True)
class SetMirrorOptions:
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
        values = _check_options(Kind.SET_MIRROR, options)
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
class ProbeOptions:
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
        values = _check_options(Kind.PROBE, options)
        _check_seconds(values, "timeout", 1, MAX_PROBE_TIMEOUT)
        values["mirrors"] = urls.normalize_mirrors(values.get("mirrors", []))
        _check_registry(values)
        return cls(**values)


@dataclass(frozen=True)
class UninstallOptions:
    """The options of Uninstall; `lock_wait` and `plan` mean the same as those of Install."""

    purge_data: bool = False
    keep_config: bool = False
    force: bool = False
    lock_wait: int = SECONDS_TO_WAIT_FOR_LOCK
    dry_run: bool = False
    plan: str = ""

    @classmethod
    def parse(cls, options: Mapping[str, Any]) -> UninstallOptions:
        """:raises InvalidArgs, LimitsExceeded: naming the option and what it takes."""
        values = _check_options(Kind.UNINSTALL, options)
        _check_seconds(values, "lock_wait", 0, MAX_LOCK_WAIT)
        _check_plan(values)
        return cls(**values)


Options = Union[
    InstallOptions,
    SetMirrorOptions,
    ProbeOptions,
    UninstallOptions,
    ListVersionsOptions,
    ProbeSourcesOptions,
]


def parse(kind: Kind, options: Mapping[str, Any]) -> Options:
    """Checked options of the verb; see the class of each for what it raises."""
    return _PARSERS[kind](options)


def split_sources(text: str) -> tuple[str, ...]:
    """The names in a list with commas, each once."""
    return tuple(dict.fromkeys(text.split(",")))


def _check_origin(values: Mapping[str, Any]) -> None:
    """:raises InvalidArgs: when source, channel or platform cannot be one."""
    for name in split_sources(values.get("source", "official")):
        if not _NAME.fullmatch(name):
            text = messages.SOURCE_NAME_NOT_VALID(value=quote(name))
            raise InvalidArgs(text.with_remedy(messages.LIST_SOURCES(), "dockmgrctl sources"))
        if name == FASTEST and values["source"] != FASTEST:
            raise InvalidArgs(messages.FASTEST_WITH_SOURCES(source=FASTEST))
    if values.get("channel", "stable") not in CHANNELS:
        text = messages.CHANNEL_UNKNOWN(value=quote(values["channel"]))
        raise InvalidArgs(text.with_remedy(messages.CHOOSE_CHANNEL(channels=list(CHANNELS))))
    if values.get("platform") and not _PLATFORM.fullmatch(values["platform"]):
        text = messages.PLATFORM_NOT_VALID(value=quote(values["platform"]))
        raise InvalidArgs(text.with_remedy(messages.WRITE_LIKE(example="rhel/9")))


def _check_registry(values: dict[str, Any]) -> None:
    """:raises InvalidArgs: when the registry is not valid, or the options do not fit it."""
    values["registry"] = urls.normalize_registry(values.get("registry", DOCKER_HUB))
    if values["registry"] != DOCKER_HUB and values.get("mode") is not Mode.REMOVE:
        urls.check_paths(values["mirrors"])


def _check_seconds(values: Mapping[str, Any], key: str, least: int, most: int) -> None:
    """:raises InvalidArgs: when the option is out of its range."""
    if not least <= values.get(key, least) <= most:
        option = key.replace("_", "-")
        raise InvalidArgs(messages.OPTION_OUT_OF_RANGE(option=option, min=least, max=most))


def _check_plan(values: Mapping[str, Any]) -> None:
    """:raises InvalidArgs: when the plan is no digest, or is asked for and agreed to at once."""
    if values.get("plan") and not _DIGEST.fullmatch(values["plan"]):
        text = messages.PLAN_NOT_VALID(value=quote(values["plan"]))
        raise InvalidArgs(text.with_remedy(messages.USE_DIGEST()))
    if values.get("plan") and values.get("dry_run"):
        raise _make_exclusive_error("plan", "dry-run")


def _check_options(kind: Kind, options: Mapping[str, Any]) -> dict[str, Any]:
    """The options as keyword arguments, each known and of its type."""
    accepted = SIGNATURES[kind]
    values = {}
    for key, value in options.items():
        if key not in accepted:
            known = sorted(accepted)
            text = messages.OPTION_UNKNOWN(option=quote(key), verb=kind.value, options=known)
            raise InvalidArgs(text)
        if not has_type(value, accepted[key]):
            raise InvalidArgs(messages.OPTION_MUST_HAVE_TYPE(option=key, expected=accepted[key]))
        _check_size(key, value, MAX_PROBED if kind is Kind.PROBE else MAX_LIST)
        values[key.replace("-", "_")] = value
    return values


def _check_size(key: str, value: object, max_entries: int) -> None:
    texts = value if isinstance(value, list) else [value]
    if len(texts) > max_entries:
        raise LimitsExceeded(messages.OPTION_TOO_MANY(option=key, max=max_entries))
    if any(isinstance(text, str) and len(text) > MAX_STRING for text in texts):
        raise LimitsExceeded(messages.OPTION_TOO_LONG(option=key, max=MAX_STRING))


def _make_exclusive_error(first: str, second: str) -> InvalidArgs:
    text = messages.OPTIONS_EXCLUSIVE(first=first, second=second)
    return InvalidArgs(text.with_remedy(messages.GIVE_ONE()))


_PARSERS: Mapping[Kind, Callable[[Mapping[str, Any]], Options]] = {
    Kind.INSTALL: InstallOptions.parse,
    Kind.SET_MIRROR: SetMirrorOptions.parse,
    Kind.PROBE: ProbeOptions.parse,
    Kind.UNINSTALL: UninstallOptions.parse,
    Kind.LIST_VERSIONS: ListVersionsOptions.parse,
    Kind.PROBE_SOURCES: ProbeSourcesOptions.parse,
}
