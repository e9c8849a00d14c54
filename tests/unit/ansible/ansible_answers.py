# SPDX-License-Identifier: LGPL-2.1-or-later
"""Replies of dockmgrctl for the tests of modules, and the results of modules."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from controller.environments import NEWEST

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True)
class Answer:
    """What dockmgrctl prints for one call, and how it exits."""

    document: Any
    code: int = 0
    err: str = ""

    def to_json(self) -> dict[str, Any]:
        out = self.document if isinstance(self.document, str) else json.dumps(self.document)
        return {"out": out, "code": self.code, "err": self.err}


def fail(name: str, code: int, message: str = "It failed.", **details: Any) -> Answer:
    """Return the answer of a call that ended with this error."""
    error = {"name": f"org.dockmgr1.Error.{name}", "message": message, "details": details}
    return Answer({"error": error}, code, '{"job": "20260131T120000_3fa2b1"}\n')


@dataclass(frozen=True)
class Outcome:
    """The result of a module, and the command lines that it gave to dockmgrctl."""

    result: Mapping[str, Any]
    calls: Sequence[Sequence[str]] = field(default_factory=list)

    @property
    def warnings(self) -> list[str]:
        """The texts of the warnings, which newer releases of Ansible wrap."""
        warnings = self.result.get("warnings", [])
        return [each if isinstance(each, str) else each["event"]["msg"] for each in warnings]

    @property
    def words(self) -> list[list[str]]:
        """The command lines without what all of them have."""
        common = ("--json=short", "--no-ask-password", "--no-pager")
        return [[word for word in call if word not in common] for call in self.calls]


class RunModule(Protocol):
    """Runs a module; without `answers` there is no dockmgrctl."""

    def __call__(
        self,
        name: str,
        parameters: Mapping[str, Any] | None = None,
        *,
        answers: Mapping[str, Answer | Sequence[Answer]] | None = None,
        check: bool = False,
        diff: bool = False,
        core: str = NEWEST,
    ) -> Outcome: ...
