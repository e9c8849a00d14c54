# Copyright: Contributors to dockmgrd
# Simplified BSD License (see https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Private to the collection: run dockmgrctl on the managed node and read its answers.

Python versions supported: 3.9 and newer.
"""

from __future__ import annotations

import json
import time
import typing as t

from ansible_collections.dockmgr.docker.plugins.module_utils._exit_codes import EXIT_CODES

if t.TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule

BUSY = "Busy"
CONFLICTING_PACKAGES = "ConflictingPackages"
PLAN_CHANGED = "PlanChanged"
_UNAUTHORIZED = ("AccessDenied", "InteractiveAuthorizationRequired")
_COMMON_OPTIONS = ("--json=short", "--no-ask-password", "--no-pager")
_ERROR_PREFIX = "org.dockmgr1.Error."
_RETRY_SECONDS = 1
_FREE_FORM_KEYS = ("packages",)
_STRUCTURED_KEYS = ("error", "problems", "refusal")
_MESSAGE_KEYS = {"id", "text", "args"}
_AUTHORIZATION_HINT = (
    " Set 'become: true', or let polkit authorize this user: install dockmgrd-polkit-rules on the node and add the"
    " user to group dockmgr."
)


class DockmgrctlError(Exception):
    """dockmgrctl failed: the error's name without its prefix, the exit code, the details and the job's id."""

    def __init__(
        self, message: str, *, name: str = "", code: int = 1, details: dict[str, t.Any] | None = None, job: str = ""
    ) -> None:
        super().__init__(message)
        self.message = message
        self.name = name
        self.code = code
        self.details = details or {}
        self.job = job

    def to_result(self) -> dict[str, t.Any]:
        """Return the arguments of C(fail_json)."""
        hint = _AUTHORIZATION_HINT if self.name in _UNAUTHORIZED else ""
        plan = {key: value for key, value in rename_keys(self.details).items() if key != "diff"}
        return {"msg": self.message + hint, "error": self.name, "rc": self.code, "plan": plan, "job": self.job}


class Dockmgrctl:
    """The program on the managed node, run as the user of the task."""

    def __init__(self, module: AnsibleModule, unavailable: dict[str, t.Any]) -> None:
        """Find the program.

        In check mode an earlier task may only have predicted its installation: then the module ends with the result
        C(unavailable) and a warning.
        """
        self._module = module
        path = module.get_bin_path("dockmgrctl", required=not module.check_mode)
        if path is None:
            module.warn("dockmgrctl is not installed on this node yet, so check mode cannot predict the changes.")
            module.exit_json(**unavailable)
        self._path = str(path)

    def query(self, *words: str) -> dict[str, t.Any]:
        """Run a command and return its answer, with the key C(job) where a job was started.

        A dictionary without an error is an answer whatever the exit code is: C(probe) exits with 20 when no mirror
        works, and still lists what it found.

        :raises DockmgrctlError: when the command fails.
        """
        code, out, err = self._module.run_command([self._path, *_COMMON_OPTIONS, *words])
        job = _find_job(err)
        try:
            answer = json.loads(out)
        except ValueError:
            message = err.strip() or out.strip() or f"dockmgrctl exited with code {code} and printed nothing."
            raise DockmgrctlError(message, code=code or 1, job=job) from None
        if not isinstance(answer, dict):
            raise DockmgrctlError(f"dockmgrctl {words[0]} did not print a JSON object.", code=code or 1, job=job)
        error = answer.get("error")
        if error:
            raise DockmgrctlError(
                error.get("message", ""),
                name=str(error.get("name", "")).rpartition(".")[2],
                code=code,
                details=_flatten_messages(error.get("details")),
                job=error.get("job") or answer.get("job") or job,
            )
        return {**_flatten_messages(answer), "job": answer.get("job") or job}

    def change(self, *words: str) -> dict[str, t.Any]:
        """Run a command as C(query) does; while another job changes the host, wait up to C(wait_busy) seconds.

        :raises DockmgrctlError: when the command fails, or the other job runs longer than that.
        """
        deadline = time.monotonic() + self._module.params["wait_busy"]
        while True:
            try:
                return self.query(*words)
            except DockmgrctlError as error:
                if error.name != BUSY or time.monotonic() >= deadline:
                    raise
            self._wait_for_active_job(deadline)

    def _wait_for_active_job(self, deadline: float) -> None:
        """Return when the job that changes the host has ended, or at the deadline (monotonic seconds)."""
        job = str(self.query("status").get("active-job") or "").rpartition("/")[2]  # a D-Bus path
        seconds = max(1, round(deadline - time.monotonic()))
        if not job:
            return
        code = 1
        timeout = self._module.get_bin_path("timeout")
        if timeout:
            command = [timeout, str(seconds), self._path, *_COMMON_OPTIONS, "--quiet", "follow", job]
            code = self._module.run_command(command)[0]
        if code:
            time.sleep(_RETRY_SECONDS)  # follow failed or timed out, so nothing else slows this loop down


def _find_job(progress: str) -> str:
    """Return the id of the job in the progress lines on standard error, "" where there is none."""
    for line in reversed(progress.splitlines()):
        if line.startswith("{"):
            try:
                return str(json.loads(line)["job"])
            except (ValueError, KeyError):
                continue
    return ""


def build_options(module: AnsibleModule, names: t.Iterable[str]) -> list[str]:
    """Return the parameters of these names that are set, as options of the command line."""
    words = []
    for name in names:
        value = module.params[name]
        option = f"--{name.replace('_', '-')}"
        if value is True:
            words.append(option)
        elif isinstance(value, list):
            words += [f"{option}={','.join(value)}"] if value else []
        elif value is not None and value is not False and value != "":
            words.append(f"{option}={value}")
    return words


def rename_keys(value: t.Any) -> t.Any:
    """Return the answer with C(_) for C(-) in its keys; names of packages stay as they are."""
    if isinstance(value, list):
        return [rename_keys(each) for each in value]
    if isinstance(value, dict):
        return {
            key.replace("-", "_"): each if key in _FREE_FORM_KEYS else rename_keys(each) for key, each in value.items()
        }
    return value


def build_result(module: AnsibleModule, answer: dict[str, t.Any], plan: dict[str, t.Any] | None) -> dict[str, t.Any]:
    """Return the module's result: notes become warnings, and in diff mode the plan becomes the diff.

    :param plan: the dry run, where there was one; C(digest), C(steps) and C(notes) are taken from it where the answer
        has none.
    """
    known = {key: plan[key] for key in ("digest", "steps", "notes") if key in plan} if plan else {}
    result = rename_keys({**known, **answer})
    if "notes" in result:
        for note in result["notes"]:
            module.warn(note)
    result.pop("diff", None)
    if module._diff and plan is not None:
        result["diff"] = {"prepared": _render_diff(plan)}
    return result


def find_refusal(plan: dict[str, t.Any]) -> DockmgrctlError | None:
    """Return the error with which the real run would fail, as the dry run reports it; None when it would not."""
    refusal = plan.get("refusal")
    if not refusal:
        return None
    name = refusal.get("name", "").rpartition(".")[2]
    code = EXIT_CODES.get(name, 1)
    return DockmgrctlError(refusal["text"], name=name, code=code, details=plan, job=plan.get("job", ""))


def _flatten_messages(value: t.Any) -> t.Any:
    """Return the value with each message in it, which has an id and arguments, as its sentence alone."""
    if isinstance(value, list):
        return [_flatten_messages(each) for each in value]
    if isinstance(value, dict):
        if value.keys() >= _MESSAGE_KEYS:
            return value["text"]
        return {key: each if key in _STRUCTURED_KEYS else _flatten_messages(each) for key, each in value.items()}
    return value


def _render_diff(plan: dict[str, t.Any]) -> str:
    """Return the steps on packages and units, a line each, and the unified diffs of files."""
    steps = [each for each in plan.get("steps", plan.get("actions", ())) if not each.startswith("write ")]
    return "".join([*(f"{each}\n" for each in steps), plan.get("diff", "")])
