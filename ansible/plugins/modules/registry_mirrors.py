#!/usr/bin/python
# Copyright: Contributors to dockmgrd
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module C(dockmgr.docker.registry_mirrors)."""

from __future__ import annotations

DOCUMENTATION = r"""
module: registry_mirrors
short_description: Set the registry mirrors of the Docker Engine
description:
  - Sets, adds or removes registry mirrors. The engine reloads its configuration, so containers keep running.
  - No other key of C(daemon.json) changes. When the engine does not accept the mirrors, the change is undone and the
    task fails.
  - Mirrors of another registry than Docker Hub are for engines with the containerd image store, which use them at the
    next pull. They go to the C(hosts.toml) of the registry. One that dockmgrd did not write is left alone, and the task
    fails with C(ConfigConflict).
  - On a node where the engine does not run, the mirrors take effect when it starts.
author:
  - The dockmgrd developers (@dockmgrd)
extends_documentation_fragment:
  - dockmgr.docker._attributes
  - dockmgr.docker._attributes.busy
seealso:
  - module: dockmgr.docker.registry_mirror_info
options:
  mirrors:
    description:
      - URLs in the order in which the engine tries them. With O(mode=replace) an empty list clears the mirrors.
    type: list
    elements: str
    required: true
  registry:
    description:
      - The registry that they are mirrors of, as in the names of images, such as V(ghcr.io) or
        V(registry.example:5000).
    type: str
    default: docker.io
  allow_unused:
    description:
      - Set mirrors of another registry than Docker Hub even where the engine would not use them, because it has the
        classic image store.
    type: bool
    default: false
  mode:
    description:
      - V(replace) makes these the only mirrors.
      - V(append) adds them behind the mirrors that are set.
      - V(remove) removes them from the mirrors that are set.
    type: str
    choices: [replace, append, remove]
    default: replace
  verify:
    description: Test the mirrors first, and change nothing unless all of them work.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Use one mirror
  dockmgr.docker.registry_mirrors:
    mirrors: [https://mirror.example]

- name: Add a mirror, if it works from this node
  dockmgr.docker.registry_mirrors:
    mirrors: [https://second.example]
    mode: append
    verify: true

- name: Pull the images of another registry through a mirror
  dockmgr.docker.registry_mirrors:
    registry: ghcr.io
    mirrors: [https://mirror.example]

- name: Use no mirror
  dockmgr.docker.registry_mirrors:
    mirrors: []
"""

RETURN = r"""
mirrors:
  description: The mirrors of the registry on the node after the task, or after the real run in check mode.
  returned: success
  type: list
  elements: str
  sample: [https://mirror.example/]
active:
  description: Whether a running engine uses these mirrors.
  returned: when dockmgrd was asked to change them
  type: bool
notes:
  description: Remarks of dockmgrd, which are warnings too.
  returned: when there are any
  type: list
  elements: str
job:
  description: Id of the job, for C(dockmgrctl log).
  returned: when a job ran
  type: str
  sample: 20260131T120000_3fa2b1
error:
  description: Name of the error.
  returned: failure
  type: str
  sample: RolledBack
rc:
  description: Exit code of C(dockmgrctl); each error has its own.
  returned: failure
  type: int
  sample: 22
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.dockmgr.docker.plugins.module_utils._dockmgrctl import (
    Dockmgrctl,
    DockmgrctlError,
    build_options,
    build_result,
    find_refusal,
)

_DOCKER_HUB = "docker.io"


def _read_mirrors(status, registry):
    """Return the mirrors of the registry from the answer to C(status)."""
    if registry == _DOCKER_HUB:
        return status.get("mirrors-configured", [])
    mirrors = [each["mirrors"] for each in status.get("registries", []) if each["registry"] == registry]
    return mirrors[0] if mirrors else []


def _build_command(module):
    """Return the words of C(set-mirror); C(mirrors) is not empty unless C(mode) is C(replace)."""
    words = ["set-mirror", *build_options(module, ("verify", "allow_unused"))]
    if module.params["registry"] != _DOCKER_HUB:
        words.append(f"--registry={module.params['registry']}")
    if not module.params["mirrors"]:
        return [*words, "--clear"]
    mode = module.params["mode"]
    return [*words, *([] if mode == "replace" else [f"--{mode}"])]


def _set_mirrors(module):
    dockmgrctl = Dockmgrctl(module, {"changed": True})
    urls = module.params["mirrors"]
    if not urls and module.params["mode"] != "replace":
        mirrors = _read_mirrors(dockmgrctl.query("status"), module.params["registry"])
        return {"changed": False, "mirrors": mirrors}
    command = _build_command(module)
    operands = ["--", *urls] if urls else []
    plan = None
    if module.check_mode or module._diff:
        plan = dockmgrctl.change(*command, "--dry-run", *operands)
        error = find_refusal(plan)
        if error is not None:
            raise error
        if module.check_mode or not plan["changed"]:
            return build_result(module, plan, plan)
    return build_result(module, dockmgrctl.change(*command, *operands), plan)


def main():
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "mirrors": {"type": "list", "elements": "str", "required": True},
            "mode": {"type": "str", "choices": ["replace", "append", "remove"], "default": "replace"},
            "registry": {"type": "str", "default": _DOCKER_HUB},
            "allow_unused": {"type": "bool", "default": False},
            "verify": {"type": "bool", "default": False},
            "wait_busy": {"type": "int", "default": 600},
        },
        supports_check_mode=True,
    )
    try:
        module.exit_json(**_set_mirrors(module))
    except DockmgrctlError as error:
        module.fail_json(**error.to_result())


if __name__ == "__main__":
    main()
