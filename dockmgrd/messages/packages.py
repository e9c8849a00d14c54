# SPDX-License-Identifier: LGPL-2.1-or-later
"""What jobs say about packages, their sources, the engine's service, and purging."""

from __future__ import annotations

from dockmgrd.messages.text import Template, Text

SENTENCES = Template("sentences", "{first} {second}")
"""Two sentences, one after the other."""
MORE_NAMES = Template("more-names", "{count} more")


# The package worker.
WORKER_KILLED = Template(
    "worker-killed", "The package worker was killed by {signal} before it changed anything."
)
DNF_CRASHED = Template("dnf-crashed", "dnf crashed with {signal} before it changed anything.")
WORKER_EXITED = Template(
    "worker-exited", "The package worker exited with status {status} before it changed anything."
)
WORKER_KILLED_WRITING = Template(
    "worker-killed-writing", "The package worker was killed by {signal} while rpm was writing."
)
WORKER_EXITED_WRITING = Template(
    "worker-exited-writing",
    "The package worker exited with status {status} while rpm was writing.",
)
WORKER_OUT_OF_TURN = Template(
    "worker-out-of-turn", "The package worker sent an event out of turn: {event}."
)
RPM_DATABASE_NOT_READ = Template(
    "rpm-database-not-read", "The database of rpm cannot be read: {reason}."
)
REBUILD_DATABASE = Template(
    "rebuild-database", "Rebuild the database. If that fails, restore it from a backup."
)
READ_WORKER_JOURNAL = Template(
    "read-worker-journal", "Look for the cause in the journal of the job's unit, then try again."
)
CHECK_PACKAGES = Template("check-packages", "Check the package database, then try again.")

# Sources.
NO_SOURCE_SERVES = Template(
    "no-source-serves", "None of the sources can serve this request. {reasons}"
)
SOURCE_FAILED = Template("source-failed", "{source}: {reason}")
GIVE_CONTAINERD_RPM = Template(
    "give-containerd-rpm", "Or give the URL of a {package} package that fits this host."
)

# Refusals.
CONTAINERS_RUNNING = Template("containers-running", "Containers are running: {containers}.")
AGREE_TO_STOP = Template("agree-to-stop", "Stop them, or agree to have them stopped.")
PLAN_CHANGED = Template(
    "plan-changed", "The plan has changed since it was shown: {difference}. Nothing was done."
)
AGREE_TO_NEW_PLAN = Template("agree-to-new-plan", "Look at the new plan and agree to that one.")
PLAN_UNKNOWN = Template("plan-unknown", "the plan with the digest {digest} is no longer known")
PLAN_ADDS = Template("plan-adds", "it would also {added}")
PLAN_OMITS = Template("plan-omits", "it would no longer {omitted}")
PLAN_ADDS_AND_OMITS = Template(
    "plan-adds-and-omits", "it would also {added}, and would no longer {omitted}"
)
HIDDEN_CHANGE = Template(
    "hidden-change", "{path} changes. Not everyone may read it, so the change is not shown."
)

# The engine.
KERNEL_MODULE_MISSING = Template(
    "kernel-module-missing",
    "The kernel {release} has no module {module}, which dockerd needs to start. "
    "Nothing was changed.",
)
INSTALL_KERNEL_MODULES = Template(
    "install-kernel-modules",
    "Install {package}. If the repositories no longer have it for this kernel, install the "
    "newest kernel with it and reboot.",
)
PACKAGES_REMAIN = Template("packages-remain", "{error} The packages remain installed.")
PACKAGES_ARE_REMOVED = Template(
    "packages-are-removed", "{error} Docker's packages have already been removed."
)
DATA_ROOT_UNKNOWN = Template(
    "data-root-unknown",
    "{unit} starts '{program}' instead of dockerd. If that names another data root, this folder is "
    "not deleted.",
)
DATA_ROOT_NOT_A_PATH = Template("data-root-not-a-path", '"{key}" in {path} is not a path.')
CORRECT_FILE = Template("correct-file", "Correct the file and try again.")
RESTART_UNCLEAR = Template(
    "restart-unclear", "Docker restarts. Its containers are not known: {reason}"
)
RESTART_NO_CONTAINERS = Template(
    "restart-no-containers", "Docker restarts; no container is running."
)
RESTART_STOPS_CONTAINERS = Template(
    "restart-stops-containers",
    "Docker restarts and live-restore is off, so these containers stop: {containers}.",
)
START_FINDS_CONTAINERS = Template(
    "start-finds-containers",
    "These containers run without an engine: {containers}. When Docker Engine starts, it takes "
    "them over if live-restore is on, and stops them otherwise.",
)
RESTART_KEEPS_CONTAINERS = Template(
    "restart-keeps-containers",
    "Docker restarts, and live-restore keeps these containers running: {containers}.",
)
RESTART_MAY_KEEP_CONTAINERS = Template(
    "restart-may-keep-containers",
    "Docker restarts, and live-restore should keep these containers running, which Docker "
    "promises for patch releases only: {containers}.",
)
ENGINE_OF_OTHERS = Template(
    "engine-of-others",
    "{unit} is still running and belongs to another package. Its data was kept.",
)
STOP_AND_PURGE = Template("stop-and-purge", "Stop it and uninstall with its data again.")
CONTAINERD_OF_OTHERS = Template(
    "containerd-of-others",
    "A containerd that an uninstallation does not stop is running. {path} was kept.",
)

