# SPDX-License-Identifier: LGPL-2.1-or-later
"""Steps of a plan: what will be done to the host, one line each.

The digest of a plan is made of the ids and the arguments, so that a new wording keeps it.
"""

from __future__ import annotations

from dockmgrd.messages.text import Template

INSTALL_PACKAGE = Template("step-install-package", "install {package}")
UPGRADE_PACKAGE = Template("step-upgrade-package", "upgrade {package}")
DOWNGRADE_PACKAGE = Template("step-downgrade-package", "downgrade {package}")
REMOVE_PACKAGE = Template("step-remove-package", "remove {package}")
INSTALL_IN_PLACE = Template("step-install-in-place", "install {package} in place of {replaced}")
UPGRADE_IN_PLACE = Template("step-upgrade-in-place", "upgrade {replaced} to {package}")
DOWNGRADE_IN_PLACE = Template("step-downgrade-in-place", "downgrade {replaced} to {package}")

WRITE_FILE = Template("step-write-file", "write {path}")
WRITE_CONTENT = Template("step-write-content", "write {path} with the SHA-256 digest {digest}")
DELETE_FILE = Template("step-delete-file", "delete {path}")
DELETE_TREE = Template("step-delete-tree", "delete {path} with everything in it")

START_UNIT = Template("step-start-unit", "start {unit}")
STOP_UNIT = Template("step-stop-unit", "stop {unit}")
RESTART_UNIT = Template("step-restart-unit", "restart {unit}")
RELOAD_UNIT = Template("step-reload-unit", "reload {unit}")
ENABLE_UNIT = Template("step-enable-unit", "enable {unit}")
DISABLE_UNIT = Template("step-disable-unit", "disable {unit}")
STOP_CONTAINER = Template("step-stop-container", "stop the container {container}")
