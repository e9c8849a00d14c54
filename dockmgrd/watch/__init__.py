# SPDX-License-Identifier: LGPL-2.1-or-later
"""The mirror watch: a client of the service that a timer starts."""
