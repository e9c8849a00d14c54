# SPDX-License-Identifier: LGPL-2.1-or-later
"""The words of `ExecStart=`: their variables, and the program that a wrapper starts in the end."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

_VARIABLE_OF_SYSTEMD = re.compile(r"\$(?:\{(\w+)\}|(\$))")
_VARIABLE_OF_SHELL = re.compile(r"\$(?:\{(\w+)\}|(\w+))")
_VARIABLE_WORD = re.compile(r"\$([A-Za-z_]\w*)")
_SHELLS = ("sh", "bash", "dash", "ksh", "zsh")
_SCRIPT_FLAG = re.compile(r"-[a-z]*c")
_OPERATOR_CHARACTERS = "();<>|&\n"


def expand_words(words: Iterable[str], environment: Mapping[str, str]) -> list[str]:
    """Replace variables as systemd.service(5) says.

    `$NAME` counts as a word of its own alone, and becomes several words.
    """

    def expand(found: re.Match[str]) -> str:
        return found[2] or environment.get(found[1], "")

    return list(_expand(words, environment, lambda word: _VARIABLE_OF_SYSTEMD.sub(expand, word)))


def find_program(
    program: str, words: Sequence[str], environment: Mapping[str, str]
) -> Sequence[str]:
    """The words from the program on, behind `nice` or `env` and in the script of `sh -c`, too.

    All words if they do not name it, as with a script in a file.

    :param program: the name of its file.
    """
    for position, word in enumerate(words):
        if _is_script(words[:position]):
            found = _find_in_script(program, word, environment)
            if found:
                return found
    starts = [position for position, word in enumerate(words) if Path(word).name == program]
    # An option of a wrapper may have the name: `systemd-cat -t dockerd /usr/bin/dockerd`.
    starts.sort(key=lambda position: not os.path.isabs(words[position]))
    return words[starts[0] :] if starts else words


def _is_script(before: Sequence[str]) -> bool:
    """Whether the word after these is the script of a shell."""
    has_shell = any(Path(word).name in _SHELLS for word in before)
    return has_shell and bool(_SCRIPT_FLAG.fullmatch(before[-1]))


def _find_in_script(program: str, script: str, environment: Mapping[str, str]) -> list[str]:
    """The words of the command that starts the program; none when the script has no such."""
    lexer = shlex.shlex(script, posix=True, punctuation_chars=_OPERATOR_CHARACTERS)
    lexer.whitespace = " \t\r"
    lexer.whitespace_split = True
    lexer.commenters = ""
    command: list[str] = []
    try:
        for word in lexer:
            if not word.strip(_OPERATOR_CHARACTERS):
                if command:
                    break
            elif command or Path(word).name == program:
                command.append(word)
    except ValueError:  # a quotation without an end
        return []
    return list(_expand(command, environment, lambda word: _expand_in_shell(word, environment)))


def _expand_in_shell(word: str, environment: Mapping[str, str]) -> str:
    return _VARIABLE_OF_SHELL.sub(lambda found: environment.get(found[1] or found[2], ""), word)


def _expand(
    words: Iterable[str], environment: Mapping[str, str], expand_part: Callable[[str], str]
) -> Iterator[str]:
    for word in words:
        whole = _VARIABLE_WORD.fullmatch(word)
        if whole:
            yield from _split_words(environment.get(whole[1], ""))
        else:
            yield expand_part(word)


def _split_words(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError:
        return text.split()
