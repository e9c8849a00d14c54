#!/usr/bin/python
# Copyright: Contributors to dockmgrd
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module C(dockmgr.docker.engine_version_info)."""

from __future__ import annotations

DOCUMENTATION = r"""
module: engine_version_info
short_description: List the versions of the Docker Engine that a source offers
description:
  - Lists which versions of the Docker Engine a package source offers for this node, the newest first.
author:
  - The dockmgrd developers (@dockmgrd)
extends_documentation_fragment:
  - dockmgr.docker._attributes
  - dockmgr.docker._attributes.source
  - dockmgr.docker._attributes.info
seealso:
  - module: dockmgr.docker.engine
options: {}
"""

EXAMPLES = r"""
- name: List the versions that Aliyun offers
  dockmgr.docker.engine_version_info:
    source: [aliyun]
  register: docker_versions

- name: Show the newest
  ansible.builtin.debug:
    msg: "{{ docker_versions.versions[0].version }}"
"""

RETURN = r"""
versions:
  description: The versions, the newest first. An installed version that the source does not offer comes last.
  returned: success
  type: list
  elements: dict
  contains:
    version:
      description: Version, as O(dockmgr.docker.engine#module:version) takes it.
      type: str
      returned: success
      sample: 28.5.1
    release:
      description: Release of the package.
      type: str
      returned: success
      sample: 1.el9
    built:
      description: Day of the build, in UTC; empty where the source does not offer the version.
      type: str
      returned: success
      sample: "2025-10-08"
    size:
      description: Bytes of the package files of this version.
      type: int
      returned: success
    installed:
      description: Whether this version is installed.
      type: bool
      returned: success
source:
  description: Name of the source that answered.
  returned: success
  type: str
  sample: aliyun
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.dockmgr.docker.plugins.module_utils._dockmgrctl import (
    Dockmgrctl,
    DockmgrctlError,
    build_options,
    rename_keys,
)


def main():
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "source": {"type": "list", "elements": "str"},
            "channel": {"type": "str", "choices": ["stable", "test"]},
            "platform": {"type": "str"},
        },
        supports_check_mode=True,
    )
    try:
        dockmgrctl = Dockmgrctl(module, {"changed": False, "versions": [], "source": ""})
        answer = dockmgrctl.query("versions", *build_options(module, ("source", "channel", "platform")))
    except DockmgrctlError as error:
        module.fail_json(**error.to_result())
    module.exit_json(**{**rename_keys(answer), "changed": False})


if __name__ == "__main__":
    main()
