# SPDX-License-Identifier: LGPL-2.1-or-later
"""Plans: their contents, their digests and the consent to them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import cast

import pytest

from dockmgrd.enums import JobState
from dockmgrd.errors import (
    DockmgrError,
    PlanChanged,
    ResolutionFailed,
    SourceUnreachable,
)
from dockmgrd.host.jobstore import JobStore
from dockmgrd.job import plan
from dockmgrd.job.file_change import FileChange
from dockmgrd.job.packages import drop_ins, engine_service, install_plan, sources
from dockmgrd.job.packages.repofile import Repository
from dockmgrd.job.plan import Plan
from dockmgrd.messages import steps
from dockmgrd.messages.dnf import OBSOLETED_BY
from dockmgrd.messages.packages import CONTAINERS_RUNNING
from dockmgrd.messages.text import Template, from_plain
from dockmgrd.model import JobResult
from dockmgrd.worker.protocol import Change

ENGINE = Change(
    "upgrade", "docker-ce-3:2.1-1.el9.x86_64", replaces="docker-ce-3:2.0-1.el9.x86_64", growth=5
)
RUNC = Change(
    "remove",
    "runc-4:1.2.4-1.el9.x86_64",
    reason=OBSOLETED_BY(package="containerd.io"),
    growth=-9,
)
RESTART = steps.RESTART_UNIT(unit="docker.service")
FILE = FileChange(Path("/etc/docker/daemon.json"), None, b"{}\n")


def test_the_digest_is_of_what_is_done_and_of_nothing_else() -> None:
    one = Plan(changes=(ENGINE, RUNC), files=(FILE,), actions=(RESTART,))
    other_order = Plan(changes=(RUNC, ENGINE), files=(FILE,), actions=one.actions)
    assert one.digest == other_order.digest
    smaller = Change(**{**ENGINE.__dict__, "download": 7, "repository": "other"})
    assert Plan((smaller, RUNC), (FILE,), one.actions).digest == one.digest
    for different in (
        Plan((ENGINE,), (FILE,), one.actions),
        Plan((ENGINE, RUNC), (), one.actions),
        Plan((ENGINE, RUNC), (FILE,)),
        Plan((ENGINE, RUNC), (FILE,), one.actions, stops=("web",)),
        Plan((ENGINE, RUNC), (FILE,), one.actions, deletes=(Path("/var/lib/docker"),)),
        Plan((ENGINE, RUNC), (FileChange(FILE.path, None, b"[]\n"),), one.actions),
    ):
        assert different.digest != one.digest


def test_where_a_repository_is_does_not_bind(tmp_path: Path) -> None:
    file = tmp_path / "docker-ce.repo"
    one, other = (FileChange(file, None, text, binding=False) for text in (b"a\n", b"b\n"))
    assert Plan(files=(one,)).digest == Plan(files=(other,)).digest
    assert Plan(files=(one,)).digest != Plan().digest


def test_what_is_described(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan, "is_public", lambda _path: True)
    described = Plan(changes=(ENGINE, RUNC), files=(FILE,)).to_result()
    assert described["remove"] == [
        {
            "package": RUNC.package,
            "reason": RUNC.reason.to_plain(),
            "download-bytes": 0,
            "disk-bytes": -9,
        }
    ]
    assert described["upgrade"][0]["replaces"] == ENGINE.replaces
    assert described["disk-bytes"] == -4
    assert described["diff"] == ("--- /dev/null\n+++ /etc/docker/daemon.json\n@@ -0,0 +1 @@\n+{}\n")
    assert "install" not in described


def test_a_plan_that_differs_is_refused_with_what_differs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = JobStore(tmp_path)
    monkeypatch.setattr(plan, "JobStore", lambda: store)
    before, now = Plan((ENGINE,)), Plan((RUNC,))
    now.require_digest("")
    now.require_digest(now.digest)
    with pytest.raises(PlanChanged, match="is no longer known"):
        now.require_digest(before.digest)
    result = JobResult(JobState.DONE, 1, before.to_result())
    store.write_result("20260131T120000_3fa2b1", result)
    with pytest.raises(PlanChanged) as caught:
        now.require_digest(before.digest)
    assert (
        f"it would also remove {RUNC.package}, and would no longer upgrade {ENGINE.replaces} to "
        f"{ENGINE.package}." in caught.value.message
    )
    assert caught.value.details["digest"] == now.digest
    with pytest.raises(PlanChanged, match=r"would no longer upgrade [^,]+\. Nothing"):
        Plan().require_digest(before.digest)
    with pytest.raises(PlanChanged, match="it would also restart"):
        Plan((ENGINE,), actions=(RESTART,)).require_digest(before.digest)
    old = JobResult(JobState.DONE, 1, {"digest": "0" * 64, "steps": ["install x"]})
    store.write_result("20250131T120000_3fa2b1", old)
    with pytest.raises(PlanChanged, match="would no longer install x"):
        now.require_digest("0" * 64)


def test_the_wording_of_a_step_does_not_change_the_digest() -> None:
    reworded = Template(steps.RESTART_UNIT.id, "start {unit} again")
    assert (
        Plan(actions=(reworded(unit="docker.service"),)).digest == Plan(actions=(RESTART,)).digest
    )
    other_unit = steps.RESTART_UNIT(unit="containerd.service")
    assert Plan(actions=(other_unit,)).digest != Plan(actions=(RESTART,)).digest


def test_a_result_is_read_back_as_the_same_steps() -> None:
    """A digest must come out the same from what the bus and result.json hold."""
    whole = Plan((ENGINE, RUNC), (FILE,), (RESTART,), ("web", "a{b}"), (Path("/var/lib/docker"),))
    read = [from_plain(each) for each in json.loads(json.dumps(whole.to_result()["steps"]))]
    assert [plan._make_line(each) for each in read] == list(map(plan._make_line, whole.steps))
    assert [str(each) for each in read] == list(map(str, whole.steps))


def test_drop_ins(tmp_path: Path) -> None:
    folder = tmp_path / "docker.service.d"
    assert drop_ins.find_drop_ins(every=True, folder=folder) == ()
    folder.mkdir()
    ours, other, link = (folder / name for name in ("a.conf", "b.conf", "c.conf"))
    ours.write_text("# Written by dockmgrd\n")
    other.write_text("[Service]\n")
    link.symlink_to("/etc/passwd")
    assert [each.path for each in drop_ins.find_drop_ins(every=False, folder=folder)] == [ours]
    every = drop_ins.find_drop_ins(every=True, folder=folder)
    assert [each.path for each in every] == [ours, other]
    drop_ins.delete_drop_ins(every)
    assert list(folder.iterdir()) == [link]
    link.unlink()
    ours.write_text("# Written by dockmgrd\n")
    drop_ins.delete_drop_ins(drop_ins.find_drop_ins(every=False, folder=folder))
    assert not folder.exists()


def attempt(name: str, error: DockmgrError) -> sources.Attempt:
    return sources.Attempt(repository(name), error)


def repository(name: str) -> Repository:
    """A repository of which no more than the name of the source counts."""

    class Named:
        def __init__(self) -> None:
            self.source = self
            self.name = name
            self.base_url = f"https://user:secret@{name}.example"

    return cast("Repository", Named())


def test_the_source_that_served() -> None:
    assert sources.describe_source(repository("a"), []) == {
        "source": "a",
        "base-url": "https://…@a.example",
    }
    served = sources.describe_source(repository("b"), [attempt("a", DOWN)])
    assert served["source"] == "b"
    error = SourceUnreachable.dbus_name
    cause = {"id": "", "text": "It is down.", "args": {}}
    assert served["tried"] == [
        {"source": "a", "error": error, "message": "It is down.", "cause": cause}
    ]


def test_no_source_serves() -> None:
    only = sources.combine_errors([attempt("a", DOWN)])
    assert only is DOWN
    both = sources.combine_errors([attempt("a", DOWN), attempt("b", DOWN)])
    assert isinstance(both, SourceUnreachable)
    assert both.message.endswith("a: It is down. b: It is down.")
    assert [each["source"] for each in both.details["tried"]] == ["a", "b"]
    missing = ResolutionFailed("It has none.")
    none = sources.combine_errors([attempt("a", missing), attempt("b", missing)])
    assert isinstance(none, ResolutionFailed)
    assert none.message.endswith("a: It has none. b: It has none.")
    mixed = sources.combine_errors([attempt("a", missing), attempt("b", DOWN)])
    assert isinstance(mixed, SourceUnreachable)
    assert mixed.message.endswith("a: It has none. b: It is down.")


DOWN = SourceUnreachable("It is down.")


@pytest.mark.parametrize(
    ("changes", "units"),
    [
        ([ENGINE], ["docker.service"]),
        ([RUNC], []),
        (
            [
                Change("upgrade", "containerd.io-2-1.x", replaces="containerd.io-1-1.x"),
                Change("upgrade", "docker-ce-cli-1:2-1.x", replaces="docker-ce-cli-1:1-1.x"),
            ],
            ["containerd.service"],
        ),
        ([Change("install", "docker-ce-3:2-1.x")], []),
    ],
)
def test_units_that_restart(changes: list[Change], units: list[str]) -> None:
    assert install_plan._find_restarts(changes) == units


def test_a_patch_release_is_one_of_the_same_minor() -> None:
    assert not install_plan._is_patch_upgrade([ENGINE])
    new, old = "docker-ce-3:28.5.2-1.el9.x86_64", "docker-ce-3:28.5.1-1.el9.x86_64"
    assert install_plan._is_patch_upgrade([Change("upgrade", new, replaces=old)])


def test_many_containers_are_counted() -> None:
    text = CONTAINERS_RUNNING(containers=install_plan.abbreviate_names("abcdefg"))
    assert str(text) == "Containers are running: a, b, c, d, e, 2 more."
    assert install_plan.abbreviate_names("ab") == ["a", "b"]


async def test_a_kernel_without_modules_of_its_own_is_let_pass(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_service, "_MODULES", tmp_path)
    await engine_service.require_kernel_modules()


def test_errors_carry_details() -> None:
    assert DockmgrError("x").details == {}
    assert PlanChanged("x", {"digest": "y"}).details == {"digest": "y"}
