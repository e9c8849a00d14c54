# SPDX-License-Identifier: LGPL-2.1-or-later
"""The main process of dockmgrd-job@ID.service."""

from __future__ import annotations

import gc
import importlib
import os
import sys

# Modules are no garbage, and searching them for some takes a tenth of the time to load them.
gc.set_threshold(50_000)

from dockmgrd.enums import Kind  # noqa: E402
from dockmgrd.host.jobstore import JobStore  # noqa: E402
from dockmgrd.model import JobRequest  # noqa: E402


def opens_tls(request: JobRequest) -> bool:
    """Whether the job may have a connection with TLS: all may but plain changes of mirrors."""
    return request.kind is not Kind.SET_MIRROR or bool(request.options.get("verify"))


def run() -> None:
    """Run the job of the command line. The daemon waits for our end, so Python does not tidy up."""
    [job_id] = sys.argv[1:]
    request = JobStore().read_request(job_id)
    if request is not None and not opens_tls(request):
        # asyncio loads OpenSSL if there is such a module, which takes 6 ms of a change of mirrors.
        sys.modules["ssl"] = None  # type: ignore[assignment]
    code = importlib.import_module("dockmgrd.job.process").main(job_id, request)
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    run()
