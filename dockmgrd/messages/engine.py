# SPDX-License-Identifier: LGPL-2.1-or-later
"""What is said about the Docker Engine, its unit, its configuration file and systemd."""

from __future__ import annotations

from dockmgrd.messages.text import Template

# The engine's API
ENGINE_REQUEST_TIMEOUT = Template(
    "engine-request-timeout", "Docker Engine did not answer {request} within {seconds} seconds."
)
ENGINE_UNREACHABLE = Template(
    "engine-unreachable", "Docker Engine does not answer on {socket}: {reason}."
)
ENGINE_BROKE_OFF = Template(
    "engine-broke-off", "Docker Engine closed the connection while answering {request}."
)
ENGINE_REPLY_UNKNOWN = Template(
    "engine-reply-unknown",
    "The reply to {request} is not one of Docker Engine's API: {reason}.",
)
LOOK_AT_SOCKET = Template("look-at-socket", "Check which program serves the socket.")
ENGINE_STATUS_UNEXPECTED = Template(
    "engine-status-unexpected", "Docker Engine answered {request} with status {status}."
)
CONTAINER_NOT_STOPPED = Template(
    "container-not-stopped",
    "Docker Engine did not stop the container {container} within {seconds} seconds.",
)
KILL_CONTAINER = Template("kill-container", "Kill the container and try again.")
LOOK_AT_ENGINE_STATUS = Template("look-at-engine-status", "Look at the status of docker.service.")
LOOK_AT_ENGINE_LOG = Template("look-at-engine-log", "Look at the log of docker.service.")

# systemd
UNIT_FAILED = Template("unit-failed", "{action} {unit} failed (result: {result}).")
UNIT_REFUSED = Template("unit-refused", "systemd refused to {action} {units}: {reason}.")
LOOK_AT_UNIT_LOG = Template("look-at-unit-log", "Look at the log of {unit}.")
SYSTEMD_LEFT = Template("systemd-left", "systemd left the bus.")

# daemon.json
CONFIG_INVALID = Template("config-invalid", "{file} is not valid: {reason}.")
FIX_CONFIG = Template("fix-config", "Fix the file and try again.")
NOT_UTF8 = Template("not-utf8", "line {line} is not UTF-8")
JSON_ERROR = Template("json-error", "line {line}, column {column}: {reason}")
NESTED_TOO_DEEPLY = Template("nested-too-deeply", "it is nested too deeply")
NOT_AN_OBJECT = Template("not-an-object", "it is not a JSON object")
KEY_TWICE = Template("key-twice", "the key {key} occurs twice")
NOT_A_CONSTANT = Template("not-a-constant", "{word} is not JSON")
MIRRORS_NOT_STRINGS = Template("mirrors-not-strings", '"registry-mirrors" is not a list of strings')

# How docker.service starts dockerd
FLAG_IN_UNIT = Template(
    "flag-in-unit",
    "docker.service passes {flag} to dockerd ({place}), and dockerd does not start when "
    "daemon.json sets the same.",
)
REMOVE_FLAG = Template("remove-flag", "Remove the option from the unit and try again.")
SETTING_TWICE = Template(
    "setting-twice",
    "{file} sets '{key}', and docker.service passes {flag} to dockerd ({place}). dockerd does not "
    "start when a setting is in both places.",
)
REMOVE_KEY_OR_FLAG = Template(
    "remove-key-or-flag", "Remove the key from the file, or the option from the unit."
)
OTHER_CONFIG_FILE = Template(
    "other-config-file",
    "Docker Engine reads {file} instead of {ours}, because of {flag} in {place}.",
)
USE_ONE_CONFIG_FILE = Template(
    "use-one-config-file",
    "Remove the option from the unit, or set the mirrors in that file yourself.",
)

