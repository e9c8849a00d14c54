# SPDX-License-Identifier: LGPL-2.1-or-later
"""Words for the values of enums and for methods of systemd, as arguments of sentences."""

from __future__ import annotations

from collections.abc import Mapping

from dockmgrd.messages.text import Template, Text

STAGES: Mapping[str, Template] = {
    "preparing": Template("stage-preparing", "preparing"),
    "metadata": Template("stage-metadata", "metadata"),
    "resolving": Template("stage-resolving", "resolving"),
    "downloading": Template("stage-downloading", "downloading"),
    "checking": Template("stage-checking", "checking"),
    "installing": Template("stage-installing", "installing"),
    "configuring": Template("stage-configuring", "configuring"),
    "starting": Template("stage-starting", "starting"),
    "stopping": Template("stage-stopping", "stopping"),
    "removing": Template("stage-removing", "removing"),
    "verifying": Template("stage-verifying", "verifying"),
    "probing": Template("stage-probing", "probing"),
    "purging": Template("stage-purging", "purging"),
    "finished": Template("stage-finished", "finished"),
}
"""By the values of enums.Stage."""

JOB_STATES: Mapping[str, Template] = {
    "running": Template("state-running", "running"),
    "done": Template("state-done", "done"),
    "failed": Template("state-failed", "failed"),
    "cancelled": Template("state-canceled", "canceled"),
    "interrupted": Template("state-interrupted", "interrupted"),
}
"""By the values of enums.JobState."""

GERUNDS: Mapping[str, Template] = {
    "StartUnit": Template("starting-unit", "Starting"),
    "StopUnit": Template("stopping-unit", "Stopping"),
    "ReloadUnit": Template("reloading-unit", "Reloading"),
}
"""By the methods of systemd that start a job of a unit."""

VERBS: Mapping[str, Template] = {
    "StartUnit": Template("start-unit", "start"),
    "StopUnit": Template("stop-unit", "stop"),
    "ReloadUnit": Template("reload-unit", "reload"),
    "EnableUnitFiles": Template("enable-unit", "enable"),
    "DisableUnitFiles": Template("disable-unit", "disable"),
}
"""By the methods of systemd that change units."""


def describe_stage(stage: str) -> Text | str:
    """Return the word for a value of enums.Stage; the value itself if it is a newer one."""
    return STAGES[stage]() if stage in STAGES else stage


def describe_state(state: str) -> Text | str:
    """Return the word for a value of enums.JobState; the value itself if it is a newer one."""
    return JOB_STATES[state]() if state in JOB_STATES else state
