# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the package worker says."""

from __future__ import annotations

from dockmgrd.messages.text import Template

# Repositories
REPOSITORY_FAILED = Template(
    "repository-failed", "The repository at {address} cannot be used: {reason}."
)
CHECK_NETWORK_OR_SOURCE = Template(
    "check-network-or-source", "Check the network and the proxy, or choose another source."
)
REPOSITORY_SKIPPED = Template(
    "repository-skipped", "The repository {repository} did not answer and was skipped."
)
REPOSITORY_WITHOUT_ADDRESS = Template(
    "repository-without-address",
    "The repository {repository} has no valid baseurl, metalink or mirrorlist and was skipped.",
)
OFFLINE_BY_CONFIGURATION = Template(
    "offline-by-configuration",
    "The configuration of dnf sets 'cacheonly', so that nothing is downloaded: {reason}",
)
SETTING_UNSUITABLE = Template(
    "setting-unsuitable",
    "The configuration of dnf sets '{setting}', with which Docker would not be installed or "
    "removed completely.",
)
REMOVE_SETTING = Template("remove-setting", "Remove '{name}' from the configuration in /etc/dnf.")
CHECK_CLOCK = Template(
    "check-clock",
    "The clock of this host may be behind. Check the time and set the clock.",
)
REPOSITORY_FILE_NOT_READ = Template("repository-file-not-read", "dnf does not read {file}.")
CORRECT_REPOSDIR = Template("correct-reposdir", "Correct 'reposdir' in /etc/dnf/dnf.conf.")
REPOSITORY_DEFINED_TWICE = Template(
    "repository-defined-twice",
    "{file} also defines the repository {repository}, and dnf would use that one instead of "
    "{ours}.",
)
REMOVE_OTHER_DEFINITION = Template(
    "remove-other-definition", "Remove the section [{repository}] from {file}."
)
DNF_CONFIGURATION_INVALID = Template(
    "dnf-configuration-invalid", "The configuration of dnf cannot be read: {reason}."
)
FIX_AND_TRY_AGAIN = Template("fix-and-try-again", "Fix the file and try again.")
DOWNLOAD_FAILED = Template("download-failed", "{url} cannot be downloaded: {reason}.")
CHECK_ADDRESS_AND_NETWORK = Template(
    "check-address-and-network", "Check the address, the network and the proxy."
)
NOT_A_PACKAGE = Template("not-a-package", "Not a package for this host: {urls}.")

# Resolution
RESOLUTION_FAILED = Template("resolution-failed", "dnf cannot resolve this: {reason}.")
ENABLE_REPOSITORY_OR_VERSION = Template(
    "enable-repository-or-version",
    "Enable the repository that has what is missing, or choose another version.",
)
VERSION_NOT_IN_SOURCE = Template(
    "version-not-in-source",
    "{package} {version} is not in {address}. The nearest versions there are {nearest}.",
)
PACKAGE_NOT_IN_SOURCE = Template("package-not-in-source", "{package} is not in {address}.")
CHOOSE_SOURCE_OR_CHANNEL = Template(
    "choose-source-or-channel", "Choose another source or another channel."
)
PACKAGE_EXCLUDED = Template(
    "package-excluded",
    "{package} is in {address}, but 'excludepkgs' or 'includepkgs' hides it from dnf.",
)
LOOK_AT_EXCLUDES = Template(
    "look-at-excludes",
    "Correct 'excludepkgs' and 'includepkgs' in /etc/dnf and in the repository files.",
)
PACKAGE_VERSION_LOCKED = Template(
    "package-version-locked",
    "{package} is in {address}, but a version lock hides it from dnf.",
)
LOOK_AT_VERSION_LOCKS = Template(
    "look-at-version-locks",
    "Look at the output of 'dnf versionlock list', and delete the lock or choose its version.",
)
PACKAGE_IN_MODULE = Template(
    "package-in-module", "{package} is in {address}, but an enabled module hides it from dnf."
)
LOOK_AT_MODULES = Template(
    "look-at-modules",
    "Look at the output of 'dnf module list --enabled', and disable the module.",
)
PACKAGES_PROTECTED = Template(
    "packages-protected", "dnf protects packages that would have to be removed: {packages}."
)
LOOK_AT_PROTECTED = Template(
    "look-at-protected",
    "Take them out of the files in /etc/dnf/protected.d and of 'protected_packages' in "
    "/etc/dnf/dnf.conf.",
)
EXTRA_PACKAGE_MISSING = Template(
    "extra-package-missing", "No enabled repository has the package {package}."
)
ENABLE_REPOSITORY_OR_OMIT = Template(
    "enable-repository-or-omit", "Enable the repository that has it, or install without it."
)

# Progress
DOWNLOADED = Template("downloaded", "{done} of {total} MB, {rate} MB/s, {item} of {items}")
PACKAGE_OF_ALL = Template("package-of-all", "{package}, {item} of {items}")

# Removals
REMOVAL_REQUESTED = Template("removal-requested", "requested")
OBSOLETED_BY = Template("obsoleted-by", "{package} replaces it")
CONFLICTS_WITH = Template("conflicts-with", "it conflicts with {package}")
NEEDS_PACKAGE = Template("needs-package", "it needs {package}")
CANNOT_STAY = Template("cannot-stay", "it cannot stay beside what is installed")
PACKAGE_AND_REASON = Template("package-and-reason", "{package} ({reason})")
INSTALL_WOULD_REMOVE = Template(
    "install-would-remove",
    "Docker's packages conflict with installed ones. Installing would remove {packages}.",
)
AGREE_TO_REPLACE = Template(
    "agree-to-replace",
    "Agree to the removal (replace-conflicting), or remove the conflicting packages yourself.",
)
UNINSTALL_WOULD_REMOVE = Template(
    "uninstall-would-remove",
    "Other packages need Docker's packages. Uninstalling would also remove {packages}.",
)
AGREE_TO_REMOVE = Template(
    "agree-to-remove",
    "Agree to the removal (force), or remove the packages that need Docker yourself.",
)

