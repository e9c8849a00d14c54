# SPDX-License-Identifier: LGPL-2.1-or-later
"""`make bench`: what we take, beside the plain commands and our peers in the same run."""

from __future__ import annotations

import sys
from itertools import chain

from bench import commands, fleet, mirrors, packages, page, service
from bench.pairs import HEADER


def main() -> int:
    print(HEADER, flush=True)
    parts = (packages, mirrors, service, commands, page, fleet)
    for comparison in chain.from_iterable(part.measures() for part in parts):
        print(comparison.row(), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