ENGINE_UNMANAGED = Template(
    "engine-outside-unit",
    "A Docker Engine that {unit} has not started is running ({program}, process {pid}).",
)
STOP_ENGINE_FIRST = Template("stop-engine-first", "Stop it and try again.")
CONTAINERD_USED = Template(
    "containerd-used",
    "Others use containerd.io, too: its namespaces {namespaces} have images or containers.",
)
AGREE_TO_REMOVE_CONTAINERD = Template(
    "agree-to-remove-containerd", "Remove what is in them, or agree to leave it without containerd."
)
CONTAINERD_DATA_KEPT = Template(
    "containerd-data-kept",
    "{path} was kept: its namespaces {namespaces} have images or containers of others.",
)
CONTAINERD_DATA_UNKNOWN = Template(
    "containerd-data-unknown",
    "{path} was kept: whether it has data of others is not known ({reason}).",
)
CONTAINERD_ROOT_KEPT = Template(
    "containerd-root-kept", "{path} was kept: containerd has data there, too."
)
DELETE_ROOT_BY_HAND = Template(
    "delete-root-by-hand", "If no other program uses it, delete the folder by hand."
)
METADATA_UNREADABLE = Template("metadata-unreadable", "{file} cannot be read: {reason}")
METADATA_UNKNOWN = Template("metadata-unknown", "{file} is damaged or has an unknown format")

# The host.
HOST_IS_IMAGE_BASED = Template(
    "host-is-image-based",
    "This host boots an image (OSTree), and dnf cannot change the packages of an image.",
)
USE_RPM_OSTREE = Template(
    "use-rpm-ostree", "Change the image, or layer the packages on it with rpm-ostree."
)
PACKAGES_READ_ONLY = Template(
    "packages-read-only", "Packages cannot be changed: {path} is on {mount}, which is read-only."
)
LEFTOVER_BRIDGE = Template("leftover-bridge", "The network bridge {bridge} remains.")
LEFTOVER_RULES = Template("leftover-rules", "The rules of Docker in {program} remain.")
LEFTOVER_POLICY = Template(
    "leftover-policy",
    "The policy of the chain FORWARD in {program} is DROP, which Docker sets.",
)
LEFTOVER_GROUP = Template("leftover-group", "The group {group} remains.")
LEFTOVER_CLIENT_FOLDER = Template(
    "leftover-client-folder",
    "{folder} remains, with the settings and logins of the docker command.",
)
REMOVE_LEFTOVER = Template("remove-leftover", "Remove it if nothing else uses it.")
RESET_POLICY = Template("reset-policy", "Reset the policy if nothing else needs it.")

# Files.
RENAME_FAILED = Template("rename-failed", "{source} could not be renamed to {target}: {reason}.")
MAKE_FOLDER_WRITABLE = Template(
    "make-folder-writable", "Make the folder writable for root and try again."
)

# Purging.
UNMOUNT_FAILED = Template("unmount-failed", "{path} could not be unmounted: {reason}.")
UNMOUNT_AND_REPEAT = Template("unmount-and-repeat", "Unmount it and uninstall again.")
DELETE_FAILED = Template("delete-failed", "{path} could not be deleted: {reason}.")
REASON_MOUNT_POINT = Template("reason-mount-point", "something is mounted there")
REASON_MOVED = Template("reason-moved", "it was moved meanwhile")
FREE_AND_REPEAT = Template("free-and-repeat", "See what uses it, then uninstall again.")
UNSAFE_PATH = Template("unsafe-path", "{path} is not deleted: {cause}. Nothing was purged.")
DELETE_BY_HAND = Template(
    "delete-by-hand", "Delete by hand what is to go, and uninstall without purging."
)
CAUSE_NOT_A_FULL_PATH = Template(
    "unsafe-not-a-full-path", "it is not the full path of a folder below another folder"
)
CAUSE_LINK = Template("unsafe-link", "{link} is a symbolic link to {target}")
CAUSE_MOUNT = Template("unsafe-mount", "{point} is mounted in it")
CAUSE_NOT_A_FOLDER = Template("unsafe-not-a-folder", "it is not a folder")
CAUSE_FOREIGN_CONTENT = Template("unsafe-foreign-content", "{name} in it does not belong to Docker")
CAUSE_OPEN_TO_OTHERS = Template(
    "unsafe-open-to-others", "users other than root can change {folder}"
)


def join_sentences(*sentences: Text) -> Text:
    """The sentences one after the other, at least one."""
    joined = sentences[0]
    for each in sentences[1:]:
        joined = SENTENCES(first=joined, second=each)
    return joined
