# SPDX-License-Identifier: LGPL-2.1-or-later
"""Check that a request still needs no more than what polkit authorized.

polkit's answer is about the host as it was then: the mirrors in daemon.json, the administrator's
list of hosts. Both can change until the job starts.
"""

from __future__ import annotations

from functools import partial

from dockmgrd import actions
from dockmgrd.catalog import mirrors as candidates
from dockmgrd.errors import AccessDenied
from dockmgrd.host import adminconfig
from dockmgrd.host.registry_folders import read_configured_mirrors
from dockmgrd.messages import requests as messages
from dockmgrd.mirror_urls import Mode
from dockmgrd.model import JobRequest
from dockmgrd.names import DOCKER_HUB
from dockmgrd.options.mirrors import SetMirrorOptions
from dockmgrd.options.validation import Options


def check(request: JobRequest, parsed: Options) -> None:
    """Compare the authorizations that the request needs now with those that were granted.

    :raises AccessDenied: when it needs another one, or names a source that is no longer allowed.
    """
    limits, _ = adminconfig.load()
    limits.check(parsed)
    if request.caller_uid == 0:
        return

    for each in actions.find_authorizations(parsed, _find_known_mirrors(parsed, limits)):
        if each not in request.granted:
            text = messages.HOST_CHANGED(action=each.action)
            raise AccessDenied(text.with_remedy(messages.SUBMIT_AGAIN()))


def _find_known_mirrors(parsed: Options, limits: adminconfig.Limits) -> actions.KnownMirrors:
    configured: tuple[str, ...] = ()
    registry = getattr(parsed, "registry", DOCKER_HUB)
    merges = isinstance(parsed, SetMirrorOptions) and parsed.mode is not Mode.REPLACE
    probes = actions.needs_candidates(parsed)
    if merges or probes:
        configured = read_configured_mirrors(registry)
    return actions.KnownMirrors(
        configured,
        candidates.load().list_mirrors(registry) if probes else (),
        partial(limits.admits, registry=registry),
    )
