# SPDX-License-Identifier: LGPL-2.1-or-later
"""The words of the API about jobs: what they are for, and where they are."""

from __future__ import annotations

from enum import Enum


class Kind(Enum):
    """What a job is for. The value is what the bus, the journal and the request file say."""

    INSTALL = "install"
    SET_MIRROR = "set-mirror"
    PROBE = "probe"
    UNINSTALL = "uninstall"
    LIST_VERSIONS = "versions"
    PROBE_SOURCES = "probe-sources"


class JobState(Enum):
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"


class Stage(Enum):
    """Steps of a job, in the words that a person sees."""

    PREPARING = "preparing"
    METADATA = "metadata"
    RESOLVING = "resolving"
    DOWNLOADING = "downloading"
    CHECKING = "checking"
    INSTALLING = "installing"
    CONFIGURING = "configuring"
    STARTING = "starting"
    STOPPING = "stopping"
    REMOVING = "removing"
    VERIFYING = "verifying"
    PROBING = "probing"
    PURGING = "purging"
    FINISHED = "finished"
