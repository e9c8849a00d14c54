#!/usr/bin/python
# Copyright: Contributors to dockmgrd
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module C(dockmgr.docker.registry_mirror_info)."""

from __future__ import annotations

DOCUMENTATION = r"""
module: registry_mirror_info
short_description: Test registry mirrors and rank them
description:
  - Pulls a small image through each registry mirror from this node, all at once, and reports which mirrors work and how
    fast they are.
  - The task succeeds also when no mirror works; then RV(best) is empty.
author:
  - The dockmgrd developers (@dockmgrd)
extends_documentation_fragment:
  - dockmgr.docker._attributes
  - dockmgr.docker._attributes.info
seealso:
  - module: dockmgr.docker.registry_mirrors
options:
  mirrors:
    description:
      - URLs of the mirrors to test. Without them, the candidates of this node are tested.
      - A mirror that is neither a candidate nor configured needs the polkit action C(org.dockmgr1.probe).
    type: list
    elements: str
    default: []
  registry:
    description: The registry that they are mirrors of, as in the names of images, such as V(ghcr.io).
    type: str
    default: docker.io
  timeout:
    description: Seconds for each mirror; dockmgrd allows 10 where this is not set.
    type: int
"""

EXAMPLES = r"""
- name: Test two mirrors from this node
  dockmgr.docker.registry_mirror_info:
    mirrors: [https://mirror.example, https://second.example]
  register: tested

- name: Use the mirrors that work, the fastest first
  dockmgr.docker.registry_mirrors:
    mirrors: "{{ tested.mirrors | selectattr('verdict', 'equalto', 'ok') | map(attribute='mirror') }}"
  when: tested.best != ''
"""

RETURN = r"""
mirrors:
  description: The results; mirrors that work come first, the fastest at the top.
  returned: success
  type: list
  elements: dict
  contains:
    mirror:
      description: URL of the mirror.
      type: str
      returned: success
      sample: https://mirror.example/
    verdict:
      description: V(ok), or what is wrong, in a word.
      type: str
      returned: success
      sample: ok
    text:
      description: What is wrong, as a sentence.
      type: str
      returned: success
    latency:
      description: Seconds until the first answer.
      type: float
      returned: success
    seconds:
      description: Seconds for the whole pull.
      type: float
      returned: success
    throughput:
      description: Bytes in a second.
      type: float
      returned: success
best:
  description: URL of the fastest mirror that works; empty when none works.
  returned: success
  type: str
  sample: https://mirror.example/
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
            "mirrors": {"type": "list", "elements": "str", "default": []},
            "registry": {"type": "str", "default": "docker.io"},
            "timeout": {"type": "int"},
        },
        supports_check_mode=True,
    )
    try:
        dockmgrctl = Dockmgrctl(module, {"changed": False, "mirrors": [], "best": ""})
        registry = module.params["registry"]
        words = ["probe", *build_options(module, ("timeout",))]
        words += [] if registry == "docker.io" else [f"--registry={registry}"]
        words += ["--", *module.params["mirrors"]]
        answer = rename_keys(dockmgrctl.query(*words))
    except DockmgrctlError as error:
        module.fail_json(**error.to_result())
    mirrors = answer.pop("probed", [])
    working = [each["mirror"] for each in mirrors if each.get("verdict") == "ok"]
    best = working[0] if working else ""
    module.exit_json(**{**answer, "changed": False, "mirrors": mirrors, "best": best})


if __name__ == "__main__":
    main()
