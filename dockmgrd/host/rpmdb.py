# SPDX-License-Identifier: LGPL-2.1-or-later
"""Docker's packages, and which of them are installed by rpm's database.

As a program it prints the installed versions as a JSON object. It imports nothing of ours, so
that it starts by its path, with no search for modules.
"""

from __future__ import annotations

import json
import sys

CONTAINERD = "containerd.io"
ENGINE = ("docker-ce", "docker-ce-cli", CONTAINERD)
"""What the engine does not run without."""
EXTRAS = ("docker-buildx-plugin", "docker-compose-plugin", "docker-ce-rootless-extras")
"""What Docker's own guide installs beside it."""
LEGACY_PACKAGES = (
    "docker",
    "docker-client",
    "docker-client-latest",
    "docker-common",
    "docker-latest",
    "docker-latest-logrotate",
    "docker-logrotate",
    "docker-selinux",
    "docker-engine-selinux",
    "docker-engine",
)
"""Docker under the names of older packages, which Uninstall removes, too."""
PACKAGES = (*ENGINE, *EXTRAS, "docker-model-plugin")
OF_ENGINE_VERSION = ("docker-ce", "docker-ce-cli", "docker-ce-rootless-extras")
"""Those whose version is the engine's."""


def installed_versions() -> dict[str, str]:
    """Name → version-release of each of `PACKAGES` that is installed."""
    # Imported here because rpm's library is expensive to load.
    import rpm

    transaction = rpm.TransactionSet()
    versions = {
        header["name"]: f"{header['version']}-{header['release']}"
        for name in PACKAGES
        for header in transaction.dbMatch("name", name)
    }
    transaction.closeDB()
    return versions


def main() -> None:
    """Print the versions; exit with rpm's own sentence when the database cannot be read."""
    import rpm

    try:
        print(json.dumps(installed_versions()))
    except rpm.error as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
