# SPDX-License-Identifier: LGPL-2.1-or-later
"""What is said about mirrors of registries other than Docker Hub, and their hosts.toml files."""

from __future__ import annotations

from dockmgrd.messages.text import Template

HOSTS_FILE_OF_OTHERS = Template(
    "hosts-file-of-others",
    "{file} has content that dockmgrd did not write, so it was left as it was.",
)
CHANGE_OR_MOVE_HOSTS_FILE = Template(
    "change-or-move-hosts-file",
    "Change the mirrors in that file yourself, or move it away and try again.",
)
HOSTS_FILE_CHANGED = Template(
    "hosts-file-changed", "{file} was changed by others at the same time, so it was left alone."
)
REPEAT_CHANGE = Template("repeat-mirror-change", "Look at the file, and try again.")
DEFAULT_HOSTS_FILE_HIDDEN = Template(
    "default-hosts-file-hidden",
    "{file} holds for every registry that has no folder of its own. It would no longer hold for "
    "{registry}.",
)
MAKE_REGISTRY_FOLDER = Template(
    "make-registry-folder",
    "If {registry} should not use that file any more, create the folder of the registry and try "
    "again.",
)
CLASSIC_STORE = Template(
    "classic-image-store",
    "Docker Engine keeps its images in the classic image store, with which it uses mirrors of "
    "Docker Hub alone. It does not use mirrors of {registry}.",
)
SWITCH_STORE = Template(
    "switch-image-store",
    "Set the feature containerd-snapshotter to true in daemon.json and restart Docker Engine. It "
    "then no longer shows its present images. To set the mirrors anyway, use the option "
    "allow-unused.",
)
SWITCH_STORE_OR_CLEAR = Template(
    "switch-image-store-or-clear",
    "Set the feature containerd-snapshotter to true in daemon.json and restart Docker Engine. It "
    "then no longer shows its present images. Or remove the mirrors.",
)
OLD_ENGINE = Template(
    "engine-without-hosts-files",
    "Docker {version} uses mirrors of Docker Hub alone. It does not use mirrors of {registry}.",
)
UPGRADE_ENGINE = Template(
    "upgrade-engine-for-hosts-files",
    "Upgrade to Docker 28 or newer. To set the mirrors anyway, use the option allow-unused.",
)
UPGRADE_ENGINE_OR_CLEAR = Template(
    "upgrade-engine-or-clear", "Upgrade to Docker 28 or newer, or remove the mirrors."
)
SUPPORT_UNKNOWN = Template(
    "hosts-files-support-unknown",
    "Docker Engine uses the mirrors of {registry} if it is version 28 or newer and has the "
    "containerd image store, as new installations of Docker 29 do.",
)
CERTIFICATE_NAME_NOT_TEXT = Template(
    "certificate-name-not-text",
    "The name of the file {file} is not UTF-8, so {hosts} cannot name it.",
)
RENAME_FILE = Template("rename-file", "Rename the file and try again.")
FOLDER_IS_LINK = Template(
    "folder-is-link",
    "{file} was left as it was: {link} is a symbolic link to {target}, and dockmgrd follows none "
    "there.",
)
REPLACE_LINK = Template(
    "replace-link", "Replace the link by the folder or file itself, and try again."
)
FOLDER_OPEN_TO_OTHERS = Template(
    "folder-open-to-others",
    "{file} was left as it was: users other than root can change the folder {folder}.",
)
LET_ROOT_ALONE_WRITE = Template(
    "let-root-alone-write", "Let root alone write to the folder, and try again."
)
FOLDER_NOT_A_FOLDER = Template(
    "folder-not-a-folder", "{file} was left as it was: {path} is not a folder."
)
