# SPDX-License-Identifier: LGPL-2.1-or-later
"""The page for Cockpit: its sources, and what makes an installable folder of them."""
