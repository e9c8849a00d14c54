# SPDX-License-Identifier: LGPL-2.1-or-later
"""The options of the verbs about packages."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dockmgrd import mirror_urls as urls
from dockmgrd.enums import Kind
from dockmgrd.errors import InvalidArgs, quote
from dockmgrd.messages import requests as messages
from dockmgrd.options.validation import Options, check_options, check_seconds

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
class InstallOptions(Options):
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
        values = check_options(Kind.INSTALL, options)
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
        check_seconds(values, "lock_wait", 0, MAX_LOCK_WAIT)
        _check_plan(values)
        if "mirrors" in values:
            values["mirrors"] = urls.normalize_mirrors(values["mirrors"])
        return cls(**values)

    @property
    def sources(self) -> tuple[str, ...]:
        return split_sources(self.source)


@dataclass(frozen=True)
class ListVersionsOptions(Options):
    """The options of ListVersions, which mean the same as those of Install."""

    source: str = "official"
    channel: str = "stable"
    platform: str = ""

    @classmethod
    def parse(cls, options: Mapping[str, Any]) -> ListVersionsOptions:
        """:raises InvalidArgs, LimitsExceeded: naming the option and what it takes."""
        values = check_options(Kind.LIST_VERSIONS, options)
        _check_origin(values)
        return cls(**values)

    @property
    def sources(self) -> tuple[str, ...]:
        return split_sources(self.source)


@dataclass(frozen=True)
class ProbeSourcesOptions(Options):
    """The options of ProbeSources, which mean the same as those of Install."""

    channel: str = "stable"
    platform: str = ""

    @classmethod
    def parse(cls, options: Mapping[str, Any]) -> ProbeSourcesOptions:
        """:raises InvalidArgs, LimitsExceeded: naming the option and what it takes."""
        values = check_options(Kind.PROBE_SOURCES, options)
        _check_origin(values)
        return cls(**values)


@dataclass(frozen=True)
class UninstallOptions(Options):
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
        values = check_options(Kind.UNINSTALL, options)
        check_seconds(values, "lock_wait", 0, MAX_LOCK_WAIT)
        _check_plan(values)
        return cls(**values)


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


def _check_plan(values: Mapping[str, Any]) -> None:
    """:raises InvalidArgs: when the plan is no digest, or is asked for and agreed to at once."""
    if values.get("plan") and not _DIGEST.fullmatch(values["plan"]):
        text = messages.PLAN_NOT_VALID(value=quote(values["plan"]))
        raise InvalidArgs(text.with_remedy(messages.USE_DIGEST()))
    if values.get("plan") and values.get("dry_run"):
        raise _make_exclusive_error("plan", "dry-run")


def _make_exclusive_error(first: str, second: str) -> InvalidArgs:
    text = messages.OPTIONS_EXCLUSIVE(first=first, second=second)
    return InvalidArgs(text.with_remedy(messages.GIVE_ONE()))
