# SPDX-License-Identifier: LGPL-2.1-or-later
"""Callback plugin of Ansible: writes each task's result and the recap as JSON lines to $RECORD."""

from __future__ import annotations

import json
import os
from typing import Any

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: recorder
type: notification
short_description: Write results as JSON lines
description: Writes each task's result and the recap as JSON lines to the file that RECORD names.
"""


class CallbackModule(CallbackBase):  # type: ignore[misc]  # has no types
    """What Ansible calls for each event; it finds the class by this name."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "recorder"

    def v2_runner_on_ok(self, result: Any) -> None:
        _write_result(result, "ok")

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        _write_result(result, "ignored" if ignore_errors else "failed")

    def v2_runner_on_skipped(self, result: Any) -> None:
        _write_result(result, "skipped")

    def v2_runner_on_unreachable(self, result: Any) -> None:
        _write_result(result, "unreachable")

    def v2_playbook_on_stats(self, stats: Any) -> None:
        _write(recap={host: stats.summarize(host) for host in stats.processed})


def _write_result(result: Any, state: str) -> None:
    host, task = result._host.get_name(), result._task.get_name()
    _write(host=host, task=task, state=state, result=result._result)


def _write(**event: object) -> None:
    with open(os.environ["RECORD"], "a") as stream:
        stream.write(json.dumps(event, default=str) + "\n")
