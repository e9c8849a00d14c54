# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the job was started for is still what its user was allowed: looked at again before the work.

polkit answers about what is there when it is asked: the mirrors that daemon.json has, the hosts
that the administrator lists. Each can be another one by the time the job has its turn.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dockmgrd import options
from dockmgrd.errors import AccessDenied
from dockmgrd.host import adminconfig
from dockmgrd.mirror_urls import Mode, as_known
from dockmgrd.model import JobRequest

if TYPE_CHECKING:
    from dockmgrd.actions import Known


def check(request: JobRequest, parsed: options.Options) -> None:
    """Compare the questions that there are now with those that were answered with yes.

    :raises AccessDenied: when there is another one, or a source that is not allowed any more.
    """
    limits, _ = adminconfig.load()
    limits.check(parsed)
    if request.caller_uid == 0:
        return
    from dockmgrd import actions

    for question in actions.questions(parsed, _known(parsed, limits)):
        if question.to_json() not in request.granted:
            raise AccessDenied(
                "What this would do is not any more what polkit has allowed, because the host was "
                f"changed meanwhile ({question.action}); ask for the same again."
            )


def _known(parsed: options.Options, limits: adminconfig.AdminConfig) -> Known:
    from dockmgrd import actions
    from dockmgrd.catalog import mirrors as candidates
    from dockmgrd.host.docker_config import HostFiles

    configured: tuple[str, ...] = ()
    merges = isinstance(parsed, options.SetMirrorOptions) and parsed.mode is not Mode.REPLACE
    probes = actions.needs_candidates(parsed)
    if merges or probes:
        configured = as_known(HostFiles().mirrors().mirrors)
    return actions.Known(configured, candidates.load().mirrors if probes else (), limits.admits)
