# SPDX-License-Identifier: LGPL-2.1-or-later
"""`python -m bed build|shell|clean`: the test bed by hand."""

from __future__ import annotations

import argparse
import logging
import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from bed import debian, homes, layers
from bed.cache import shared
from bed.host import Host
from bed.suites import SUITES, Suite


def main() -> int:
    arguments = _parser().parse_args()
    logging.basicConfig(format="%(message)s", level=logging.INFO, stream=sys.stdout)
    if arguments.command == "build":
        return build([SUITES[name] for name in arguments.suites or SUITES])
    if arguments.command == "shell":
        return shell(SUITES[arguments.suite])
    return clean()


def build(suites: list[Suite]) -> int:
    """Make everything that tests of these suites take from the cache."""
    # An interrupt ends it at once, and the commands with it: the next build removes what is left.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    with ThreadPoolExecutor(len(suites)) as pool:
        for suite, disk in zip(suites, pool.map(_build_suite, suites)):
            if disk is None:
                print(f"{suite.name} is skipped")
            else:
                print(f"{suite.name} is ready: {len(disk)} layers, {disk[0].parent.name} on top")
    return 0


def shell(suite: Suite) -> int:
    """Boot a host with our packages and leave the user in a shell on it."""
    print(f"A host that stands for {suite.os_release['PRETTY_NAME']}; it is gone after `exit`.")
    with Host(suite, layers.ours(suite)) as host:
        return host.interact("/bin/bash", "--login")


def clean() -> int:
    """Remove all that no process uses from the cache."""
    busy = [*homes.prune(), *shared().clean()]
    for name in busy:
        print(f"in use: {name}")
    return 1 if busy else 0


def _build_suite(suite: Suite) -> layers.Layers | None:
    """Return the layers with the most on them; None, after saying so, where there can be none."""
    try:
        disk = layers.bare(suite)
    except debian.VanishedError as error:
        print(f"{error}. Tests on such hosts are skipped.")
        return None
    Host(suite, disk).close()  # takes the repositories and images that a boot needs, too
    with suppress(layers.NotBuiltError):
        disk = layers.docker(suite)
    return disk


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bed", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    build_parser = commands.add_parser("build", help="make all that tests take from the cache")
    build_parser.add_argument("suites", nargs="*", choices=[*SUITES, []], metavar="SUITE")
    shell_parser = commands.add_parser("shell", help="boot a host and open a shell on it")
    shell_parser.add_argument("suite", choices=SUITES, metavar="SUITE")
    commands.add_parser("clean", help="remove what no process uses")
    return parser


if __name__ == "__main__":
    sys.exit(main())
