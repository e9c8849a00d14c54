# SPDX-License-Identifier: LGPL-2.1-or-later
"""Makes the test bed's fixtures known to all tests."""

from __future__ import annotations

pytest_plugins = ["bed.building", "bed.fixtures"]