# SetMirror
DOCKERD_REJECTS_CONFIG = Template(
    "dockerd-rejects-config",
    "dockerd would not start with these mirrors in {file}: {reason}. The file was left as it was.",
)
DOCKERD_REJECTS_PRIVATE_CONFIG = Template(
    "dockerd-rejects-private-config",
    "dockerd would not start with these mirrors in {file}, which only root can read. The file was "
    "left as it was.",
)
VALIDATE_AS_ROOT = Template("validate-as-root", "Check the file as root.")
MIRROR_PATH_UNSUPPORTED = Template(
    "mirror-path-unsupported",
    "The mirror {mirror} has a path, and Docker {version} does not start with such a mirror.",
)
USE_ROOT_OF_MIRROR = Template(
    "use-root-of-mirror", "Use a mirror without a path, or upgrade to Docker 24.0.8 or newer."
)
MIRROR_PATH_MAY_FAIL = Template(
    "mirror-path-may-fail",
    "The mirror {mirror} has a path. Docker 24.0.7 and older do not start with such a mirror.",
)
HOSTS_FILE_WINS = Template(
    "hosts-file-wins",
    "{file} names hosts for Docker Hub. With the containerd image store, Docker Engine uses those "
    "instead of registry-mirrors.",
)
REMOVE_HOSTS = Template("remove-hosts", "Remove the hosts from that file to use the mirrors.")
ENGINE_NOT_RUNNING = Template(
    "engine-not-running",
    "Docker Engine is not running. The mirrors take effect when it starts.",
)
ENGINE_NOT_INSTALLED = Template(
    "engine-not-installed",
    "Docker is not installed. The mirrors will be used once it is.",
)
MIRRORS_NOT_TAKEN = Template(
    "mirrors-not-taken",
    "After the reload Docker Engine uses the mirrors {actual} instead of {wanted}. The change of "
    "{file} was undone.",
)
FILE_NOT_TAKEN = Template(
    "file-not-taken",
    "After the reload Docker Engine uses the mirrors {actual} instead of {wanted}, which {file} "
    "names. The file was left as it was.",
)
MIRROR_UNUSABLE = Template(
    "mirror-unusable", "Docker Engine cannot use the registry mirror '{mirror}' in {file}: {reason}"
)
REMOVE_OR_CORRECT_MIRROR = Template("remove-or-correct-mirror", "Remove or correct the entry.")
NO_MIRRORS = Template("no-mirrors", "none")
OTHER_MIRRORS_EXPECTED = Template(
    "other-mirrors-expected",
    "{file} names other mirrors than the request expects: {mirrors}. It was left as it was.",
)
CONFIG_EDITED = Template(
    "config-edited", "{file} was edited at the same time, so it was left as it was."
)
REPEAT_AFTER_EDIT = Template("repeat-after-edit", "Look at the configured mirrors, and try again.")
INSECURE_REGISTRIES_FORGOTTEN = Template(
    "insecure-registries-forgotten",
    "Docker Engine forgot the insecure registries {registries} during the reload, which is a bug "
    "of its version.",
)
RESTART_ENGINE = Template("restart-engine", "Restart Docker Engine to load them again.")
RELOAD_NOT_CONFIRMED = Template("reload-not-confirmed", "Docker Engine did not confirm the reload.")
RELOADING_ENGINE = Template("reloading-engine", "reloading Docker Engine")
DIFF_NOT_SHOWN = Template(
    "diff-not-shown", "{file} is not readable for everybody, so its changes are not shown."
)
LOOK_AT_FILE = Template("look-at-file", "Look at the file and its folders.")
ENGINE_CANNOT_RELOAD = Template(
    "engine-cannot-reload",
    "Docker Engine (process {pid}) cannot be reloaded safely: {reason}.",
)
RESTART_ENGINE_YOURSELF = Template(
    "restart-engine-yourself", "Restart it yourself when its containers allow that."
)
CONFIG_LINK_UNREADABLE = Template(
    "config-link-unreadable",
    "{file} is a link to {target}, which dockmgrd cannot read from its sandbox.",
)

# Problems of the set-up
UNIT_MASKED = Template("unit-masked", "{unit} is masked, so Docker Engine cannot start.")
UNMASK_UNIT = Template("unmask-unit", "Unmask the unit.")
UNIT_INVALID = Template("unit-invalid", "systemd cannot load {unit}: its settings are not valid.")
CORRECT_UNIT = Template("correct-unit", "Correct the unit file or its drop-ins.")
SOCKET_FAILED = Template(
    "socket-failed",
    "{unit} failed. The group docker may be missing, or something else may stand at the path of "
    "the socket.",
)
SOCKET_STOPPED = Template(
    "socket-stopped", "{unit} does not listen any more, because {service} did not start."
)
NO_LOCAL_SOCKET = Template(
    "no-local-socket",
    "Docker Engine listens only on {hosts}, so its state is unknown here.",
)
ADD_LOCAL_SOCKET = Template(
    "add-local-socket", "Add '-H fd://' to the command line of dockerd in the unit."
)
NO_EXEC_RELOAD = Template(
    "no-exec-reload", "{unit} has no ExecReload, so 'systemctl reload docker' fails."
)
ADD_EXEC_RELOAD = Template(
    "add-exec-reload", "Add the line 'ExecReload=/bin/kill -s HUP $MAINPID' to its section Service."
)
CONDITION_UNMET = Template(
    "condition-unmet",
    "systemd does not start {unit}, because a condition or an assertion of the unit is not met.",
)
START_LIMIT_HIT = Template(
    "start-limit-hit", "{unit} failed too often, and systemd does not start it any more."
)
FIX_AND_START = Template(
    "fix-and-start",
    "Find the cause in its log, fix it, and start the unit after 'systemctl reset-failed docker'.",
)
ENGINE_UNMANAGED = Template(
    "engine-unmanaged",
    "A Docker Engine runs that {unit} did not start: process {pid} in {place}.",
)
STOP_AND_START_UNIT = Template(
    "stop-and-start-unit",
    "To have systemd manage it, stop that engine when its containers allow it, and start "
    "docker.service.",
)
