# SPDX-License-Identifier: LGPL-2.1-or-later
"""Faults of ours: the traceback goes to the journal, the caller gets a number to find it by."""

from __future__ import annotations

import logging
import os
import sys

from dockmgrd import errors, journal, names

logger = logging.getLogger(__name__)


def report_incident(error: Exception) -> errors.Internal:
    """Log a fault of ours with its traceback, and make the error that the caller may see."""
    incident = os.urandom(6).hex()
    entry = journal.Entry(
        f"Unexpected error, incident {incident}: {type(error).__name__}",
        message_id=names.MESSAGE_INTERNAL_ERROR,
        priority=journal.ERROR,
        fields={"DOCKMGR_INCIDENT": incident},
    )
    try:
        journal.record(entry)
        logger.error("incident %s", incident, exc_info=error)
    except (OSError, ImportError):
        # The journal's library is loaded when it is needed, which can be when no file can be
        # opened any more. The caller gets an answer all the same.
        print(entry.message, errors.harmless(str(error)), file=sys.stderr)
    return errors.Internal(
        f"An unexpected error happened (incident {incident}); "
        f"'journalctl DOCKMGR_INCIDENT={incident}' shows it, please report it."
    )
