# SPDX-License-Identifier: LGPL-2.1-or-later
"""The errors of dockmgrctl itself, and what it says about jobs and the connection."""

from __future__ import annotations

from dockmgrd.messages.text import Template

# The command line
SEE_HELP = Template("see-help", "See '{command}'.")
DID_YOU_MEAN = Template("did-you-mean", "Did you mean '{command}'?")
DID_YOU_MEAN_URL = Template("did-you-mean-url", "Did you mean {url}?")
ARGUMENT_NOT_UTF8 = Template("argument-not-utf8", "The argument {argument} is not valid UTF-8.")
COMMAND_MISSING = Template("command-missing", "A command is missing.")
UNKNOWN_COMMAND = Template("unknown-command", "{command} is not a command of dockmgrctl.")
UNKNOWN_OPTION = Template("unknown-option", "{command} has no option {option}.")
OPTION_NEEDS_VALUE = Template("option-needs-value", "{option} needs a value, such as {example}.")
OPTION_TAKES_NO_VALUE = Template("option-takes-no-value", "{option} does not take a value.")
NOT_AN_INTEGER = Template("not-an-integer", "The value of {option}, {value}, is not an integer.")
UNEXPECTED_ARGUMENT = Template("unexpected-argument", "The argument {argument} is one too many.")
NOT_A_JSON_FORM = Template(
    "not-a-json-form", "The value of --json, {value}, is not one of {forms}."
)
NOT_A_HOST = Template("not-a-host", "The value of --host, {value}, is not a host.")
USE_HOST = Template("use-host", "Use [USER@]HOST[:PORT], such as root@web1.")
ONE_HOST_ONLY = Template("one-host-only", "--host takes one host.")
USE_COLLECTION = Template(
    "use-collection", "For several hosts, use the Ansible collection dockmgr.docker."
)
NOT_A_URL = Template("not-a-url", "{value} is not a URL.")
APPEND_WITH_REMOVE = Template("append-with-remove", "--append and --remove exclude each other.")
NO_SOURCE_WORKS = Template("cli-no-source-works", "No package source works from here.")
FASTEST_WITH_OTHERS = Template(
    "fastest-with-others", "--fastest can only be combined with --append and --dry-run."
)
SET_MIRROR_NEEDS_URL = Template(
    "set-mirror-needs-url", "set-mirror needs the URLs of mirrors, or either --clear or --fastest."
)

# Jobs
NO_SUCH_JOB = Template("no-such-job", "There is no job {job}.")
LIST_JOBS = Template("list-jobs", "List the jobs to see their ids.")
NO_JOBS = Template("no-jobs", "There are no jobs yet.")
NO_RUNNING_JOB = Template("no-running-job", "No job is running.")
JOB_AMBIGUOUS = Template("job-ambiguous", "The ids of several jobs end in {ending}: {jobs}.")
GIVE_MORE_OF_THE_ID = Template("give-more-of-the-id", "Give more of the id.")
JOB_ENDED_AS = Template("job-ended-as", "Job {job} ended as {state}.")
JOB_NOT_STARTED = Template(
    "job-not-started", "dockmgrd stopped before it had started the job. Nothing was done."
)
RUN_AGAIN = Template("run-again", "Run the command again.")
JOB_ENDED_BEFORE_CANCEL = Template(
    "job-ended-before-cancel", "Job {job} ended as {state} before it could be canceled."
)
SEE_JOB_RESULT = Template("see-job-result", "Follow it to see its result.")
JOB_KEEPS_RUNNING = Template(
    "job-keeps-running",
    "Job {job} keeps running in the background. To watch it: {program} follow {ending}. "
    "To stop it: {program} cancel {ending}.",
)
JOB_IS_BEING_CANCELED = Template(
    "job-is-being-canceled",
    "Job {job} is being canceled. To see how it ended: {program} jobs.",
)
MAYBE_STARTED = Template(
    "maybe-started", "Interrupted. To see whether the job has started: {program} jobs."
)
NOTHING_WAS_DONE = Template("nothing-was-done", "Nothing was done.")
NOT_CONFIRMED = Template("not-confirmed", "Nothing was done, because you did not confirm the plan.")
STOPPED_FOLLOWING = Template(
    "stopped-following", "{reason} The job keeps running in the unit {unit}."
)
SEE_UNIT = Template("see-unit", "Look at the state of the unit.")

