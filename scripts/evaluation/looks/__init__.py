# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures and films of results, since numbers miss what eyes see."""
