# SPDX-License-Identifier: LGPL-2.1-or-later
"""Names that follow the rules of D-Bus and systemd."""

from __future__ import annotations

import pytest

from dockmgrd import names


@pytest.mark.parametrize(
    ("unit", "path"),
    [
        ("docker.service", "docker_2eservice"),
        (
            "dockmgrd-job@20260101T000000_abcdef.service",
            "dockmgrd_2djob_4020260101T000000_5fabcdef_2eservice",
        ),
        ("9p.mount", "_39p_2emount"),
        ("a9\N{LATIN SMALL LETTER E WITH ACUTE}.slice", "a9_c3_a9_2eslice"),
    ],
)
def test_object_paths_of_units(unit: str, path: str) -> None:
    assert names.unit_path(unit) == f"/org/freedesktop/systemd1/unit/{path}"
