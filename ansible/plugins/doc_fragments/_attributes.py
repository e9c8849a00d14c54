# Copyright: Contributors to dockmgrd
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation that the modules of this collection share."""

from __future__ import annotations


class ModuleDocFragment:
    """Private to the collection."""

    DOCUMENTATION = r"""
options: {}
attributes:
  check_mode:
    description: Can run in C(check_mode) and return changed status prediction without modifying target.
    support: full
    details:
      - Check mode is the dry run of dockmgrd. It fails where the real run would fail.
      - On a node without C(dockmgrctl), the task reports C(changed) and warns that it cannot predict more.
  diff_mode:
    description: Will return details on what has changed (or possibly needs changing in C(check_mode)).
    support: full
  platform:
    description: Target OS/families that can be operated against.
    support: full
    platforms: rhel, fedora
requirements:
  - dockmgrd and dockmgrctl on the managed node
  - Python 3.9 or newer on the managed node
"""

    SOURCE = r"""
options:
  source:
    description:
      - Names of package sources in the order to try; the first that works is used.
      - V(fastest) alone measures the sources that the node may use, and tries them in the order of their speed.
    type: list
    elements: str
  channel:
    description: Channel of the source; dockmgrd uses C(stable) where this is not set.
    type: str
    choices: [stable, test]
  platform:
    description: Tree and version of another system, such as V(rhel/9), in place of what the node is.
    type: str
attributes:
  action_group:
    description:
      - Use C(group/dockmgr.docker.dockmgr) in C(module_defaults) to set the package source once for all modules that
        take one.
    support: full
    membership:
      - dockmgr.docker.dockmgr
"""

    BUSY = r"""
options:
  wait_busy:
    description:
      - Seconds to wait while another job of dockmgrd changes the node; V(0) fails at once.
      - A task that asks for exactly what the running job does joins that job instead of waiting.
    type: int
    default: 600
notes:
  - The task does not need C(become) where polkit authorizes the user who logs in. The package C(dockmgrd-polkit-rules)
    authorizes the members of group C(dockmgr).
  - The change runs as a job on the node. When the connection is lost, the job continues, and the same task joins it
    when the play runs again.
"""

    INFO = r"""
options: {}
attributes:
  check_mode:
    details:
      - This action does not modify state.
      - In check mode on a node without C(dockmgrctl), the task warns and returns empty values.
  diff_mode:
    support: N/A
    details:
      - This action does not modify state.
notes:
  - Every user may run this module; it does not need C(become).
"""
