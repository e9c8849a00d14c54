#!/usr/bin/python
# Copyright: Contributors to dockmgrd
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module C(dockmgr.docker.engine)."""

from __future__ import annotations

DOCUMENTATION = r"""
module: engine
short_description: Install, upgrade, downgrade or remove the Docker Engine
description:
  - Brings the Docker Engine of the node to a state through dockmgrd, which asks dnf, systemd and polkit.
  - In check mode the task returns the plan and changes nothing, also on a node that has neither engine nor repository
    yet.
author:
  - The dockmgrd developers (@dockmgrd)
extends_documentation_fragment:
  - dockmgr.docker._attributes
  - dockmgr.docker._attributes.source
  - dockmgr.docker._attributes.busy
seealso:
  - module: dockmgr.docker.engine_info
  - module: dockmgr.docker.engine_version_info
  - module: dockmgr.docker.registry_mirrors
options:
  state:
    description:
      - V(present) installs the engine. An installed engine keeps its version unless O(version) is set.
      - V(latest) installs or upgrades all packages of Docker to the newest that the source offers.
      - V(absent) removes the engine. Images, containers and volumes stay unless O(purge_data=true).
    type: str
    choices: [present, latest, absent]
    default: present
  version:
    description:
      - Version such as V(28.5.1). An engine of another version is upgraded or downgraded.
      - Cannot be combined with O(state=latest).
    type: str
  repo_url:
    description:
      - URL of a repository of your own in place of a source. Cannot be combined with O(source) or O(state=latest).
      - Needs the polkit action C(org.dockmgr1.install-custom).
    type: str
  containerd_rpm:
    description:
      - URL of a package file of C(containerd.io), for a source that has none that fits.
      - Needs the polkit action C(org.dockmgr1.install-custom).
    type: str
  minimal:
    description: Leave out the plug-ins and other recommended packages.
    type: bool
    default: false
  completion:
    description: Install completion of the docker command line.
    type: bool
    default: false
  replace_conflicting:
    description: Agree to the removal of packages that conflict with Docker, such as C(podman-docker).
    type: bool
    default: false
  start:
    description: Start the engine.
    type: bool
    default: true
  enable:
    description: Start the engine at boot.
    type: bool
    default: true
  purge_data:
    description:
      - Delete images, containers and volumes too. Used with O(state=absent) only.
      - Needs the polkit action C(org.dockmgr1.purge-data).
    type: bool
    default: false
  keep_config:
    description: Keep the configuration files of the engine. Used with O(state=absent) only.
    type: bool
    default: false
  force:
    description: Stop running containers. Used with O(state=absent) only.
    type: bool
    default: false
  plan:
    description:
      - The RV(digest) of a plan that you reviewed. The task does exactly what that plan says, or fails with the error
        C(PlanChanged). Agreeing to a plan includes the removals in it.
      - The task is C(ok) when the node is already in the state that it asks for.
    type: str
  lock_wait:
    description:
      - Seconds to wait for the lock of the package manager; dockmgrd waits 60 seconds where this is not set.
    type: int
"""

EXAMPLES = r"""
- name: Install Docker from the first source that works
  dockmgr.docker.engine:
    source: [aliyun, tuna, official]

- name: Install one version everywhere
  dockmgr.docker.engine:
    version: 28.5.1

- name: Install Docker in place of podman-docker
  dockmgr.docker.engine:
    replace_conflicting: true

- name: Review the plan
  dockmgr.docker.engine:
    version: 28.5.1
  check_mode: true
  register: review

- name: Do what was reviewed, and nothing else
  dockmgr.docker.engine:
    version: 28.5.1
    plan: "{{ review.digest }}"

- name: Remove Docker and all its data
  dockmgr.docker.engine:
    state: absent
    force: true
    purge_data: true
  become: true
"""

RETURN = r"""
digest:
  description: Digest of the plan, for O(plan).
  returned: in check mode or diff mode
  type: str
  sample: da41b0f86ed8bdffc638c5f0388f570edf1612c7db4ec5f3502790cdc711f761
steps:
  description: Everything that the plan does, a line for each step.
  returned: in check mode or diff mode
  type: list
  elements: str
  sample: [install docker-ce-3:28.5.1-1.el9.x86_64, enable docker.service, start docker.service]
install:
  description: Packages that would be installed. C(upgrade), C(downgrade) and C(remove) have the same form.
  returned: in check mode, when there are any
  type: list
  elements: dict
installed:
  description: Packages that were installed. C(upgraded), C(downgraded) and C(removed) have the same form.
  returned: when there are any
  type: list
  elements: str
engine_version:
  description: Version of the running engine.
  returned: when the engine runs after an installation
  type: str
  sample: 28.5.1
