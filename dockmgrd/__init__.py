# SPDX-License-Identifier: LGPL-2.1-or-later
"""The version and nothing else: code in here would make imports run in circles."""

__version__ = "0.2.0"