# Mirrors
NO_MIRROR_WORKS = Template("no-mirror-works", "None of the mirrors works.")
SEE_TABLE_OR_TRY_OTHERS = Template(
    "see-table-or-try-others",
    "The table shows why. To try another one: {program} probe URL.",
)
NO_MIRROR_WORKS_NOTHING_CHANGED = Template(
    "no-mirror-works-nothing-changed", "None of the mirrors works, so nothing was changed."
)
PROBE_OR_SET_ANYWAY = Template(
    "probe-or-set-anyway",
    "Probe the mirrors to see why, or name one to set it without a test.",
)

# The connection
BUS_UNREACHABLE = Template(
    "bus-unreachable",
    "The system bus cannot be reached: {reason}. dockmgrctl needs it to talk to dockmgrd.",
)
SERVICE_MISSING = Template("service-missing", "The service {name} is not on this host.")
INSTALL_DOCKMGRD = Template("install-dockmgrd", "Install the package dockmgrd.")
SERVICE_WENT_AWAY = Template("service-went-away", "dockmgrd stopped before it answered.")
TRY_AGAIN = Template("try-again", "Try again.")
SERVICE_DOES_NOT_START = Template("service-does-not-start", "dockmgrd does not start: {reason}.")
VERSIONS_DIFFER = Template(
    "versions-differ", "dockmgrctl and dockmgrd differ, as after an upgrade. Jobs keep running."
)
RESTART_DOCKMGRD = Template("restart-dockmgrd", "Restart dockmgrd to use its new version.")
SERVICE_OF_OTHER_VERSION = Template(
    "service-of-other-version",
    "dockmgrd {theirs} does not know what dockmgrctl {ours} asks for. {reason}",
)
OUTPUT_FAILED = Template(
    "output-failed", "The answer cannot be written: {reason}. The request itself is done."
)

PROXY_OF_SHELL = Template(
    "proxy-of-shell", "This shell sets {variable}, but dockmgrd does not use it."
)
SET_PROXY_OF_DNF = Template(
    "set-proxy-of-dnf", "If downloads of packages need that proxy, set 'proxy' in {file}."
)

# Another host
SSH_FAILED = Template("ssh-failed", "ssh cannot reach {host}.")
SSH_FAILED_BECAUSE = Template("ssh-failed-because", "ssh cannot reach {host}: {reason}.")
SSH_DOES_NOT_START = Template("ssh-does-not-start", "ssh does not start: {reason}.")
INSTALL_SSH = Template("install-ssh", "Install the package openssh-clients.")
BRIDGE_MISSING = Template("bridge-missing", "{program} is not installed on {host}.")
INSTALL_SYSTEMD = Template("install-systemd", "Install it there. It is part of systemd.")
HOST_CONNECTION_ENDED = Template("host-connection-ended", "The connection to {host} has ended.")
JOB_GOES_ON = Template("job-goes-on", "{reason} Job {job} keeps running there.")
FOLLOW_AGAIN = Template("follow-again", "Follow it again to see its result.")
ANSWER_UNREADABLE = Template(
    "answer-unreadable",
    "{host} sent an answer that dockmgrctl {version} does not understand.",
)
SERVICE_MISSING_ON_HOST = Template(
    "service-missing-on-host", "The service {name} is not on {host}."
)
INSTALL_DOCKMGRD_THERE = Template(
    "install-dockmgrd-there", "Install the package dockmgrd on that host."
)
AUTHORIZE_WITHOUT_PASSWORD = Template(
    "authorize-without-password",
    "With --host, no password can be asked for. Log in as root, or as a user whom polkit "
    "authorizes without a password.",
)
VERSIONS_DIFFER_ON_HOST = Template(
    "versions-differ-on-host", "dockmgrctl on this host and dockmgrd on {host} differ."
)
USE_ONE_VERSION = Template("use-one-version", "Install the same version on both.")
MAYBE_STARTED_ON_HOST = Template(
    "maybe-started-on-host", "List the jobs to see whether the job has started."
)
