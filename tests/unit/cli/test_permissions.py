# SPDX-License-Identifier: LGPL-2.1-or-later
"""`dockmgrctl permissions`, as text and as JSON."""

from __future__ import annotations

import json

from unit.cli_service import Host, cli, serving


async def test_permissions_of_the_user(bus_address: str) -> None:
    async with serving(Host(), bus_address):
        _, table, _ = await cli(bus_address, "permissions")
        _, answer, _ = await cli(bus_address, "--json", "permissions")
    rows = [line.split()[:2] for line in table.splitlines()]
    assert rows == [
        ["ACTION", "ALLOWED"],
        ["install", "after"],
        ["set-mirror", "yes"],
        ["purge-data", "no"],
        ["later", "yes"],
    ]
    assert json.loads(answer)["install"] == "auth"
