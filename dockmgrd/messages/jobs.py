# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the daemon says about jobs."""

from __future__ import annotations

from dockmgrd.messages.text import Template

JOB_INTERRUPTED = Template(
    "job-interrupted",
    "Job {job} ended without a result while {stage}: it was killed, or the host lost power.",
)
JOB_CANCELED = Template("job-canceled", "Job {job} was canceled before it changed anything.")
JOB_IS_RUNNING = Template(
    "job-is-running", "Job {job} ({kind}) has been changing this host since {since}."
)
ANOTHER_JOB_RUNS = Template("another-job-runs", "Another job is changing this host.")
WAIT_OR_CANCEL = Template("wait-or-cancel", "Wait until it ends or cancel it.")
TOO_MANY_WAIT = Template("too-many-jobs-wait", "{count} of your jobs wait for a place already.")
WAIT_OR_CANCEL_ONE = Template("wait-or-cancel-one", "Wait until one of them ends or cancel one.")
JOB_WAITS = Template("job-waits", "Waiting until other jobs have ended")
JOB_HAS_ENDED = Template("job-has-ended", "Job {job} has already ended; it is {state}.")
JOB_MUST_NOT_STOP = Template(
    "job-must-not-stop", "Job {job} is {stage} and must not be stopped halfway."
)
WAIT_FOR_JOB = Template("wait-for-job", "Wait until it ends.")
JOB_IS_SHARED = Template(
    "job-is-shared",
    "Job {job} keeps running because other users wait for it (user ids: {users}). "
    "It no longer counts as yours.",
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
INTERNAL_ERROR = Template("internal-error", "An unexpected error happened (incident {incident}).")
REPORT_INCIDENT = Template("report-incident", "Report it with the traceback from the journal.")
