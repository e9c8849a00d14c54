# SPDX-License-Identifier: LGPL-2.1-or-later
"""What is wrong with the administrator's limits."""

from __future__ import annotations

from dockmgrd.messages.text import Template

LIMITS_NOT_READABLE = Template("limits-not-readable", "{path} cannot be read: {reason}")
LIMITS_KEPT = Template("limits-kept", "{problem}. The last valid limits stay in force.")
LIMITS_UNKNOWN = Template(
    "limits-unknown", "{problem}. Until it is fixed, every mirror needs {action}."
)
LIMITS_NOT_SAVED = Template(
    "limits-not-saved", "The copy of the limits in {path} cannot be written: {reason}"
)
