# SPDX-License-Identifier: LGPL-2.1-or-later
"""systemd and its journal: what programs of ours tell them."""
