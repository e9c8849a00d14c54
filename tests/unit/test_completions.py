# SPDX-License-Identifier: LGPL-2.1-or-later
"""Completions in real shells, which find them where the RPM installs them.

A stand-in answers for `dockmgrctl complete`; test_cli_complete.py is about what that says.
"""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from dockmgrd.cli.commands.all import COMMON, LISTED_COMMANDS

CHECKOUT = Path(__file__).parents[2]

_STAND_IN = r"""#!/bin/sh
[ "$1" = complete ] || exit 1
case "$2" in
    sources) printf '%s\t%s\n' official Docker aliyun 'Alibaba: Cloud' azure-cn '$(Azure)';;
    versions) printf '%s\t%s\n' 28.5.1 installed 27.1.0 '';;
    mirrors) printf '%s\t%s\n' https://one.example/ configured https://two.example/ 'works, 3 ms';;
    jobs) printf '%s\t%s\n' 20260131T2_ab 'install, running' 20260131T1_cd 'probe, done';;
    running-jobs) printf '%s\t%s\n' 20260131T2_ab 'install, running';;
esac
"""

OFFERED: Mapping[str, Sequence[str]] = {
    "dockmgrctl in": ["install"],
    "dockmgrctl set": ["set-mirror"],
    "dockmgrctl -q --host web st": ["status"],
    "dockmgrctl --host=web st": ["status"],
    "dockmgrctl --json st": ["status"],
    "dockmgrctl --json=": ["off", "pretty", "short"],
    "dockmgrctl status --json=p": ["pretty"],
    "dockmgrctl --vers": ["--version"],
    "dockmgrctl status --vers": [],
    "dockmgrctl install --ch": ["--channel"],
    "dockmgrctl install --channel ": ["stable", "test"],
    "dockmgrctl install --channel=t": ["test"],
    "dockmgrctl install --mirror a --mirr": ["--mirror"],
    "dockmgrctl install --source a": ["aliyun", "azure-cn"],
    "dockmgrctl install --source=off": ["official"],
    "dockmgrctl versions --source official,al": ["official,aliyun"],
    "dockmgrctl install --source=official,al": ["official,aliyun"],
    "dockmgrctl install --version ": ["27.1.0", "28.5.1"],
    "dockmgrctl install --mirror https://o": ["https://one.example/"],
    "dockmgrctl install --mirror=https://o": ["https://one.example/"],
    "dockmgrctl set-mirror --append https://t": ["https://two.example/"],
    "dockmgrctl probe https://one.example/ https://t": ["https://two.example/"],
    "dockmgrctl follow ": ["20260131T1_cd", "20260131T2_ab"],
    "dockmgrctl log 20260131T1": ["20260131T1_cd"],
    "dockmgrctl cancel ": ["20260131T2_ab"],
    "dockmgrctl help un": ["uninstall"],
    # No files and no folders, of which there are some in the folder, and nothing made up.
    "dockmgrctl f": ["follow"],
    "dockmgrctl -H f": [],
    "dockmgrctl --host f": [],
    "dockmgrctl status f": [],
    "dockmgrctl follow 2_ab f": [],
    "dockmgrctl nonsense f": [],
    "dockmgrctl install --repo-url f": [],
    "dockmgrctl install --plan ": [],
}

# fish offers an option again, and looks behind a sudo only where there is one.
OFFERED_AT_PROMPTS: Mapping[str, Sequence[str]] = {
    "sudo dockmgrctl st": ["status"],
    "dockmgrctl install --dry-run --dry": [],
}

_COMMON_FLAGS = {each.flag for each in COMMON}
OPTIONS: Mapping[str, Sequence[str]] = {
    f"dockmgrctl {command.name} --": sorted(
        _COMMON_FLAGS | {option.flag for option in command.options}
    )
    for command in LISTED_COMMANDS
}


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    """What a shell gets that finds our completions, and in whose folder are files."""
    root = tmp_path_factory.mktemp("shells")
    made = root / "made"
    subprocess.run([sys.executable, "-m", "completions", made], cwd=CHECKOUT, check=True)
    for shell, folder in _FOLDERS.items():
        (root / "share" / folder).mkdir(parents=True)
        name = {"bash": "dockmgrctl", "zsh": "_dockmgrctl", "fish": "dockmgrctl.fish"}[shell]
        (made / name).rename(root / "share" / folder / name)
    assert not list(made.iterdir())
    (root / "bin").mkdir()
    (root / "bin" / "dockmgrctl").write_text(_STAND_IN)
    (root / "bin" / "dockmgrctl").chmod(0o755)
    (root / "file").touch()
    (root / "folder").mkdir()
    return {
        "HOME": str(root),
        "LC_ALL": "C.UTF-8",
        "PATH": f"{root}/bin:{os.environ['PATH']}",
        "TERM": "dumb",
        "XDG_DATA_DIRS": f"{root}/share:/usr/share",
    }


