# SPDX-License-Identifier: LGPL-2.1-or-later
"""Completions of dockmgrctl's command line for bash, zsh and fish; made when the RPM is built."""
