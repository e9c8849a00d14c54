# Copyright: Contributors to dockmgrd
# Simplified BSD License (see https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Private to the collection: exit codes of dockmgrctl, for refusals that a dry run reports.

Python versions supported: 3.9 and newer.
"""

from __future__ import annotations

EXIT_CODES = {
    "Busy": 10,
    "NotInstalled": 11,
    "ConflictingPackages": 12,
    "SourceUnreachable": 13,
    "SignatureRejected": 14,
    "PackageManagerLocked": 15,
    "ResolutionFailed": 16,
    "TransactionFailed": 17,
    "ConfigInvalid": 18,
    "ConfigConflict": 19,
    "MirrorUnreachable": 20,
    "ServiceFailed": 21,
    "RolledBack": 22,
    "NotCancellable": 23,
    "Cancelled": 24,
    "Interrupted": 25,
    "InsufficientSpace": 26,
    "UnsupportedPlatform": 27,
    "KernelModuleMissing": 28,
    "ContainersRunning": 29,
    "UnsafePath": 30,
    "WriteFailed": 31,
    "PlanChanged": 32,
}
