# SPDX-License-Identifier: LGPL-2.1-or-later
"""Why a request is not valid or not authorized."""

from __future__ import annotations

from dockmgrd.messages.text import Template

# Authorization.
CALLER_LEFT = Template("caller-left", "The caller left the bus before its user was known.")
CALLER_LEFT_POLKIT = Template(
    "caller-left-before-answer", "The caller has left the bus before polkit answered."
)
POLKIT_SILENT = Template(
    "polkit-silent", "polkit did not answer in time, and without it only root may do this."
)
POLKIT_GONE = Template(
    "polkit-gone", "polkit cannot be asked ({reason}), and without it only root may do this."
)
SEE_POLKIT = Template("see-polkit", "Look at the state of polkit.")
DIALOG_DISMISSED = Template(
    "dialog-dismissed", "The authentication dialog for {action} was dismissed; nothing was done."
)
REQUEST_AGAIN = Template("request-again", "Submit the request again to be asked again.")
AUTHENTICATION_NEEDED = Template("authentication-needed", "{action} requires authentication.")
NO_AGENT = Template(
    "no-agent", "Not authorized for {action}: no polkit authentication agent is available."
)
AUTHENTICATE = Template(
    "authenticate",
    "Submit the request where a password can be asked for, or have an administrator allow it "
    "with a polkit rule.",
)
NOT_AUTHENTICATED = Template(
    "not-authenticated",
    "User {uid} is not authorized for {action}: the password was wrong, or a rule forbids it.",
)
NOT_AUTHORIZED = Template("not-authorized", "User {uid} is not authorized for {action}.")
ADD_RULE = Template("add-polkit-rule", "An administrator can allow it with a polkit rule.")
HOST_CHANGED = Template(
    "host-changed-since-authorization",
    "The host changed after polkit authorized this request, which now needs {action}, too.",
)
SUBMIT_AGAIN = Template("submit-again", "Submit the request again.")
SOURCE_NOT_ALLOWED = Template(
    "source-not-allowed",
    "Source '{source}' is not allowed on this host. {path} allows {allowed}.",
)
CHOOSE_ALLOWED_SOURCE = Template("choose-allowed-source", "Choose one of these sources.")
ONLY_ROOT_SETS_LOG_LEVEL = Template(
    "only-root-sets-log-level", "Only root may change the log level."
)
LOG_TARGET_IS_FIXED = Template(
    "log-target-is-fixed", "{name} cannot be changed: dockmgrd logs to the journal."
)
LOG_LEVEL_UNKNOWN = Template("log-level-unknown", "The log level must be one of {levels}.")