notes:
  description: Remarks of dockmgrd, such as which containers a restart stops. They are warnings too.
  returned: when there are any
  type: list
  elements: str
job:
  description: Id of the job, for C(dockmgrctl log).
  returned: always
  type: str
  sample: 20260131T120000_3fa2b1
error:
  description: Name of the error.
  returned: failure
  type: str
  sample: ConflictingPackages
rc:
  description: Exit code of C(dockmgrctl); each error has its own.
  returned: failure
  type: int
  sample: 12
plan:
  description: What the refused request would do, where the error tells.
  returned: failure
  type: dict
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.dockmgr.docker.plugins.module_utils._dockmgrctl import (
    CONFLICTING_PACKAGES,
    PLAN_CHANGED,
    Dockmgrctl,
    DockmgrctlError,
    build_options,
    build_result,
    find_refusal,
)
from ansible_collections.dockmgr.docker.plugins.module_utils._exit_codes import EXIT_CODES

_INSTALL_OPTIONS = (
    "source",
    "channel",
    "platform",
    "version",
    "repo_url",
    "containerd_rpm",
    "minimal",
    "completion",
    "replace_conflicting",
    "lock_wait",
)
_UNINSTALL_OPTIONS = ("purge_data", "keep_config", "force", "lock_wait")


def _build_command(module):
    """Return the words of the command that brings the node to the state."""
    if module.params["state"] == "absent":
        return ["uninstall", *build_options(module, _UNINSTALL_OPTIONS)]
    disabled = [f"--no-{name}" for name in ("start", "enable") if not module.params[name]]
    words = ["install", *build_options(module, _INSTALL_OPTIONS), *disabled]
    if module.params["state"] == "latest":
        words.append("--version=latest")
    return words


def _check_plan(module, plan):
    """Fail in a dry run as the real run would.

    :raises DockmgrctlError: when the request would be refused, or the plan is not the one that was agreed to.
    """
    agreed = module.params["plan"]
    error = find_refusal(plan)
    # Agreeing to a plan agrees to the removals in it.
    if error is not None and not (agreed and error.name == CONFLICTING_PACKAGES):
        raise error
    if agreed and plan["changed"] and plan.get("digest") != agreed:
        raise DockmgrctlError(
            f"The plan for this node has changed since the review: its digest is {plan.get('digest')}, not {agreed}."
            " Review the new plan.",
            name=PLAN_CHANGED,
            code=EXIT_CODES[PLAN_CHANGED],
            details=plan,
            job=plan.get("job", ""),
        )


def _apply_state(module):
    dockmgrctl = Dockmgrctl(module, {"changed": True})
    command = _build_command(module)
    agreed = module.params["plan"]
    plan = None
    if module.check_mode or module._diff:
        plan = dockmgrctl.change(*command, "--dry-run")
        _check_plan(module, plan)
        if module.check_mode or not plan["changed"]:
            return build_result(module, plan, plan)
        agreed = agreed or plan.get("digest")
    try:
        answer = dockmgrctl.change(*command, "--yes", *([f"--plan={agreed}"] if agreed else []))
    except DockmgrctlError as error:
        # The plan is already done, as it is when the play runs again.
        if error.name != PLAN_CHANGED or error.details.get("changed") is not False:
            raise
        answer = {"changed": False, "job": error.job}
    return build_result(module, answer, plan)


def main():
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "state": {"type": "str", "choices": ["present", "latest", "absent"], "default": "present"},
            "version": {"type": "str"},
            "source": {"type": "list", "elements": "str"},
            "channel": {"type": "str", "choices": ["stable", "test"]},
            "platform": {"type": "str"},
            "repo_url": {"type": "str"},
            "containerd_rpm": {"type": "str"},
            "minimal": {"type": "bool", "default": False},
            "completion": {"type": "bool", "default": False},
            "replace_conflicting": {"type": "bool", "default": False},
            "start": {"type": "bool", "default": True},
            "enable": {"type": "bool", "default": True},
            "purge_data": {"type": "bool", "default": False},
            "keep_config": {"type": "bool", "default": False},
            "force": {"type": "bool", "default": False},
            "plan": {"type": "str"},
            "lock_wait": {"type": "int"},
            "wait_busy": {"type": "int", "default": 600},
        },
        mutually_exclusive=[("source", "repo_url")],
        supports_check_mode=True,
    )
    if module.params["state"] == "latest":
        for name in ("version", "repo_url"):
            if module.params[name]:
                module.fail_json(msg=f"state=latest and {name} are mutually exclusive.")
    try:
        module.exit_json(**_apply_state(module))
    except DockmgrctlError as error:
        module.fail_json(**error.to_result())


if __name__ == "__main__":
    main()
