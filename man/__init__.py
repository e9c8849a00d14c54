# SPDX-License-Identifier: LGPL-2.1-or-later
"""The manual pages; made when the RPM is built, from templates, tables and interface files."""