# Options.
OPTION_MUST_HAVE_TYPE = Template(
    "option-must-have-type", "Option '{option}' must have D-Bus type '{expected}'."
)
OPTION_UNKNOWN = Template("option-unknown", "Unknown option {option}; {verb} takes {options}.")
OPTION_TOO_MANY = Template("option-has-too-many", "Option '{option}' has more than {max} entries.")
OPTION_TOO_LONG = Template("option-too-long", "Option '{option}' is longer than {max} characters.")
OPTION_OUT_OF_RANGE = Template(
    "option-out-of-range", "Option '{option}' must be {min} to {max} seconds."
)
OPTIONS_EXCLUSIVE = Template(
    "options-exclusive", "Options '{first}' and '{second}' exclude each other."
)
GIVE_ONE = Template("give-one-option", "Use only one of them.")
VERSION_NOT_VALID = Template("version-not-valid", "{value} is not a valid version.")
WRITE_LIKE = Template("write-like", "Write it like {example}.")
FASTEST_WITH_SOURCES = Template(
    "fastest-with-sources", "The source '{source}' cannot be combined with others."
)
SOURCE_NAME_NOT_VALID = Template(
    "source-name-not-valid", "{value} is not a valid name of a source."
)
LIST_SOURCES = Template("list-sources", "Choose one from the list of sources.")
CHANNEL_UNKNOWN = Template("channel-unknown", "{value} is not a channel of Docker.")
CHOOSE_CHANNEL = Template("choose-channel", "Use one of: {channels}.")
PLATFORM_NOT_VALID = Template("platform-not-valid", "{value} is not a valid platform.")
URL_NOT_ALLOWED = Template("url-not-allowed", "Option '{option}' does not take the URL {value}.")
USE_HTTPS_URL = Template(
    "use-https-url", "Use a URL that begins with https:// and has no user name and no spaces."
)
PLAN_NOT_VALID = Template("plan-not-valid", "{value} is not the digest of a plan.")
USE_DIGEST = Template("use-digest", "Use the digest that a dry run returns.")
MIRRORS_MISSING = Template("mirrors-missing", "SetMirror requires the list of mirrors.")
EMPTY_LIST_CLEARS = Template("empty-list-clears", "Use an empty list to remove all mirrors.")
MODE_UNKNOWN = Template("mode-unknown", "{value} is not a mode.")
CHOOSE_MODE = Template("choose-mode", "Use one of: {modes}.")
NO_MIRROR_TO_APPEND = Template("no-mirror-to-append", "There is no mirror to append.")
NO_MIRROR_TO_REMOVE = Template("no-mirror-to-remove", "There is no mirror to remove.")
NAME_MIRROR = Template("name-a-mirror", "Name the URL of at least one mirror.")
REGISTRY_NOT_VALID = Template("registry-not-valid", "{registry} is not a valid name of a registry.")
NAME_REGISTRY = Template(
    "name-registry",
    "Write what precedes the first slash in the names of its images, such as ghcr.io or "
    "registry.example:5000.",
)
REGISTRY_UPPER_CASE = Template(
    "registry-upper-case",
    "The name of the registry {registry} has uppercase letters. Docker takes it for another "
    "registry than the one in lowercase.",
)
WRITE_REGISTRY_IN_LOWERCASE = Template(
    "write-registry-in-lowercase", "Write the name in lowercase."
)

# URLs of mirrors.
MIRROR_HAS_SPACE = Template(
    "mirror-has-space", "Mirror {url} contains a space or a control character."
)
MIRROR_NOT_URL = Template("mirror-not-url", "Mirror {url} is not a valid URL: {reason}.")
MIRROR_NOT_REGISTRY = Template("mirror-not-registry", "Mirror {url} is not a registry URL.")
MIRROR_HAS_USER = Template(
    "mirror-has-user", "The URL of the mirror at {host} has a user name, which dockerd refuses."
)
USE_DOCKER_LOGIN = Template(
    "use-docker-login", "Use 'docker login' for a registry that requires a password."
)
MIRROR_HAS_QUERY = Template("mirror-has-query", "Mirror {url} has a query or a fragment.")
USE_ROOT_URL = Template("use-root-url", "Use the URL of its root.")
MIRROR_PATH_NOT_ASCII = Template(
    "mirror-path-not-ascii", "Mirror {url} has a path that is not ASCII."
)
ENCODE_PATH = Template("encode-path", "Write the path in %XX.")
MIRROR_PATH_NOT_VALID = Template(
    "mirror-path-not-valid",
    "The path of mirror {url} has characters or parts that a URL must not have.",
)
CORRECT_MIRROR_PATH = Template(
    "correct-mirror-path",
    "Write other characters in %XX, and leave out empty parts, '.' and '..'.",
)
MIRROR_HOST_NOT_VALID = Template(
    "mirror-host-not-valid", "Mirror {url} has an invalid host or port."
)
MIRROR_HOST_AMBIGUOUS = Template(
    "mirror-host-ambiguous", "Mirror {url} has a host name that can be read in two ways."
)
USE_ASCII_HOST = Template(
    "use-ascii-host", "Write the name in its ASCII form, which begins with xn--."
)
