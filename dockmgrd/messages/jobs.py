# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the daemon says about jobs."""

from __future__ import annotations

from dockmgrd.messages.text import Template

JOB_INTERRUPTED = Template(
    "job-interrupted",
    "Job {job} ended without a result while {stage}: it was killed, or the host lost power.",
)
REPEAT_REQUEST = Template("repeat-request", "Submit the same request again to continue.")

JOB_RESULT_UNREADABLE = Template(
    "job-result-unreadable",
    "Job {job} has ended, but the result that it left in {path} is not readable.",
)
SEE_JOB_LOG = Template("see-job-log", "The log of job {job} shows what it did.")
FOLDER_IS_FULL = Template(
    "state-folder-is-full", "The file system of {path} has no space or no inodes left ({reason})."
)
FOLDER_FAILED = Template(
    "state-folder-failed", "dockmgrd cannot make a folder in {path}: {reason}."
)
MAKE_ROOM = Template(
    "make-room-for-state", "Make sure that it is writable and has free space, and try again."
)
LOCK_FAILED = Template(
    "job-lock-failed", "The lock that keeps jobs apart, {path}, cannot be taken: {reason}."
)
NAME_IS_TAKEN = Template(
    "bus-name-is-taken", "Another process owns {name} on the system bus, so dockmgrd already runs."
)
NAME_IS_REFUSED = Template("bus-name-is-refused", "The system bus does not give {name}: {reason}.")
SEE_DAEMON = Template("see-daemon", "Look at the unit of the daemon that runs.")
DAEMON_IS_STARTING = Template(
    "daemon-is-starting", "Too many calls wait until dockmgrd has started."
)
TRY_LATER = Template("try-later", "Try again in a moment.")
