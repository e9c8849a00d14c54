# SPDX-License-Identifier: LGPL-2.1-or-later
"""Messages of the D-Bus layer."""

from __future__ import annotations

from dockmgrd.messages.text import Template

# What a call says
UNKNOWN_OBJECT = Template("unknown-object", "There is no object at {path}.")
UNKNOWN_INTERFACE = Template("unknown-interface", "{path} has no interface {interface}.")
UNKNOWN_METHOD = Template("unknown-method", "{owner} has no method {method}.")
UNKNOWN_PROPERTY = Template("unknown-property", "{interface} has no property {property}.")
PROPERTY_READ_ONLY = Template(
    "property-read-only", "{property} is read-only; the methods change it."
)
PROPERTY_TYPE = Template("property-type", "{property} must have D-Bus type '{type}'.")
ARGUMENT_TYPES = Template(
    "argument-types", "{method} takes arguments of type '{expected}', not '{type}'."
)
OPTION_TYPE = Template(
    "option-type", "Option '{option}' must have D-Bus type '{expected}', not '{type}'."
)
OPTION_RANGE = Template(
    "option-range", "Option '{option}' is {value}; it must be {minimum} to {maximum}."
)

# How many calls one user may make
CALL_TOO_LONG = Template(
    "call-too-long", "The message is longer than {limit} bytes, more than any call may be."
)
CALL_UNREADABLE = Template("call-unreadable", "The message cannot be read.")
TOO_MANY_UNREAD_CALLS = Template("too-many-unread-calls", "Too many of your calls wait to be read.")
WAIT_FOR_REPLIES = Template("wait-for-replies", "Wait for replies between calls.")
TOO_MANY_RUNNING_CALLS = Template(
    "too-many-running-calls", "Connection {holder} already has {limit} calls without a reply."
)
TOO_MANY_AUTHORIZATIONS = Template(
    "too-many-authorizations",
    "User {holder} already has {limit} requests waiting for authorization.",
)
TOO_MANY_WAITS = Template("too-many-waits", "User {holder} already has {limit} calls of Wait.")
WAIT_FOR_END = Template("wait-for-end", "Wait until one of them ends.")

# How a call ends without its reply
DAEMON_STOPPING = Template("daemon-stopping", "The daemon is stopping.")
CALL_AGAIN = Template("call-again", "Call again.")
CONNECTION_ENDED = Template("connection-ended", "The connection to the system bus ended.")
NO_REPLY = Template("no-reply", "{destination} did not answer {method} in time.")
NO_REPLY_WITHIN = Template(
    "no-reply-within", "{destination} did not answer {method} within {seconds} s."
)
