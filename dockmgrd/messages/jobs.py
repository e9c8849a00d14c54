# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the daemon says about jobs."""

from __future__ import annotations

from dockmgrd.messages.text import Template

JOB_INTERRUPTED = Template(
    "job-interrupted",
    "Job {job} ended without a result while {stage}: it was killed, or the host lost power.",
)
REPEAT_REQUEST = Template("repeat-request", "Submit the same request again to continue.")
