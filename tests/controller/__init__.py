# SPDX-License-Identifier: LGPL-2.1-or-later
"""The Ansible controller of tests: its environments, the collection under test, and its runs."""
