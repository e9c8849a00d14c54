# SPDX-License-Identifier: LGPL-2.1-or-later
"""Tests of the page in a browser, on hosts with Cockpit."""
