# SPDX-License-Identifier: LGPL-2.1-or-later
"""The check that mirrors work, before they are set."""

from __future__ import annotations

from dockmgrd.job.context import JobContext
from dockmgrd.options.mirrors import SetMirrorOptions


async def verify_mirrors(
    context: JobContext, options: SetMirrorOptions, wanted: tuple[str, ...]
) -> None:
    """Check the requested mirrors that will be in the list, if the options ask for that.

    :raises MirrorUnreachable: when one of them fails.
    :raises InvalidArgs: when no image of the registry is known to try them with.
    """
    if not options.verify:
        return
    # Loads TLS, which takes as long as the rest of a plain change.
    from dockmgrd.job.probe.probe import verify

    mirrors = tuple(url for url in options.mirrors if url in wanted)
    await verify(context, mirrors, options.registry)
