# SPDX-License-Identifier: LGPL-2.1-or-later
"""Files of `EnvironmentFile=` are read as systemd itself reads them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bed.fixtures import EVERYWHERE
from dockmgrd.host.environment_files import parse_variables

if TYPE_CHECKING:
    from bed.host import Host

FILE = r"""# HASH=1
; SEMICOLON=1
   # INDENTED=1
PLAIN=--one --two=2 # three
QUOTED="it \"is\" \$x \z \\"
SINGLE='as "it" is \n'
PARTS="a b"'c d' e "f"
LATER=it's "fine"
FOLDED="--one \
--two"
FOLDED_PLAIN=--one \
  --two
LINES="a
# b
c"
EMPTY=
ESCAPED=a\ b\\c\"d
export EXPORTED=1
TWICE=1
TWICE=2
not a variable
1DIGIT=1
"""
FILE += '  INDENTED_NAME = spaced \t\nTRAILING="x"   \nLAST=no newline'


@EVERYWHERE
def test_values_are_those_of_systemd(bare_host: Host) -> None:
    bare_host.write("/etc/sysconfig/test", FILE)
    shown = bare_host.run(
        *("systemd-run", "--wait", "--pipe", "--quiet"),
        *("--property=EnvironmentFile=/etc/sysconfig/test", "/usr/bin/env", "--null"),
    ).stdout
    found = dict(each.split("=", 1) for each in shown.split("\0") if each)
    ours = parse_variables(FILE)
    assert len(ours) == 14
    assert {name: found.get(name) for name in ours} == ours
    assert found.keys() & {"HASH", "SEMICOLON", "INDENTED", "1DIGIT", "EXPORTED"} == set()
