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

# Reasons: the end of "FILE, line LINE: ", without a full stop
LIMIT_UNKNOWN = Template("limit-unknown", "{key} is not one of {keys}")
LIMIT_NOT_VALID = Template("limit-not-valid", "{key}: {reason}")
LIMIT_NOT_SOURCE = Template("limit-not-source", "{key}: {source} is not a valid name of a source")
NO_SOURCE_ALLOWED = Template("no-source-allowed", "allowed-sources: name at least one source")
DEFAULT_WITH_OTHERS = Template(
    "default-source-with-others", "default-source: {source} cannot be combined with others"
)
DEFAULT_NOT_ALLOWED = Template(
    "default-source-not-allowed", "default-source: {source} is not among allowed-sources"
)
REGISTRY_NOT_NORMAL = Template(
    "registry-not-normal", "allowed-mirrors: write the registry {registry} as {normal}"
)
LIMIT_NOT_HOST = Template(
    "limit-not-host",
    "allowed-mirrors: {host} is not a valid host. Write it like mirror.example, "
    "mirror.example:5000 or '*.example'",
)
IDLE_NOT_VALID = Template(
    "idle-not-valid", "idle-seconds: {seconds} is not a whole number from 1 to {max}"
)
WATCH_KEY_UNKNOWN = Template("watch-key-unknown", "mirror-watch: {key} is not one of {keys}")
WATCH_WITHOUT_INTERVAL = Template(
    "watch-without-interval", "mirror-watch: 'every' is missing. Write it like {example}"
)
WATCH_INTERVAL_NOT_VALID = Template(
    "watch-interval-not-valid",
    "mirror-watch: {interval} is not a time from 10min to 7d. Write it like 30min, 6h or 1d",
)
WATCH_CHOICE_UNKNOWN = Template(
    "watch-choice-unknown", "mirror-watch: choose-from: {choice} is not one of {choices}"
)
CANDIDATES_WITHOUT_LIST = Template(
    "candidates-without-list",
    "mirror-watch: choose-from: candidates needs a list of hosts in allowed-mirrors",
)