_FOLDERS = {
    "bash": "bash-completion/completions",
    "zsh": "zsh/site-functions",
    "fish": "fish/vendor_completions.d",
}

# Each has a key that puts everything that is offered into the line, and one that tells the line.
# No key means anything to a terminal that the shell has not made its own yet.
_BASH = r"""
source /usr/share/bash-completion/bash_completion
bind 'set enable-bracketed-paste off'
tell() { printf '<%s%s>>' '<' "$READLINE_LINE"; READLINE_LINE= READLINE_POINT=0; }
bind -x '"\C-xt": tell'
bind '"\C-xa": insert-completions'
"""
_ZSH = r"""
fpath=($HOME/share/zsh/site-functions $fpath)
autoload -Uz compinit
compinit -D -u
zstyle ':completion:all:*' completer _all_matches _complete
zstyle ':completion:all:*' insert true
zle -C all complete-word _generic
bindkey '^Xa' all
tell() { printf '<%s%s>>' '<' "$BUFFER"; BUFFER=; }
zle -N tell
bindkey '^Xt' tell
"""
_ALL, _TELL = b"\x18a", b"\x18t"

Ask = Callable[[str], str]


@contextmanager
def _interactive(command: Sequence[str], setup: str, env: Mapping[str, str]) -> Iterator[Ask]:
    """A shell at a terminal: give it a line, and it comes back with what was filled in."""
    ours, theirs = pty.openpty()
    start = Path(env["HOME"]) / "setup"
    start.write_text(setup)
    with subprocess.Popen(
        ["setsid", "--ctty", *command],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        cwd=env["HOME"],
        env=env,
    ) as shell:
        os.close(theirs)
        output = b""

        def ask(line: str) -> str:
            nonlocal output
            os.write(ours, line.encode() + _ALL + _TELL)
            while not (found := re.search(rb"<<(.*?)>>", output, re.S)):
                output += os.read(ours, 4096)
            output = output[found.end() :]
            return found[1].decode()

        os.write(ours, f". {start}\n".encode())
        try:
            yield ask
        finally:
            shell.kill()
            os.close(ours)


def _values(before: str, after: str) -> list[str]:
    """What was put in the place of the line's last word, by itself."""
    kept = before[: before.rfind(" ") + 1]
    assert after.startswith(kept)
    if after == before:
        return []
    return _plain(after[len(kept) :].split())


def _plain(words: Iterable[str]) -> list[str]:
    """The words without an option that they are the value of; an option without a = at its end."""
    return sorted({re.sub("^--?[^=]*=(?=.)", "", word).rstrip("=") for word in words})


@pytest.mark.parametrize(
    ("command", "setup"),
    [(("bash", "--norc", "--noprofile", "-i"), _BASH), (("zsh", "-f", "-i"), _ZSH)],
    ids=["bash", "zsh"],
)
def test_at_a_prompt(command: Sequence[str], setup: str, environment: Mapping[str, str]) -> None:
    expected = {**OFFERED, **OFFERED_AT_PROMPTS, **OPTIONS}
    with _interactive(command, setup, environment) as ask:
        offered = {line: _values(line, ask(line)) for line in expected}
    assert offered == expected


def test_fish(environment: Mapping[str, str]) -> None:
    expected = {**OFFERED, **OPTIONS}
    answers = _fish(expected, environment)
    offered = {line: _plain(word.partition("\t")[0] for word in answers[line]) for line in expected}
    assert offered == expected


def test_fish_tells_what_a_value_is(environment: Mapping[str, str]) -> None:
    line = "dockmgrctl follow "
    output = ["20260131T2_ab\tinstall, running", "20260131T1_cd\tprobe, done"]
    assert _fish([line], environment)[line] == output


def _fish(lines: Iterable[str], environment: Mapping[str, str]) -> dict[str, list[str]]:
    """What fish offers for each line: the word, a tab, and what it is."""
    script = "for line in $argv; complete -C $line; printf '\\f'; end"
    done = subprocess.run(
        ["fish", "--command", script, *lines],
        cwd=environment["HOME"],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    return dict(zip(lines, (answer.splitlines() for answer in done.stdout.split("\f"))))
