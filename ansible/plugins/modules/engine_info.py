#!/usr/bin/python
# Copyright: Contributors to dockmgrd
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module C(dockmgr.docker.engine_info)."""

from __future__ import annotations

DOCUMENTATION = r"""
module: engine_info
short_description: Report the state of the Docker Engine
description:
  - Reports what is installed and from where, what runs, which registry mirrors are configured and in use, and what is
    wrong.
  - Reports which actions polkit authorizes for the user of the task.
author:
  - The dockmgrd developers (@dockmgrd)
extends_documentation_fragment:
  - dockmgr.docker._attributes
  - dockmgr.docker._attributes.info
seealso:
  - module: dockmgr.docker.engine
options: {}
"""

EXAMPLES = r"""
- name: Read the state of Docker
  dockmgr.docker.engine_info:
  register: docker

- name: Stop when something is wrong
  ansible.builtin.assert:
    that: docker.engine.problems | length == 0
    fail_msg: "{{ docker.engine.problems | map(attribute='text') | join(' ') }}"
"""

RETURN = r"""
engine:
  description: The state of the engine. Newer releases of dockmgrd may add keys.
  returned: success
  type: dict
  contains:
    installed:
      description: Whether the Docker Engine is installed.
      type: bool
      returned: success
    engine_version:
      description: Version of the running engine; empty when it does not run.
      type: str
      returned: success
      sample: 28.5.1
    packages:
      description: Versions of the installed packages of Docker, by name.
      type: dict
      returned: success
    source:
      description: Name of the package source; empty when the repository is none of the known sources.
      type: str
      returned: success
      sample: aliyun
    service_state:
      description: State of C(docker.service), as systemd reports it.
      type: str
      returned: success
      sample: active
    mirrors_configured:
      description: Registry mirrors in C(daemon.json).
      type: list
      elements: str
      returned: success
    mirrors_active:
      description: Registry mirrors that the running engine uses.
      type: list
      elements: str
      returned: success
    mirrors_drift:
      description: Whether the running engine uses other mirrors than C(daemon.json) names.
      type: bool
      returned: success
    active_job:
      description: Id of the job that changes the node now; empty when there is none.
      type: str
      returned: success
    problems:
      description: What is wrong, each with a C(text), and a command as C(remedy) where one fixes it.
      type: list
      elements: dict
      returned: success
permissions:
  description:
    - What the user of the task may do, by action. V(yes) means that polkit authorizes it, V(auth) that it would need a
      password, and V(no) that it is denied.
  returned: success
  type: dict
  sample:
    install: "yes"
    set_mirror: "yes"
    purge_data: "auth"
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.dockmgr.docker.plugins.module_utils._dockmgrctl import (
    Dockmgrctl,
    DockmgrctlError,
    rename_keys,
)


def describe_problem(problem):
    """Return the sentence of a problem and the command that fixes it."""
    return {"text": problem["text"], "remedy": (problem.get("remedy") or {}).get("command", "")}


def main():
    """Run the module."""
    module = AnsibleModule(argument_spec={}, supports_check_mode=True)
    try:
        dockmgrctl = Dockmgrctl(module, {"changed": False, "engine": {}, "permissions": {}})
        engine = dockmgrctl.query("status")
        permissions = dockmgrctl.query("can")
    except DockmgrctlError as error:
        module.fail_json(**error.to_result())
    for answer in (engine, permissions):
        answer.pop("job")  # neither of the two starts one
    engine["problems"] = [describe_problem(each) for each in engine.get("problems", ())]
    module.exit_json(changed=False, engine=rename_keys(engine), permissions=rename_keys(permissions))


if __name__ == "__main__":
    main()
