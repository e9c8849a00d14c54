# SPDX-License-Identifier: LGPL-2.1-or-later
"""What is said about files of the host that cannot be read, written or removed."""

from __future__ import annotations

from dockmgrd.messages.text import Template

FILE_SYSTEM_FULL = Template(
    "file-system-full", "{file} was left as it was: its file system is full."
)
FREE_SPACE_THERE = Template("free-space-there", "Free some space there and try again.")
WRITE_FAILED = Template("write-failed", "{file} could not be changed: {reason}.")
READ_FAILED = Template("read-failed", "{file} cannot be read: {reason}.")
MAKE_WRITABLE = Template("make-writable", "Make it writable for root and try again.")
IMMUTABLE = Template(
    "immutable", "{file} could not be changed: {path} has the immutable or append-only attribute."
)
CLEAR_ATTRIBUTE = Template("clear-attribute", "Clear the attribute and try again.")
ON_READ_ONLY_MOUNT = Template(
    "on-read-only-mount", "{file} could not be changed: {mount} is mounted read-only."
)
REMOUNT_WRITABLE = Template("remount-writable", "Mount it writable and try again.")
IS_MOUNT_POINT = Template(
    "is-mount-point", "{file} could not be changed: {path} is a mount point of its own."
)
UNMOUNT_FILE = Template("unmount-file", "Change the file at its origin, or unmount it.")
NOT_A_REGULAR_FILE = Template("not-a-regular-file", "{file} is not a regular file but {kind}.")
LINK_TO_NO_FILE = Template(
    "link-to-no-file", "{file} is a link to {target}, which is not a regular file but {kind}."
)
LINK_LOOP = Template("link-loop", "{file} is a symbolic link that leads to itself.")
LINK_TO_MISSING_FOLDER = Template(
    "link-to-missing-folder", "{file} is a link to {target}, whose folder does not exist."
)
PARENT_NOT_A_FOLDER = Template("parent-not-a-folder", "{folder} is not a folder but {kind}.")
CORRECT_PATH = Template("correct-path", "Correct the path and try again.")
KIND_DIRECTORY = Template("kind-directory", "a directory")
KIND_DEVICE = Template("kind-device", "a device")
KIND_FIFO = Template("kind-fifo", "a FIFO")
KIND_SOCKET = Template("kind-socket", "a socket")
KIND_FILE = Template("kind-file", "a file")
KIND_UNKNOWN = Template("kind-unknown", "a special file")
