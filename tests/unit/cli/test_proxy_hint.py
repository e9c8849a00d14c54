# SPDX-License-Identifier: LGPL-2.1-or-later
"""The hint that dockmgrd does not use the proxy of the shell."""

from __future__ import annotations

from pathlib import Path

import pytest

from dockmgrd.cli.view import proxy_hint
from dockmgrd.cli.view.answers import print_error
from dockmgrd.errors import DockmgrError, ResolutionFailed, SourceUnreachable

HINT = "This shell sets {}, but dockmgrd does not use it."


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A shell without a proxy; the path of dnf's configuration, which does not exist."""
    for name in proxy_hint._VARIABLES:
        monkeypatch.delenv(name, raising=False)
    return tmp_path / "dnf.conf"


@pytest.mark.parametrize("variable", ["http_proxy", "HTTPS_PROXY", "all_proxy"])
def test_a_proxy_of_the_shell(
    monkeypatch: pytest.MonkeyPatch, no_proxy: Path, variable: str
) -> None:
    error = SourceUnreachable("Why.")
    assert not proxy_hint.make_proxy_hint(error, no_proxy)
    monkeypatch.setenv(variable, "http://proxy.example:3128")
    hint = proxy_hint.make_proxy_hint(error, no_proxy)
    assert hint.sentence == HINT.format(variable)
    assert hint.remedy is not None
    assert "proxy.example" not in str(hint), "it may contain a password"
    assert not proxy_hint.make_proxy_hint(ResolutionFailed("Why."), no_proxy)


@pytest.mark.parametrize(
    ("content", "hinted"),
    [("[main]\nproxy = http://other:1\n", False), ("[main]\n#proxy=x\nproxy=\n", True)],
)
def test_a_proxy_of_dnf(
    monkeypatch: pytest.MonkeyPatch, no_proxy: Path, content: str, hinted: bool
) -> None:
    monkeypatch.setenv("https_proxy", "http://proxy.example:3128")
    no_proxy.write_text(content)
    assert bool(proxy_hint.make_proxy_hint(SourceUnreachable("Why."), no_proxy)) is hinted


@pytest.mark.parametrize(
    ("error", "program", "hinted"),
    [
        (SourceUnreachable("Why."), "dockmgrctl", True),
        (SourceUnreachable("Why."), "dockmgrctl -H web1", False),
        (ResolutionFailed("Why."), "dockmgrctl", False),
    ],
)
def test_the_hint_is_below_the_error(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    no_proxy: Path,
    error: DockmgrError,
    program: str,
    hinted: bool,
) -> None:
    monkeypatch.setenv("http_proxy", "http://proxy.example:3128")
    monkeypatch.setattr(proxy_hint.make_proxy_hint, "__defaults__", (no_proxy,))
    assert print_error(error, "", program=program) == error.exit_code
    first, *rest = capsys.readouterr().err.splitlines()
    assert first == "dockmgrctl: Why."
    assert [HINT.format("http_proxy") in line for line in rest] == [True] * hinted