# Signatures
KEY_FILE_UNREADABLE_BY_RPM = Template(
    "key-file-unreadable-by-rpm", "rpm cannot read the key file {file}."
)
KEY_FILE_UNREADABLE = Template(
    "key-file-unreadable", "The key file {file} cannot be read: {reason}."
)
KEY_FILE_DAMAGED = Template("key-file-damaged", "The key file {file} is damaged: {reason}.")
REPLACE_KEY_FILE = Template("replace-key-file", "Replace it with an intact copy.")
REINSTALL_OR_CORRECT_KEY = Template(
    "reinstall-or-correct-key",
    "Reinstall dockmgrd, or correct 'key' in /etc/dockmgrd/sources.d.",
)
KEY_FILE_UNEXPECTED = Template(
    "key-file-unexpected",
    "The key file {file} contains {found}, but the source names the key {expected}.",
)
NO_KEY = Template("no-key", "no key")
CORRECT_KEY_OR_FINGERPRINT = Template(
    "correct-key-or-fingerprint", "Correct the key file, or the fingerprint of the source."
)
KEY_NOT_STORED = Template(
    "key-not-stored", "rpm could not store the key {file}. Nothing was changed."
)
PACKAGE_REJECTED = Template(
    "package-rejected", "{package} from {address} was rejected: {reason}. Nothing was installed."
)
USE_OTHER_SOURCE = Template(
    "use-other-source", "Choose another source, or ask the operator of this one."
)
NOT_SIGNED_BY = Template(
    "not-signed-by", "the file is damaged, or is not signed with the key {fingerprint}"
)
FILE_REJECTED = Template("file-rejected", "{url} was rejected: {reason}. Nothing was installed.")
KEY_UNKNOWN = Template(
    "key-unknown",
    "rpm does not know the key that signed {package} from the repository {repository}.",
)
ACCEPT_KEY_ONCE = Template(
    "accept-key-once",
    "Install a package from that repository with dnf once, and accept its key there.",
)

# Space
SPACE_TO_DOWNLOAD = Template("space-to-download", "to download packages")
SPACE_TO_DOWNLOAD_AND_INSTALL = Template(
    "space-to-download-and-install", "to download and install the packages"
)
SPACE_TO_INSTALL = Template("space-to-install", "to install the packages")
SPACE_FOR_METADATA = Template("space-for-metadata", "to store metadata")
SPACE_FOR_TEMPORARY_FILES = Template("space-for-temporary-files", "for temporary files")
READ_ONLY_FILE_SYSTEM = Template(
    "read-only-file-system", "The file system of {folder} is read-only."
)
MOUNT_WRITABLE = Template("mount-writable", "Mount it writable and try again.")
INSUFFICIENT_SPACE = Template(
    "insufficient-space",
    "Not enough space on the file system of {folder} {purpose}: {needed} are needed and {free} are "
    "free.",
)
FREE_SPACE = Template("free-space", "Free some space there and try again.")

# Locks
PACKAGE_MANAGER_LOCKED = Template(
    "package-manager-locked", "The package manager is in use by {holder}."
)
PACKAGE_MANAGER_LOCKED_BY_DNF = Template("package-manager-locked-by-dnf", "{reason}.")
WAIT_FOR_PACKAGE_MANAGER = Template(
    "wait-for-package-manager", "Wait until it has finished and try again."
)
PROCESS = Template("process", "process {pid} ({command})")
ANOTHER_PROCESS = Template("another-process", "another process")
WAITING_FOR_LOCK = Template("waiting-for-lock", "waiting for {holder}")

# Transactions
TRANSACTION_REFUSED = Template(
    "transaction-refused", "rpm refused the transaction: {reason}. Nothing was changed."
)
RESOLVE_CONFLICT = Template("resolve-conflict", "Resolve the conflict and try again.")
TRANSACTION_BROKEN = Template(
    "transaction-broken", "The RPM transaction failed while it was writing: {reason}."
)
READ_LOG = Template("read-log", "Read {log}, fix the cause and try again.")
PACKAGES_FAILED = Template("packages-failed", "{packages} failed")
SCRIPTLET_FAILED = Template(
    "scriptlet-failed", "The {kind} scriptlet of {package} ended with status {status}."
)

PACKAGE_MANAGER_FAILED = Template(
    "package-manager-failed", "The package manager does not work on this host: {reason}."
)
HISTORY_DAMAGED = Template(
    "history-damaged", "dnf cannot use its history of transactions in {file}: {reason}."
)
MOVE_HISTORY_AWAY = Template(
    "move-history-away",
    "Move the file away, and try again. dnf makes a new one, which is empty.",
)
FIX_CAUSE = Template("fix-cause", "Fix the cause and try again.")
FILE_NOT_USABLE = Template("file-not-usable", "The package manager cannot use {path}: {reason}.")

# The worker itself
DNF_API_MISSING = Template(
    "dnf-api-missing", "This host has no Python API of dnf. The package {package} is missing."
)
INSTALL_PACKAGE = Template("install-package", "Install the package {package}.")
WORKER_CRASHED = Template(
    "worker-crashed", "The package worker failed unexpectedly ({error}). This is a bug."
)
READ_JOB_JOURNAL = Template(
    "read-job-journal", "Report it with the traceback from the journal of this job."
)
