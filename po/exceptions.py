# SPDX-License-Identifier: LGPL-2.1-or-later
"""What `messages` cannot see by looking at the source."""

from __future__ import annotations

import errno
import re

MARKS = ("_", "told", "field", "table", "uncut", "_section", "grouped")
"""Functions of dockmgrctl that translate a literal argument, which may be one word."""

TABLES = (
    "dockmgrd/model.py:Stage",
    "dockmgrd/model.py:JobState",
    "dockmgrd/job/probe/verdicts.py:Verdict",
    "dockmgrd/cli/view/probe.py:_HEADER",
    "dockmgrd/cli/view/tables.py:_ACTIONS",
    "dockmgrd/cli/view/tables.py:_MEANINGS",
    "dockmgrd/cli/view/plan.py:_ACTIONS",
    "dockmgrd/cli/view/plan.py:_LISTS",
    "dockmgrd/cli/view/render.py:_LISTS",
)
"""Enums and tables whose values a person sees, though they are words. Kinds of jobs are commands,
which are the same everywhere."""

WORDS = (
    *("Engine", "Jobs", "More", "Options"),
    *("NAME", "TITLE", "REGION", "PREFIX", "NOTES"),
    *("downloaded", "freed"),
    "success",
)
"""Titles of groups of commands and options, columns that are named by their keys, labels, codes."""

FILES_THAT_TELL_NOBODY = ("dockmgrd/daemon/audit.py", "dockmgrd/messages/text.py")
"""What the journal gets is in English, as all of it."""

NOT_MESSAGES = frozenset(
    {
        "latest",
        "Docker CE",
        "There is no request for job {0}.",
        "{0}; 'dockmgrctl install' changes it, 'dockmgrctl uninstall' takes it away.",
        "Bearer {0}",
        "Basic {0}",
        "request of version {0}",
        "no job id: {0}",
        "no D-Bus type for {0}",
        "no catalogue of translations",
        "ascii",
        "{0} ms",
        "{0} install --source aliyun",
        "{0} help install",
    }
)
"""Names, content of files, protocols, and what programmers do wrong."""

CALLS_THAT_TELL_NOBODY = (
    "logger.debug",
    "logger.info",
    "logger.warning",
    "logger.error",
    "journal.Entry",
    "Entry",
    "re.compile",
    "parse",
)

NOT_FOR_PEOPLE = re.compile(
    r"^(systemctl|journalctl|ls|dockmgrctl) |<\w+|HTTP/1|^# |^_\w+ |-----BEGIN|-----END|^--\w+="
)
"""Commands, markup and protocols."""

GLUE = ("{0} ({1})", "{0}: {1}", "; ", ", ")
"""How messages are put beside each other in one."""

OF_OTHERS = (
    "self-signed certificate",
    "self-signed certificate in certificate chain",
    "unable to get local issuer certificate",
    "certificate has expired",
    "certificate is not yet valid",
    "Hostname mismatch, certificate is not valid for '{0}'",
    "IP address mismatch, certificate is not valid for '{0}'",
    "Expecting value",
    "Expecting property name enclosed in double quotes",
    "Expecting ',' delimiter",
    "Expecting ':' delimiter",
    "Extra data",
    "Unterminated string starting at",
    "Invalid control character at",
    "Invalid \\escape",
    "Illegal trailing comma before end of object",
    "Illegal trailing comma before end of array",
    "argument {0}: {1}",
    "expected one argument",
    "ignored explicit argument {0}",
    "the following arguments are required: {0}",
)
"""Reasons of OpenSSL and of Python's json and argparse that messages of ours quote."""

ERRNOS = (
    errno.EACCES,
    errno.EBUSY,
    errno.ECONNREFUSED,
    errno.EEXIST,
    errno.EHOSTUNREACH,
    errno.EIO,
    errno.EISDIR,
    errno.ELOOP,
    errno.ENETUNREACH,
    errno.ENOENT,
    errno.ENOSPC,
    errno.ENOTDIR,
    errno.EPERM,
    errno.EPIPE,
    errno.EROFS,
    errno.ETIMEDOUT,
)
"""Reasons of the kernel that messages of ours quote."""
