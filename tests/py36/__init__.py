# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs the worker's unit tests on Python 3.6, with the worker as it is built for EL 8."""
