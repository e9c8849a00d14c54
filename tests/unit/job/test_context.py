# SPDX-License-Identifier: LGPL-2.1-or-later
"""The phases in which a job can be canceled, and its reports."""

from __future__ import annotations

import asyncio
import json
from typing import Any, cast

import pytest

from dockmgrd.enums import Kind, Stage
from dockmgrd.host.engine import Engine
from dockmgrd.host.systemd import Systemd
from dockmgrd.job.context import JobContext
from dockmgrd.model import JobRequest
from dockmgrd.sd import protocols


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What the job has said of itself."""
    texts: list[dict[str, Any]] = []
    monkeypatch.setattr(
        protocols, "notify", lambda text: texts.append(json.loads(text[len("STATUS=") :]))
    )
    return texts


def make_context() -> JobContext:
    request = JobRequest("20260101T000000_abcdef", Kind.INSTALL, {}, 0, 1)
    context = JobContext(request, cast("Systemd", None), Engine())
    task = asyncio.current_task()
    assert task is not None
    context.run_in(task)
    return context


async def test_a_job_whose_work_is_done_is_not_canceled_any_more(
    said: list[dict[str, Any]],
) -> None:
    context = make_context()
    context.report(Stage.VERIFYING, 0.9)
    context.commit()
    context.cancel()
    await asyncio.sleep(0)
    assert [each["cancellable"] for each in said] == [True, False]
    assert {each["stage"] for each in said} == {"verifying"}
    context.report(Stage.STARTING, 0.95)
    assert said[-1]["cancellable"] is False


async def test_a_held_section_runs_to_its_end_and_the_rest_is_canceled(
    said: list[dict[str, Any]],
) -> None:
    context = make_context()
    with context.hold():
        context.cancel()
        await asyncio.sleep(0)
    assert said[-1]["cancellable"] is False
    context.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.sleep(0)
    with pytest.raises(asyncio.CancelledError), context.hold():
        pass
